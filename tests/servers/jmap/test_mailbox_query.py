"""Mailbox/query and Mailbox/queryChanges."""

from typing import Any

import pytest

from mailstack.model.mailbox import MailboxRole
from mailstack.servers.jmap.mailbox_get import METHOD as GET
from mailstack.servers.jmap.mailbox_query import METHOD as QUERY
from mailstack.servers.jmap.mailbox_query_changes import METHOD as CHANGES
from mailstack.servers.jmap.mailbox_set import METHOD as SET
from tests.support.jmap_calls import ask, fault_of, share
from tests.support.jmap_world import JmapWorld
from tests.support.stores import mailbox_with


async def names(world: JmapWorld, who: str = "u0", *, of: str | None = None, **asked: Any) -> list[str]:
    ids = (await ask(world, QUERY, who, of=of, **asked))["ids"]
    return [each["name"] for each in (await ask(world, GET, who, of=of, ids=ids))["list"]]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"sort": [{"property": "sortOrder"}]}, ["Inbox", "Drafts", "Sent", "Archive", "Junk", "Trash"]),
        ({"sort": [{"property": "name"}], "limit": 2}, ["Archive", "Drafts"]),
        ({"filter": {"name": "iNB"}}, ["Inbox"]),
        ({"filter": {"role": "sent"}}, ["Sent"]),
    ],
)
async def test_found(world: JmapWorld, asked: dict[str, Any], expected: list[str]) -> None:
    assert await names(world, **asked) == expected


async def test_below_what_was_just_created(world: JmapWorld) -> None:
    create = {"a": {"name": "A"}, "b": {"name": "B", "parentId": "#a"}}
    made = (await ask(world, SET, create=create))["created"]
    answer = await ask(world, QUERY, filter={"parentId": made["a"]["id"]}, calculateTotal=True)
    assert (answer["ids"], answer["total"], answer["canCalculateChanges"]) == ([made["b"]["id"]], 1, False)


async def test_of_anothers_what_may_be_looked_up(world: JmapWorld) -> None:
    owner = await world.account("u0")
    await share(world, await mailbox_with(world.imap.store, owner.account_id, MailboxRole.SENT), "lr")
    assert await names(world, "u1", of="u0") == ["Sent"]


async def test_changes(world: JmapWorld) -> None:
    state = (await ask(world, QUERY))["queryState"]
    answer = await ask(world, CHANGES, sinceQueryState=state, calculateTotal=True)
    assert (answer["removed"], answer["added"], answer["total"], answer["newQueryState"]) == ([], [], 6, state)
    assert "total" not in await ask(world, CHANGES, sinceQueryState=state)
    await ask(world, SET, create={"a": {"name": "A"}})
    assert await fault_of(world, CHANGES, sinceQueryState=state) == "cannotCalculateChanges"
