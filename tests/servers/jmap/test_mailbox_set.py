"""Mailbox/set."""

import asyncio
from typing import Any

import pytest

from mailstack.model.mailbox import MailboxRole
from mailstack.servers.jmap.mailbox_get import METHOD as GET
from mailstack.servers.jmap.mailbox_query import METHOD as QUERY
from mailstack.servers.jmap.mailbox_set import METHOD as SET
from tests.support.jmap_calls import ask, fault_of, put, share
from tests.support.jmap_world import JmapWorld
from tests.support.stores import new_message


async def ids_by_name(world: JmapWorld, who: str = "u0", **more: Any) -> dict[str, str]:
    listed = (await ask(world, GET, who, properties=["name"], **more))["list"]
    return {each["name"]: each["id"] for each in listed}


async def one(world: JmapWorld, object_id: str) -> dict[str, Any]:
    (found,) = (await ask(world, GET, ids=[object_id]))["list"]
    return dict(found)


async def test_created(world: JmapWorld) -> None:
    before = await ask(world, GET)
    answer = await ask(world, SET, create={"k": {"name": "Bills", "isSubscribed": True}})
    made = answer["created"]["k"]
    assert {**made, "name": "Bills", "isSubscribed": True} == await one(world, made["id"])
    assert {"name", "isSubscribed"}.isdisjoint(made)
    assert (answer["oldState"], answer["newState"]) == (before["state"], (await ask(world, GET))["state"])
    assert (answer["updated"], answer["destroyed"], answer["notCreated"]) == (None, None, None)


async def test_children_are_created_after_their_parents(world: JmapWorld) -> None:
    create = {"c": {"name": "C", "parentId": "#b"}, "b": {"name": "B", "parentId": "#a"}, "a": {"name": "A"}}
    made = (await ask(world, SET, create=create))["created"]
    assert [(await one(world, made[key]["id"]))["parentId"] for key in "abc"] == [
        None,
        made["a"]["id"],
        made["b"]["id"],
    ]


async def test_parents_in_a_circle_are_none(world: JmapWorld) -> None:
    create = {"a": {"name": "A", "parentId": "#b"}, "b": {"name": "B", "parentId": "#a"}}
    answer = await ask(world, SET, create=create)
    assert answer["created"] is None
    assert {key: fault["properties"] for key, fault in answer["notCreated"].items()} == {
        "a": ["parentId"],
        "b": ["parentId"],
    }


@pytest.mark.parametrize(
    ("given", "property_"),
    [
        ({}, "name"),
        ({"name": " a"}, "name"),
        ({"name": "a*"}, "name"),
        ({"name": "a\x07"}, "name"),
        ({"name": "a" * 256}, "name"),
        ({"name": "a", "parentId": "F1-99"}, "parentId"),
        ({"name": "a", "role": "sent"}, "role"),
        ({"name": "a", "role": "inbox"}, "role"),
        ({"name": "a", "role": "all"}, "role"),
        ({"name": "a", "sortOrder": -1}, "sortOrder"),
        ({"name": "a", "sortOrder": 2**31}, "sortOrder"),
        ({"name": "a", "sortOrder": True}, "sortOrder"),
    ],
)
async def test_not_created(world: JmapWorld, given: dict[str, Any], property_: str) -> None:
    before = await ids_by_name(world)
    fault = (await ask(world, SET, create={"k": given}))["notCreated"]["k"]
    assert (fault["type"], fault["properties"]) == ("invalidProperties", [property_])
    assert await ids_by_name(world) == before


@pytest.mark.parametrize(("name", "namesake"), [("Sent", "Sent"), ("inbox", None)])
async def test_a_name_that_is_taken(world: JmapWorld, name: str, namesake: str | None) -> None:
    before = await ids_by_name(world)
    fault = (await ask(world, SET, create={"k": {"name": name}}))["notCreated"]["k"]
    assert (fault["type"], fault["properties"]) == ("alreadyExists", ["name"])
    assert fault.get("existingId") == (None if namesake is None else before[namesake])
    assert await ids_by_name(world) == before


