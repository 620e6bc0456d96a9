"""Identity/get, /changes and /set."""

from dataclasses import replace
from typing import Any

import pytest

from mailstack.model.ids import AccountId
from mailstack.model.mailbox import MailboxRole
from mailstack.model.principal import ALL_ABILITIES, Ability
from mailstack.model.resource import Json
from mailstack.model.sending_identity import SendingIdentity
from mailstack.servers.jmap.identities import PROPERTIES
from mailstack.servers.jmap.identity_changes import METHOD as CHANGES
from mailstack.servers.jmap.identity_get import METHOD as GET
from mailstack.servers.jmap.identity_set import METHOD as SET
from mailstack.servers.jmap.method import Method
from mailstack.services import sending_identities
from mailstack.wire.jmap.arguments import Arguments
from tests.support.imap_server import DOMAIN
from tests.support.jmap_calls import ask, fault_of, share
from tests.support.jmap_world import JmapWorld
from tests.support.stores import account_resource, apply, mailbox_with, updated

ALICE = f"u0@{DOMAIN}"


async def got(world: JmapWorld) -> dict[str, dict[str, Any]]:
    return {each["id"]: each for each in (await ask(world, GET))["list"]}


async def given(world: JmapWorld) -> str:
    """The id of the one that is there by itself."""
    (found,) = [each["id"] for each in (await ask(world, GET))["list"] if not each["mayDelete"]]
    return str(found)


async def create(world: JmapWorld, **properties: Any) -> dict[str, Any]:
    answer = await ask(world, SET, create={"k": {"email": ALICE, **properties}})
    assert answer["notCreated"] is None, answer
    made: dict[str, Any] = answer["created"]["k"]
    return made


def refusals(answer: dict[str, Any], name: str) -> dict[str, tuple[str, list[str]]]:
    return {key: (fault["type"], fault.get("properties", [])) for key, fault in answer[name].items()}


async def test_one_for_each_address(world: JmapWorld) -> None:
    account, long = await world.account(), "x" * 300 + "@x.example"
    await apply(world.imap.store, updated(account_resource(ALICE, f"sales@{DOMAIN}", long, name=account.name)))
    found = await got(world)
    assert [each["email"] for each in found.values()] == [ALICE, f"sales@{DOMAIN}", long]
    assert all(key == each["id"] and len(key) == 25 and {*each} == {*PROPERTIES} for key, each in found.items())


async def test_none_for_who_may_not_submit(world: JmapWorld) -> None:
    await create(world)
    resource = account_resource(ALICE)
    abilities: list[Json] = [*sorted(ALL_ABILITIES - {Ability.SUBMIT})]
    fields = {**resource.fields, "abilities": abilities}
    await apply(world.imap.store, updated(replace(resource, fields=fields)))
    assert await got(world) == {}
    answer = await ask(world, SET, create={"k": {"email": ALICE}})
    assert refusals(answer, "notCreated") == {"k": ("forbiddenFrom", [])}


async def test_got(world: JmapWorld) -> None:
    account = await world.account()
    answer = await ask(world, GET, properties=["email", "mayDelete"])
    (identity,) = answer["list"]
    assert identity == {"id": identity["id"], "email": account.login, "mayDelete": False}
    answer = await ask(world, GET, ids=[identity["id"], "other"], properties=["name"])
    assert (answer["list"], answer["notFound"]) == ([{"id": identity["id"], "name": account.name}], ["other"])


async def test_the_given_one_is_changed_and_follows_the_spec_where_it_is_not(world: JmapWorld) -> None:
    account, known = await world.account(), await given(world)
    state = (await ask(world, GET))["state"]
    patch = {"textSignature": "-- \nA", "name": account.name, "email": ALICE, "mayDelete": False}
    answer = await ask(world, SET, ifInState=state, update={known: patch})
    assert (answer["updated"], answer["oldState"]) == ({known: None}, state)
    found = await got(world)
    assert (found[known]["textSignature"], found[known]["name"]) == ("-- \nA", account.name)
    changes = await ask(world, CHANGES, sinceState=state)
    assert (changes["updated"], changes["created"], changes["newState"]) == ([known], [], answer["newState"])

    await apply(world.imap.store, updated(account_resource(ALICE, name="Alice B.")))
    found = await got(world)
    assert (found[known]["textSignature"], found[known]["name"]) == ("-- \nA", "Alice B.")
    assert await fault_of(world, CHANGES, sinceState=answer["newState"]) == "cannotCalculateChanges"

    await ask(world, SET, update={known: {"name": "Mine"}})
    await apply(world.imap.store, updated(account_resource(ALICE, name="Alice C.")))
    assert (await got(world))[known]["name"] == "Mine"
    await ask(world, SET, update={known: {"name": None, "textSignature": None}})
    found = await got(world)
    assert (found[known]["textSignature"], found[known]["name"]) == ("", "")


