"""SieveScript/query."""

from typing import Any

import pytest

from mailstack.servers.jmap.sieve_script_get import METHOD as GET
from mailstack.servers.jmap.sieve_script_query import METHOD as QUERY
from tests.support.jmap_calls import ask, fault_of
from tests.support.jmap_world import JmapWorld

NAMES = ("Holidays", "work", "Übung", "archive work")


@pytest.fixture(autouse=True)
async def scripts(world: JmapWorld) -> None:
    account_id = (await world.account()).account_id
    for name in NAMES:
        await world.service.scripts.put(account_id, name, b"keep;")
    await world.service.scripts.activate(account_id, "work")


async def names(world: JmapWorld, **arguments: Any) -> list[str]:
    known = {each["id"]: each["name"] for each in (await ask(world, GET))["list"]}
    return [known[each] for each in (await ask(world, QUERY, **arguments))["ids"]]


@pytest.mark.parametrize(
    ("filter_", "found"),
    [
        (None, NAMES),
        ({}, NAMES),
        ({"name": "WORK"}, ("work", "archive work")),
        ({"name": "üb"}, ("Übung",)),
        ({"name": "nothing"}, ()),
        ({"isActive": True}, ("work",)),
        ({"isActive": False}, ("Holidays", "Übung", "archive work")),
        ({"name": "work", "isActive": False}, ("archive work",)),
        ({"operator": "OR", "conditions": [{"isActive": True}, {"name": "hol"}]}, ("work", "Holidays")),
        ({"operator": "NOT", "conditions": [{"isActive": True}, {"name": "hol"}]}, ("Übung", "archive work")),
    ],
    ids=range(10),
)
async def test_filters(world: JmapWorld, filter_: dict[str, Any] | None, found: tuple[str, ...]) -> None:
    assert sorted(await names(world, filter=filter_)) == sorted(found)


@pytest.mark.parametrize(
    ("sort", "found"),
    [
        ([{"property": "name"}], ["archive work", "Holidays", "Übung", "work"]),
        ([{"property": "name", "isAscending": False}], ["work", "Übung", "Holidays", "archive work"]),
        (
            [{"property": "isActive", "isAscending": False}, {"property": "name"}],
            ["work", "archive work", "Holidays", "Übung"],
        ),
    ],
    ids=range(3),
)
async def test_orders(world: JmapWorld, sort: list[dict[str, Any]], found: list[str]) -> None:
    order = await names(world, sort=sort)
    assert [name for name in order if name != "Übung"] == [name for name in found if name != "Übung"]


async def test_a_window(world: JmapWorld) -> None:
    sort = [{"property": "name"}]
    whole = await ask(world, QUERY, sort=sort, calculateTotal=True)
    assert (whole["total"], whole["position"], whole["canCalculateChanges"]) == (4, 0, False)
    assert whole["queryState"] == (await ask(world, GET))["state"]
    part = await ask(world, QUERY, sort=sort, anchor=whole["ids"][1], anchorOffset=1, limit=1)
    assert (part["ids"], part["position"]) == (whole["ids"][2:3], 2)
    assert "total" not in part


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ({"filter": {"content": "x"}}, "unsupportedFilter"),
        ({"filter": {"name": 1}}, "invalidArguments"),
        ({"filter": {"isActive": "x"}}, "invalidArguments"),
        ({"filter": {"isActive": None}}, "invalidArguments"),
        ({"sort": [{"property": "id"}]}, "unsupportedSort"),
        ({"anchor": "nothing"}, "anchorNotFound"),
        ({"more": 1}, "invalidArguments"),
    ],
    ids=range(7),
)
async def test_what_cannot_be_asked(world: JmapWorld, arguments: dict[str, Any], fault: str) -> None:
    assert await fault_of(world, QUERY, **arguments) == fault