async def test_renamed_and_moved_with_what_is_below(world: JmapWorld) -> None:
    create = {"a": {"name": "A"}, "b": {"name": "B", "parentId": "#a"}, "c": {"name": "C"}}
    made = {key: each["id"] for key, each in (await ask(world, SET, create=create))["created"].items()}
    answer = await ask(world, SET, update={made["a"]: {"name": "New", "parentId": made["c"]}})
    assert (answer["updated"], answer["notUpdated"]) == ({made["a"]: None}, None)
    found = await one(world, made["a"])
    assert (found["name"], found["parentId"]) == ("New", made["c"])
    assert (await one(world, made["b"]))["parentId"] == made["a"]


async def test_what_is_as_it_was_is_no_change(world: JmapWorld) -> None:
    before = await ask(world, GET)
    answer = await ask(world, SET, update={each["id"]: each for each in before["list"]})
    assert (answer["notUpdated"], answer["newState"]) == (None, before["state"])


@pytest.mark.parametrize(
    ("patch", "type_", "properties"),
    [
        ({"name": "Sent"}, "alreadyExists", ["name"]),
        ({"name": None}, "invalidProperties", ["name"]),
        ({"role": "sent"}, "invalidProperties", ["role"]),
        ({"sortOrder": "7"}, "invalidProperties", ["sortOrder"]),
        ({"totalEmails": 7}, "invalidProperties", ["totalEmails"]),
        ({"myRights/mayRename": False}, "invalidProperties", ["myRights"]),
        ({"name/x": 1}, "invalidPatch", None),
        ({"colour": "red"}, "invalidProperties", ["colour"]),
        ({"parentId": "self"}, "invalidProperties", ["parentId"]),
        ({"parentId": "#nothing"}, "invalidProperties", ["parentId"]),
    ],
)
async def test_not_updated(world: JmapWorld, patch: dict[str, Any], type_: str, properties: list[str] | None) -> None:
    archive = (await ids_by_name(world))["Archive"]
    before = await one(world, archive)
    if patch.get("parentId") == "self":
        patch = {"parentId": archive}
    fault = (await ask(world, SET, update={archive: patch}))["notUpdated"][archive]
    assert (fault["type"], fault.get("properties")) == (type_, properties)
    assert await one(world, archive) == before


async def test_the_inbox_stays(world: JmapWorld) -> None:
    await put(world, MailboxRole.INBOX, new_message())
    inbox = (await ids_by_name(world))["Inbox"]
    before = await one(world, inbox)
    patches: list[dict[str, Any]] = [{"name": "Other"}, {"role": None}]
    types = [(await ask(world, SET, update={inbox: patch}))["notUpdated"][inbox]["type"] for patch in patches]
    gone = await ask(world, SET, destroy=[inbox], onDestroyRemoveEmails=True)
    assert [*types, gone["notDestroyed"][inbox]["type"]] == ["forbidden", "invalidProperties", "forbidden"]
    assert await one(world, inbox) == before


async def test_a_role_goes_from_one_to_another_in_one_call(world: JmapWorld) -> None:
    ids = await ids_by_name(world)
    made = (await ask(world, SET, create={"k": {"name": "Old"}}))["created"]["k"]["id"]
    answer = await ask(world, SET, update={made: {"role": "archive"}, ids["Archive"]: {"role": None}})
    assert (answer["notUpdated"], {*answer["updated"]}) == (None, {made, ids["Archive"]})
    assert ((await one(world, made))["role"], (await one(world, ids["Archive"]))["role"]) == ("archive", None)


async def test_subscriptions(world: JmapWorld) -> None:
    sent = (await ids_by_name(world))["Sent"]
    await ask(world, SET, update={sent: {"isSubscribed": False}})
    assert (await one(world, sent))["isSubscribed"] is False
    await ask(world, SET, update={sent: {"isSubscribed": None}})
    assert (await one(world, sent))["isSubscribed"] is True


