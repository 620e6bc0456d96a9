"""Mailbox/query and Mailbox/queryChanges."""

from typing import Any

import pytest

from mailstack.model.mailbox import MailboxRole
from mailstack.servers.jmap.mailbox_get import METHOD as GET
from mailstack.servers.jmap.mailbox_query import METHOD as QUERY
from mailstack.servers.jmap.mailbox_query_changes import METHOD as CHANGES
from mailstack.servers.jmap.mailbox_set import METHOD as SET
from tests.support.jmap_calls import ask, fault_of, put, share
from tests.support.jmap_world import JmapWorld
from tests.support.stores import mailbox_with, new_message


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
    assert (answer["ids"], answer["total"], answer["canCalculateChanges"]) == ([made["b"]["id"]], 1, True)


async def test_of_anothers_what_may_be_looked_up(world: JmapWorld) -> None:
    owner = await world.account("u0")
    await share(world, await mailbox_with(world.imap.store, owner.account_id, MailboxRole.SENT), "lr")
    assert await names(world, "u1", of="u0") == ["Sent"]


async def test_changes(world: JmapWorld) -> None:
    state = (await ask(world, QUERY))["queryState"]
    answer = await ask(world, CHANGES, sinceQueryState=state, calculateTotal=True)
    assert (answer["removed"], answer["added"], answer["total"], answer["newQueryState"]) == ([], [], 6, state)
    assert "total" not in await ask(world, CHANGES, sinceQueryState=state)


def _applied(old: list[str], answer: Any) -> list[str]:
    """RFC 8620 §5.6: first what is removed, then each that is added at its place."""
    ids = [one for one in old if one not in set(answer["removed"])]
    for each in answer["added"]:
        ids.insert(each["index"], each["id"])
    return ids


TREE = {"sort": [{"property": "name"}], "sortAsTree": True}


@pytest.mark.parametrize(
    "asked",
    [
        {"sort": [{"property": "name"}]},
        {"sort": [{"property": "sortOrder"}, {"property": "name", "isAscending": False}]},
        {"filter": {"isSubscribed": True}, "sort": [{"property": "name"}]},
        {"filter": {"parentId": None}, "sort": [{"property": "name"}]},
        TREE,
        {**TREE, "filter": {"name": "a"}, "filterAsTree": True},
        {**TREE, "filter": {"isSubscribed": True}, "filterAsTree": True},
    ],
    ids=["name", "order", "subscribed", "top", "tree", "filtered-tree", "subscribed-tree"],
)
async def test_changes_make_the_new_list_of_the_old_one(world: JmapWorld, asked: dict[str, Any]) -> None:
    create = {"a": {"name": "Area"}, "b": {"name": "Bay", "parentId": "#a"}, "c": {"name": "Crag", "parentId": "#b"}}
    made = (await ask(world, SET, create=create))["created"]
    a, b, c = (made[key]["id"] for key in "abc")
    steps: list[dict[str, Any]] = [
        {"create": {"d": {"name": "Dale", "parentId": a}}},
        {"update": {a: {"name": "Zone"}}},
        {"update": {b: {"isSubscribed": False}}},
        {"update": {c: {"parentId": None, "name": "Aa"}}},
        {"update": {b: {"parentId": c}, a: {"isSubscribed": False}}},
        {"destroy": [b]},
    ]
    first = before = await ask(world, QUERY, **asked)
    for step in steps:
        await ask(world, SET, **step)
        after = await ask(world, QUERY, **asked)
        for old in (first, before):
            answer = await ask(world, CHANGES, sinceQueryState=old["queryState"], calculateTotal=True, **asked)
            assert _applied(old["ids"], answer) == after["ids"]
            assert (answer["total"], answer["newQueryState"]) == (len(after["ids"]), after["queryState"])
        before = after
    assert (
        await fault_of(world, CHANGES, sinceQueryState=first["queryState"], maxChanges=0, **asked) == "tooManyChanges"
    )


async def test_new_mail_moves_no_mailbox(world: JmapWorld) -> None:
    state = (await ask(world, QUERY))["queryState"]
    await put(world, MailboxRole.INBOX, new_message())
    answer = await ask(world, CHANGES, sinceQueryState=state)
    assert (answer["removed"], answer["added"]) == ([], [])
    assert answer["newQueryState"] != state


@pytest.mark.parametrize("state", ["", "x", "-1", "99999", "1-1"])
async def test_no_such_state(world: JmapWorld, state: str) -> None:
    assert await fault_of(world, CHANGES, sinceQueryState=state) == "cannotCalculateChanges"