async def test_created_changed_and_destroyed(world: JmapWorld) -> None:
    state = (await ask(world, GET))["state"]
    wanted = {
        "email": f"U0+news@{DOMAIN.upper()}",
        "name": "News",
        "replyTo": [{"name": None, "email": "a@x.example"}, {"email": "b@x.example"}],
        "bcc": [],
        "htmlSignature": "<p>A</p>",
    }
    answer = await ask(world, SET, create={"k": wanted})
    made = answer["created"]["k"]
    assert made == {"id": made["id"], "textSignature": "", "mayDelete": True}
    found = (await got(world))[made["id"]]
    reply_to = [{"name": None, "email": "a@x.example"}, {"name": None, "email": "b@x.example"}]
    assert found == {**wanted, **made, "replyTo": reply_to}
    changes = await ask(world, CHANGES, sinceState=state)
    assert (changes["created"], changes["newState"]) == ([made["id"]], answer["newState"])

    await ask(world, SET, update={made["id"]: {"replyTo": None, "bcc": [{"name": "C", "email": '"c d"@x.example'}]}})
    found = (await got(world))[made["id"]]
    assert (found["replyTo"], found["bcc"]) == (None, [{"name": "C", "email": '"c d"@x.example'}])
    changes = await ask(world, CHANGES, sinceState=answer["newState"])
    assert (changes["created"], changes["updated"]) == ([], [made["id"]])

    assert (await ask(world, SET, destroy=[made["id"]]))["destroyed"] == [made["id"]]
    assert made["id"] not in await got(world)
    changes = await ask(world, CHANGES, sinceState=answer["newState"])
    assert (changes["updated"], changes["destroyed"]) == ([], [made["id"]])
    changes = await ask(world, CHANGES, sinceState=state)
    assert (changes["created"], changes["updated"], changes["destroyed"]) == ([], [], [])


async def test_changes_come_in_small_portions(world: JmapWorld) -> None:
    state = (await ask(world, GET))["state"]
    await ask(world, SET, create={key: {"email": ALICE} for key in "abc"})
    seen: list[str] = []
    has_more = True
    while has_more:
        answer = await ask(world, CHANGES, sinceState=state, maxChanges=1)
        seen += answer["created"]
        state, has_more = answer["newState"], answer["hasMoreChanges"]
        assert await fault_of(world, SET, ifInState=state) == ("stateMismatch" if has_more else "")
    assert {*seen} == {*await got(world)} - {await given(world)}