async def test_destroyed_children_first(world: JmapWorld) -> None:
    create = {"a": {"name": "A"}, "b": {"name": "B", "parentId": "#a"}}
    made = {key: each["id"] for key, each in (await ask(world, SET, create=create))["created"].items()}
    answer = await ask(world, SET, destroy=[made["a"]])
    assert answer["notDestroyed"][made["a"]]["type"] == "mailboxHasChild"
    answer = await ask(world, SET, destroy=[made["a"], made["b"], "F1"])
    assert answer["destroyed"] == [made["b"], made["a"]]
    assert answer["notDestroyed"]["F1"]["type"] == "notFound"


async def test_destroyed_with_what_is_there_only_where_that_is_said(world: JmapWorld) -> None:
    await put(world, MailboxRole.ARCHIVE, new_message())
    archive = (await ids_by_name(world))["Archive"]
    answer = await ask(world, SET, destroy=[archive])
    assert answer["notDestroyed"][archive]["type"] == "mailboxHasEmail"
    answer = await ask(world, SET, destroy=[archive], onDestroyRemoveEmails=True)
    assert (answer["destroyed"], answer["notDestroyed"]) == ([archive], None)


async def test_what_is_to_go_is_not_updated(world: JmapWorld) -> None:
    archive = (await ids_by_name(world))["Archive"]
    answer = await ask(world, SET, update={archive: {"name": "Other"}}, destroy=[archive])
    assert (answer["notUpdated"][archive]["type"], answer["destroyed"]) == ("willDestroy", [archive])


async def test_only_in_the_state_that_is_named(world: JmapWorld) -> None:
    state = (await ask(world, GET))["state"]
    create = {"k": {"name": "A"}}
    assert await fault_of(world, SET, create=create, ifInState="1-1") == "stateMismatch"
    assert (await ask(world, SET, create=create, ifInState=state))["created"]
    assert await fault_of(world, SET, destroy=[f"x{number}" for number in range(1_001)]) == "requestTooLarge"


async def test_in_anothers_account_what_its_lists_allow(world: JmapWorld) -> None:
    store, owner = world.imap.store, await world.account("u0")
    team = await store.mailboxes.create(owner.account_id, parent_id=None, name="Team")
    await share(world, team.mailbox_id, "lrk")
    top = (await ids_by_name(world, "u1", of="u0"))["Team"]
    create = {"in": {"name": "In", "parentId": top}, "top": {"name": "Top"}, "role": {"name": "R", "role": "archive"}}
    answer = await ask(world, SET, "u1", of="u0", create=create, destroy=[top], update={top: {"name": "Other"}})
    made = answer["created"]["in"]
    assert (made["isSubscribed"], made["myRights"]["mayCreateChild"]) == (False, True)
    assert answer["notCreated"]["top"]["type"] == "forbidden"
    assert {answer["notDestroyed"][top]["type"], answer["notUpdated"][top]["type"]} == {"forbidden", "willDestroy"}
    answer = await ask(world, SET, "u1", of="u0", update={top: {"name": "Other"}, made["id"]: {"isSubscribed": True}})
    assert (answer["notUpdated"][top]["type"], answer["updated"]) == ("forbidden", {made["id"]: None})
    assert await store.sharing.subscriptions((await world.account("u1")).account_id)
    assert (await one(world, made["id"]))["isSubscribed"] is False


async def test_two_swap_their_names_and_their_roles(world: JmapWorld) -> None:
    ids = await ids_by_name(world)
    junk, archive = ids["Junk"], ids["Archive"]
    update = {junk: {"name": "Archive", "role": "archive"}, archive: {"name": "Junk", "role": "junk"}}
    answer = await ask(world, SET, update=update)
    assert (answer["updated"], answer["notUpdated"]) == ({junk: None, archive: None}, None)
    after = await ids_by_name(world)
    assert (after["Archive"], after["Junk"]) == (junk, archive)
    assert (await one(world, junk))["role"] == "archive"


async def test_a_tree_is_turned_over(world: JmapWorld) -> None:
    made = (await ask(world, SET, create={"a": {"name": "A"}, "b": {"name": "B", "parentId": "#a"}}))["created"]
    a, b = made["a"]["id"], made["b"]["id"]
    assert (await ask(world, SET, update={a: {"parentId": b}}))["notUpdated"][a]["properties"] == ["parentId"]
    assert (await ask(world, SET, update={a: {"parentId": b}, b: {"parentId": None}}))["notUpdated"] is None
    assert ((await one(world, a))["parentId"], (await one(world, b))["parentId"]) == (b, None)


