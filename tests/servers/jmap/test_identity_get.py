"""Identity/get, /changes and /set."""

from dataclasses import replace

import pytest

from mailstack.model.mailbox import MailboxRole
from mailstack.model.principal import ALL_ABILITIES, Ability
from mailstack.servers.jmap.identities import PROPERTIES, identities, identity_state
from mailstack.servers.jmap.identity_changes import METHOD as CHANGES
from mailstack.servers.jmap.identity_get import METHOD as GET
from mailstack.servers.jmap.identity_set import METHOD as SET
from mailstack.servers.jmap.method import Method
from tests.support.jmap_calls import ask, fault_of, share
from tests.support.jmap_world import JmapWorld
from tests.support.stores import mailbox_with


async def test_one_for_each_address(world: JmapWorld) -> None:
    account = replace(await world.account(), addresses=("sales@x.example", "x" * 300 + "@x.example"))
    found = identities(account)
    assert [each["email"] for each in found.values()] == [*account.address_keys]
    assert all(key == each["id"] and len(key) == 25 and {*each} == {*PROPERTIES} for key, each in found.items())
    assert identity_state(account) != identity_state(await world.account())


async def test_none_for_who_may_not_submit(world: JmapWorld) -> None:
    account = replace(await world.account(), abilities=ALL_ABILITIES - {Ability.SUBMIT})
    assert identities(account) == {}


async def test_got(world: JmapWorld) -> None:
    account = await world.account()
    answer = await ask(world, GET, properties=["email", "mayDelete"])
    (identity,) = answer["list"]
    assert identity == {"id": identity["id"], "email": account.login, "mayDelete": False}
    answer = await ask(world, GET, ids=[identity["id"], "other"], properties=["name"])
    assert (answer["list"], answer["notFound"]) == ([{"id": identity["id"], "name": account.name}], ["other"])


async def test_changes(world: JmapWorld) -> None:
    state = (await ask(world, GET))["state"]
    answer = await ask(world, CHANGES, sinceState=state)
    assert (answer["newState"], answer["created"], answer["updated"], answer["destroyed"]) == (state, [], [], [])
    assert await fault_of(world, CHANGES, sinceState="other") == "cannotCalculateChanges"


async def test_nothing_can_be_set(world: JmapWorld) -> None:
    account, got = await world.account(), await ask(world, GET)
    known, state = got["list"][0]["id"], got["state"]
    answer = await ask(
        world,
        SET,
        ifInState=state,
        create={"own": {"email": account.login.upper()}, "other": {"email": "a@b.example"}, "none": {"name": "A"}},
        update={known: {"name": "B"}, "I1": {}},
        destroy=[known, "I1"],
    )
    assert {key: fault["type"] for key, fault in answer["notCreated"].items()} == {
        "own": "forbidden",
        "other": "forbiddenFrom",
        "none": "invalidProperties",
    }
    for refused in ("notUpdated", "notDestroyed"):
        assert {key: fault["type"] for key, fault in answer[refused].items()} == {known: "forbidden", "I1": "notFound"}
    assert (answer["oldState"], answer["newState"], answer["created"]) == (state, state, None)
    assert await fault_of(world, SET, ifInState="other") == "stateMismatch"
    assert await fault_of(world, SET, destroy=[f"x{number}" for number in range(1_001)]) == "requestTooLarge"


@pytest.mark.parametrize("method", [GET, CHANGES, SET], ids=lambda method: method.name)
async def test_nobody_sends_as_another(world: JmapWorld, method: Method) -> None:
    owner = await world.account("u0")
    await share(world, await mailbox_with(world.imap.store, owner.account_id, MailboxRole.SENT), "lr")
    assert await fault_of(world, method, "u1", of="u0") == "accountNotSupportedByMethod"