@pytest.mark.parametrize(
    ("properties", "fault", "at_fault"),
    [
        ({"email": "a@b.example"}, "forbiddenFrom", []),
        ({"email": f"u1@{DOMAIN}"}, "forbiddenFrom", []),
        ({"email": f"*@{DOMAIN}"}, "forbiddenFrom", []),
        ({"email": "nobody"}, "invalidProperties", ["email"]),
        ({"email": f"u0\n@{DOMAIN}"}, "invalidProperties", ["email"]),
        ({"email": None}, "invalidProperties", ["email"]),
        ({"email": 1}, "invalidProperties", ["email"]),
        ({"mayDelete": True}, "invalidProperties", ["mayDelete"]),
        ({"id": "Ix", "x": 1}, "invalidProperties", ["id", "x"]),
        ({"name": None}, "invalidProperties", ["name"]),
        ({"name": "A\r\nBcc: b@x.example"}, "invalidProperties", ["name"]),
        ({"textSignature": "\x00"}, "invalidProperties", ["textSignature"]),
        ({"htmlSignature": ["<p>"]}, "invalidProperties", ["htmlSignature"]),
        ({"replyTo": "a@x.example"}, "invalidProperties", ["replyTo"]),
        ({"replyTo": ["a@x.example"]}, "invalidProperties", ["replyTo"]),
        ({"replyTo": [{"name": "A"}]}, "invalidProperties", ["replyTo"]),
        ({"bcc": [{"email": "a@x.example\r\n"}]}, "invalidProperties", ["bcc"]),
        ({"bcc": [{"email": "a"}]}, "invalidProperties", ["bcc"]),
        ({"bcc": [{"name": "\n", "email": "a@x.example"}]}, "invalidProperties", ["bcc"]),
        ({"bcc": [{"email": "a@x.example", "more": 1}]}, "invalidProperties", ["bcc"]),
        ({"htmlSignature": "é" * (sending_identities.MOST_OCTETS // 2)}, "tooLarge", []),
    ],
    ids=str,
)
async def test_what_is_not_made(world: JmapWorld, properties: dict[str, Any], fault: str, at_fault: list[str]) -> None:
    answer = await ask(world, SET, create={"k": {"email": ALICE, **properties}, "good": {"email": ALICE}})
    assert refusals(answer, "notCreated") == {"k": (fault, at_fault)}
    assert [*answer["created"]] == ["good"]


async def test_what_is_not_changed_or_destroyed(world: JmapWorld) -> None:
    known, own, gone = await given(world), (await create(world))["id"], (await create(world))["id"]
    answer = await ask(
        world,
        SET,
        update={
            known: {"email": f"u0+x@{DOMAIN}"},
            own: {"mayDelete": False},
            gone: {"name": "B"},
            "I1": {"name": "B"},
            "#none": {},
        },
        destroy=[known, gone, "I1"],
    )
    assert refusals(answer, "notUpdated") == {
        known: ("willDestroy", []),
        own: ("invalidProperties", ["mayDelete"]),
        gone: ("willDestroy", []),
        "I1": ("notFound", []),
        "#none": ("notFound", []),
    }
    assert refusals(answer, "notDestroyed") == {known: ("forbidden", []), "I1": ("notFound", [])}
    assert (answer["updated"], answer["destroyed"]) == (None, [gone])
    answer = await ask(world, SET, update={known: {"email": f"u0+x@{DOMAIN}"}})
    assert refusals(answer, "notUpdated") == {known: ("invalidProperties", ["email"])}
    answer = await ask(world, SET, update={own: {"replyTo/0": None, "x": 1}, known: {"bcc/0/email": "x"}})
    assert {key: fault for key, (fault, _) in refusals(answer, "notUpdated").items()} == {
        own: "invalidPatch",
        known: "invalidPatch",
    }


async def test_what_is_created_is_meant_later_in_the_request(world: JmapWorld) -> None:
    call = await world.call()
    account_id = call.login.account_id

    async def run(**arguments: Any) -> Any:
        return await SET.run(call, Arguments({"accountId": account_id, **arguments}))

    answer = await run(create={"k": {"email": ALICE}}, update={"#k": {"name": "B"}})
    made = answer["created"]["k"]["id"]
    assert answer["updated"] == {made: None}
    assert (await got(world))[made]["name"] == "B"
    assert (await run(destroy=["#k"]))["destroyed"] == [made]
    state = (await ask(world, GET))["state"]
    answer = await run(create={"l": {"email": ALICE}}, destroy=["#l"])
    assert (len(answer["created"]), len(answer["destroyed"]), answer["newState"]) == (1, 1, state)


async def test_there_are_only_so_many(world: JmapWorld) -> None:
    keys = [f"k{number}" for number in range(sending_identities.MOST_KEPT + 1)]
    answer = await ask(world, SET, create={key: {"email": ALICE} for key in keys})
    assert refusals(answer, "notCreated") == {keys[-1]: ("overQuota", [])}
    answer = await ask(world, SET, update={await given(world): {"name": "B"}})
    assert refusals(answer, "notUpdated") == {await given(world): ("overQuota", [])}


async def test_and_they_are_only_so_large_together(world: JmapWorld) -> None:
    text = "x" * (sending_identities.MOST_OCTETS - 100)
    keys = [f"k{number}" for number in range(9)]
    answer = await ask(world, SET, create={key: {"email": ALICE, "textSignature": text} for key in keys})
    assert refusals(answer, "notCreated") == {keys[-1]: ("overQuota", [])}


async def test_states_and_bounds_of_a_set(world: JmapWorld) -> None:
    state = (await ask(world, GET))["state"]
    await create(world)
    for wrong in (state, "other", "", f"{state}-3fa9"):
        assert await fault_of(world, SET, ifInState=wrong, create={"k": {"email": ALICE}}) == "stateMismatch"
    assert len(await got(world)) == 2
    assert await fault_of(world, SET, destroy=[f"x{number}" for number in range(1_001)]) == "requestTooLarge"
    assert await fault_of(world, CHANGES, sinceState="other") == "cannotCalculateChanges"


async def test_an_address_that_the_spec_takes_away_takes_its_identities_with_it(world: JmapWorld) -> None:
    sales = f"sales@{DOMAIN}"
    await apply(world.imap.store, updated(account_resource(ALICE, sales)))
    own = (await create(world, email=f"sales+x@{DOMAIN}"))["id"]
    (known,) = [key for key, each in (await got(world)).items() if each["email"] == sales]
    await ask(world, SET, update={known: {"textSignature": "S"}})
    state = (await ask(world, GET))["state"]

    await apply(world.imap.store, updated(account_resource(ALICE)))
    assert not {own, known} & (await got(world)).keys()
    assert await fault_of(world, CHANGES, sinceState=state) == "cannotCalculateChanges"
    answer = await ask(world, SET, update={own: {}, known: {}}, destroy=[own + "x"])
    assert refusals(answer, "notUpdated") == {own: ("notFound", []), known: ("notFound", [])}

    await apply(world.imap.store, updated(account_resource(ALICE, sales)))
    found = await got(world)
    assert (found[known]["textSignature"], found[own]["email"]) == ("S", f"sales+x@{DOMAIN}")


async def test_one_is_found_by_its_id_in_its_account_only(world: JmapWorld) -> None:
    alice, bob = await world.account(), await world.account("u1")
    own = (await create(world, name="N"))["id"]
    identities = world.service.identities
    found = await identities.find(alice, own)
    assert found == SendingIdentity(identity_id=own, email=ALICE, name="N")
    assert await identities.find(bob, own) is None


class _LateStore:
    """Writes of others come between each look and the write, so many times."""

    def __init__(self, world: JmapWorld, times: int) -> None:
        self._kept = world.imap.store.sending_identities
        self._left = times

    async def all(self, account_id: AccountId) -> tuple[int, list[SendingIdentity]]:
        number, found = await self._kept.all(account_id)
        return number, [*found]

    async def write(self, account_id: AccountId, **changes: Any) -> int:
        if self._left:
            self._left -= 1
            number, _ = await self._kept.all(account_id)
            other = SendingIdentity(identity_id=f"Iother{self._left}", email=ALICE, name="")
            await self._kept.write(account_id, created=[other], if_number=number)
        return await self._kept.write(account_id, **changes)


@pytest.mark.parametrize(("times", "state", "fault"), [(3, False, ""), (1, True, "stateMismatch")])
async def test_others_who_write_at_the_same_time(world: JmapWorld, times: int, state: bool, fault: str) -> None:
    late = sending_identities.AccountIdentities(
        _LateStore(world, times), world.imap.store.accounts, token=world.service.token
    )
    service = replace(world.service, identities=late)
    own = (await create(world))["id"]
    before = (await ask(world, GET))["state"]
    late_world = replace(world, service=service)
    if_in_state = {"ifInState": before} if state else {}
    assert await fault_of(late_world, SET, update={own: {"name": "B"}}, **if_in_state) == fault
    assert (await got(world))[own]["name"] == ("" if fault else "B")
    assert len(await got(world)) == 2 + times


@pytest.mark.parametrize("method", [GET, CHANGES, SET], ids=lambda method: method.name)
async def test_nobody_sends_as_another(world: JmapWorld, method: Method) -> None:
    owner = await world.account("u0")
    await share(world, await mailbox_with(world.imap.store, owner.account_id, MailboxRole.SENT), "lr")
    assert await fault_of(world, method, "u1", of="u0") == "accountNotSupportedByMethod"