async def test_what_goes_makes_room(world: JmapWorld) -> None:
    archive = (await ids_by_name(world))["Archive"]
    sent = (await ids_by_name(world))["Sent"]
    answer = await ask(
        world,
        SET,
        create={"k": {"name": "Archive", "role": "archive"}, "in": {"name": "In", "parentId": "#k"}},
        update={sent: {"name": "In", "parentId": "#in"}},
        destroy=[archive],
    )
    assert (answer["notCreated"], answer["notUpdated"], answer["destroyed"]) == (None, None, [archive])
    made = answer["created"]
    assert (await one(world, sent))["parentId"] == made["in"]["id"]
    assert (await one(world, made["k"]["id"]))["role"] == "archive"


async def test_names_of_the_whole_path_stay_within_reach(world: JmapWorld) -> None:
    create: dict[str, Any] = {"k0": {"name": "0"}, "t0": {"name": "t"}}
    create |= {f"k{at}": {"name": str(at), "parentId": f"#k{at - 1}"} for at in range(1, 20)}
    create |= {f"t{at}": {"name": "t", "parentId": f"#t{at - 1}"} for at in range(1, 3)}
    answer = await ask(world, SET, create=create)
    made = {key: each["id"] for key, each in answer["created"].items()}
    assert answer["notCreated"] is None
    answer = await ask(world, SET, create={"deep": {"name": "x", "parentId": made["k19"]}})
    assert answer["notCreated"]["deep"]["properties"] == ["name"]
    update = {made["t0"]: {"parentId": made["k17"]}, made["k1"]: {"name": "one"}}
    answer = await ask(world, SET, update=update)
    assert (answer["updated"], [*answer["notUpdated"]]) == ({made["k1"]: None}, [made["t0"]])
    assert (await ask(world, SET, update={made["t0"]: {"parentId": made["k16"]}}))["notUpdated"] is None


async def test_an_order_of_ones_own(world: JmapWorld) -> None:
    sent = (await ids_by_name(world))["Sent"]
    usual = (await one(world, sent))["sortOrder"]
    state = (await ask(world, SET, update={sent: {"sortOrder": 2**31 - 1}}))["newState"]
    found = await ask(world, QUERY, sort=[{"property": "sortOrder", "isAscending": False}])
    assert (found["ids"][0], (await one(world, sent))["sortOrder"]) == (sent, 2**31 - 1)
    assert (await ask(world, SET, update={sent: {"sortOrder": 2**31 - 1}}))["newState"] == state
    await ask(world, SET, update={sent: {"sortOrder": None}})
    assert (await one(world, sent))["sortOrder"] == usual
    made = (await ask(world, SET, create={"k": {"name": "A", "sortOrder": 0}}))["created"]["k"]
    assert (await one(world, made["id"]))["sortOrder"] == 0


async def test_of_two_who_know_the_same_state_one_is_too_late(world: JmapWorld) -> None:
    state = (await ask(world, GET))["state"]
    ids = await ids_by_name(world)
    calls: list[list[dict[str, Any]]] = [
        [{"create": {"k": {"name": "A"}}}, {"create": {"k": {"name": "B"}}}],
        [{"update": {ids["Sent"]: {"name": "C"}}}, {"update": {ids["Junk"]: {"sortOrder": 3}}}],
        [{"destroy": [ids["Archive"]]}, {"update": {ids["Trash"]: {"isSubscribed": False}}}],
    ]
    for arguments in calls:
        told = await asyncio.gather(*(fault_of(world, SET, ifInState=state, **each) for each in arguments))
        assert sorted(told) == ["", "stateMismatch"]
        state = (await ask(world, GET))["state"]
    answer = await ask(
        world,
        SET,
        ifInState=state,
        create={"a": {"name": "E"}, "b": {"name": "F"}},
        update={ids["Trash"]: {"name": "Bin"}, ids["Junk"]: {"role": None}},
        destroy=["#b"],
    )
    assert (answer["notCreated"], answer["notUpdated"], answer["notDestroyed"]) == (None, None, None)
