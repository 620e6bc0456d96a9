"""Quota/query and Quota/queryChanges."""

from typing import Any

import pytest

from mailstack.model.mailbox import MailboxRole
from mailstack.servers.jmap.quota_query import METHOD as QUERY
from mailstack.servers.jmap.quota_query_changes import METHOD as CHANGES
from tests.servers.jmap.test_quota_get import limit
from tests.support.jmap_calls import ask, fault_of, put
from tests.support.jmap_world import JmapWorld
from tests.support.stores import new_message


@pytest.mark.parametrize(
    ("condition", "is_found"),
    [
        (None, True),
        ({}, True),
        ({"name": "mAI"}, True),
        ({"name": "x"}, False),
        ({"scope": "account", "resourceType": "octets"}, True),
        ({"scope": "domain"}, False),
        ({"resourceType": "count"}, False),
        ({"type": "Email"}, True),
        ({"type": "Mailbox"}, False),
        ({"operator": "NOT", "conditions": [{"type": "Email"}]}, False),
        ({"operator": "OR", "conditions": [{"type": "Email"}, {"type": "x"}]}, True),
        ({"operator": "AND", "conditions": [{"type": "Email"}, {"type": "x"}]}, False),
    ],
)
async def test_found(world: JmapWorld, condition: dict[str, Any] | None, is_found: bool) -> None:
    await limit(world, 1_000)
    sort = [{"property": "used", "isAscending": False}, {"property": "name"}]
    answer = await ask(world, QUERY, filter=condition, sort=sort, calculateTotal=True)
    expected = [f"Q{(await world.account()).account_id}"] if is_found else []
    assert (answer["ids"], answer["total"], answer["position"]) == (expected, len(expected), 0)
    assert "limit" not in answer


@pytest.mark.parametrize(
    ("asked", "fault"),
    [
        ({"filter": {"colour": "red"}}, "unsupportedFilter"),
        ({"filter": {"name": None}}, "invalidArguments"),
        ({"sort": [{"property": "hardLimit"}]}, "unsupportedSort"),
        ({"anchor": "Qother"}, "anchorNotFound"),
    ],
)
async def test_refused(world: JmapWorld, asked: dict[str, Any], fault: str) -> None:
    assert await fault_of(world, QUERY, **asked) == fault


async def test_changes(world: JmapWorld) -> None:
    await limit(world, 100_000)
    state = (await ask(world, QUERY))["queryState"]
    answer = await ask(world, CHANGES, sinceQueryState=state, calculateTotal=True)
    assert (answer["removed"], answer["added"], answer["total"], answer["newQueryState"]) == ([], [], 1, state)
    assert "total" not in await ask(world, CHANGES, sinceQueryState=state)
    await put(world, MailboxRole.INBOX, new_message())
    assert await fault_of(world, CHANGES, sinceQueryState=state) == "cannotCalculateChanges"
