"""SieveScript/get, /set and /validate, and their blobs."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from mailstack.model.errors import NotFound
from mailstack.model.mailbox import MailboxRole
from mailstack.model.resource import Kind, Resource, ScriptBody, fields_of
from mailstack.servers.jmap.blob_lookup import METHOD as LOOKUP
from mailstack.servers.jmap.blob_named import open_named, upload_id
from mailstack.servers.jmap.sieve_script_get import METHOD as GET
from mailstack.servers.jmap.sieve_script_set import METHOD as SET
from mailstack.servers.jmap.sieve_script_validate import METHOD as VALIDATE
from mailstack.services.mailbox.blobs import read_whole
from mailstack.services.scripts import SCRIPT_LIMITS, SCRIPT_QUOTA
from mailstack.wire.jmap.arguments import Arguments
from tests.support.jmap_calls import ask, fault_of, share
from tests.support.jmap_world import JmapWorld
from tests.support.stores import apply, created, mailbox_with

KEEP, STOP = b"keep;\r\n", b"stop;\r\n"


async def upload(world: JmapWorld, content: bytes, who: str = "u0") -> str:
    service, owner = world.service, (await world.account(who)).account_id
    return upload_id(await service.uploads.put(owner, content, now=service.clock(), limit_bytes=10_000_000))


async def content_of(world: JmapWorld, blob_id: str, who: str = "u0", of: str = "u0") -> bytes:
    call = await world.call(who)
    return await read_whole(await open_named(call, await call.mail((await world.account(of)).account_id), blob_id))


async def by_name(world: JmapWorld) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in (await ask(world, GET))["list"]}


async def create(world: JmapWorld, *names: str, content: bytes = KEEP, **arguments: Any) -> Any:
    """Under their names as creation ids."""
    blob_id = await upload(world, content)
    given = {name: {"name": name, "blobId": blob_id} for name in names}
    return await ask(world, SET, create=given, **arguments)


def faults(answer: dict[str, Any], name: str) -> dict[str, str]:
    return {key: fault["type"] for key, fault in (answer[name] or {}).items()}


async def test_there_is_none_at_first(world: JmapWorld) -> None:
    account_id = (await world.account()).account_id
    assert await ask(world, GET, ids=["x"]) == {
        "accountId": account_id,
        "state": "0",
        "list": [],
        "notFound": ["x"],
    }


async def test_one_that_was_made_is_there(world: JmapWorld) -> None:
    answer = await create(world, "work")
    found = (await by_name(world))["work"]
    assert answer["created"] == {"work": {"id": found["id"], "blobId": found["blobId"], "isActive": False}}
    assert (answer["oldState"], answer["newState"]) == ("0", "1")
    assert await content_of(world, found["blobId"]) == KEEP
    assert (await ask(world, GET, ids=[found["id"]], properties=["isActive"]))["list"] == [
        {"id": found["id"], "isActive": False}
    ]


async def test_one_without_a_name_is_given_one(world: JmapWorld) -> None:
    answer = await ask(world, SET, create={"k": {"name": None, "blobId": await upload(world, KEEP)}})
    (name,) = await by_name(world)
    assert answer["created"]["k"]["name"] == name


async def test_it_keeps_its_id_whatever_changes(world: JmapWorld) -> None:
    await create(world, "a")
    before = (await by_name(world))["a"]
    for patch, told in (
        ({"name": "b"}, False),
        ({"blobId": await upload(world, STOP)}, True),
        ({"name": "Ä", "blobId": before["blobId"]}, True),  # what is no longer anywhere
    ):
        answer = await ask(world, SET, update={before["id"]: patch})
        if "blobId" in patch and patch["blobId"] == before["blobId"]:
            assert faults(answer, "notUpdated") == {before["id"]: "blobNotFound"}
            continue
        (after,) = (await by_name(world)).values()
        assert answer["updated"] == {before["id"]: {"blobId": after["blobId"]} if told else None}
    (after,) = (await by_name(world)).values()
    assert (after["id"], after["name"]) == (before["id"], "b")
    assert await content_of(world, after["blobId"]) == STOP
    with pytest.raises(NotFound):
        await content_of(world, before["blobId"])


async def test_names_are_exchanged_and_room_is_made_at_once(world: JmapWorld) -> None:
    await create(world, "a", "b", "c")
    found = {name: each["id"] for name, each in (await by_name(world)).items()}
    answer = await ask(
        world,
        SET,
        create={"k": {"name": "c", "blobId": await upload(world, STOP)}},
        update={found["a"]: {"name": "b"}, found["b"]: {"name": "a"}},
        destroy=[found["c"]],
    )
    assert (answer["updated"], answer["destroyed"]) == ({found["a"]: None, found["b"]: None}, [found["c"]])
    after = {name: each["id"] for name, each in (await by_name(world)).items()}
    assert after == {"a": found["b"], "b": found["a"], "c": answer["created"]["k"]["id"]}


async def test_an_id_may_be_that_of_what_an_earlier_call_has_made(world: JmapWorld) -> None:
    blob_id, account_id = await upload(world, KEEP), (await world.account()).account_id
    using = ["urn:ietf:params:jmap:sieve"]
    made, changed = await world.api(
        ["SieveScript/set", {"accountId": account_id, "create": {"k": {"name": "a", "blobId": blob_id}}}, "0"],
        [
            "SieveScript/set",
            {"accountId": account_id, "update": {"#k": {"name": "b"}}, "onSuccessActivateScript": "#k"},
            "1",
        ],
        using=using,
    )
    object_id = made[1]["created"]["k"]["id"]
    assert changed[1]["updated"] == {object_id: {"isActive": True}}


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"name": ""}, ("invalidProperties", ["name"])),
        ({"name": "a\x00b"}, ("invalidProperties", ["name"])),
        ({"name": "a\u2028b"}, ("invalidProperties", ["name"])),
        ({"name": "ä" * 257}, ("invalidProperties", ["name"])),
        ({"name": 1}, ("invalidProperties", ["name"])),
        ({"blobId": None}, ("invalidProperties", ["blobId"])),
        ({"blobId": "no id"}, ("invalidProperties", ["blobId"])),
        ({"blobId": "U0"}, ("blobNotFound", None)),
        ({"blobId": "S" + "0" * 64}, ("blobNotFound", None)),
        ({"isActive": True}, ("invalidProperties", ["isActive"])),
        ({"id": "x"}, ("invalidProperties", ["id"])),
        ({"content": "keep;"}, ("invalidProperties", ["content"])),
        ({"name": "there"}, ("alreadyExists", None)),
    ],
    ids=range(13),
)
async def test_what_is_not_made(world: JmapWorld, given: dict[str, Any], fault: tuple[str, list[str] | None]) -> None:
    await create(world, "there")
    state = (await ask(world, GET))["state"]
    sound = {"name": "new", "blobId": await upload(world, STOP), "isActive": False}
    answer = await ask(world, SET, create={"k": {**sound, **given}})
    found = answer["notCreated"]["k"]
    assert (found["type"], found.get("properties")) == fault
    assert answer["created"] is None
    assert answer["oldState"] == answer["newState"] == state
    if fault[0] == "alreadyExists":
        assert found["existingId"] == (await by_name(world))["there"]["id"]
    if fault[0] == "blobNotFound":
        assert found["notFound"] == [given["blobId"]]


@pytest.mark.parametrize(
    ("content", "type_", "said"),
    [
        (b"keep;\r\nkeeep;\r\n", "invalidSieve", "line 2, column 1: "),
        (b'require "vnd.nothing";\r\n', "invalidSieve", "line 1"),
        (b'require "ihave"; if ihave "x" { y; } else { z; }', "invalidSieve", "z"),
        (b"\xff", "invalidSieve", "UTF-8"),
        (b"", "invalidSieve", "empty"),
        (b"#" * (SCRIPT_LIMITS.script_octets + 1), "tooLarge", ""),
        (b"#" * SCRIPT_LIMITS.script_octets, None, ""),
    ],
    ids=range(7),
)
async def test_what_does_not_compile_is_not_kept(
    world: JmapWorld, content: bytes, type_: str | None, said: str
) -> None:
    blob_id, account_id = await upload(world, content), (await world.account()).account_id
    validated = await ask(world, VALIDATE, blobId=blob_id)
    answer = await ask(world, SET, create={"k": {"name": "k", "blobId": blob_id}})
    if type_ is None:
        assert validated == {"accountId": account_id, "error": None}
        assert answer["notCreated"] is None
        return
    fault = answer["notCreated"]["k"]
    assert fault["type"] == type_
    assert said in fault["description"]
    assert validated == {"accountId": account_id, "error": fault}
    assert await by_name(world) == {}


async def test_what_is_validated_has_to_be_there(world: JmapWorld) -> None:
    theirs = await upload(world, KEEP, "u1")
    assert (await ask(world, VALIDATE, blobId=theirs))["error"] == {"type": "blobNotFound", "notFound": [theirs]}
    assert await fault_of(world, VALIDATE) == "invalidArguments"
    assert await by_name(world) == {}


async def test_no_more_than_there_may_be(world: JmapWorld) -> None:
    names = [f"s{number}" for number in range(SCRIPT_QUOTA.scripts + 1)]
    answer = await create(world, *names)
    assert faults(answer, "notCreated") == {names[-1]: "overQuota"}
    assert len(answer["created"]) == SCRIPT_QUOTA.scripts


async def test_no_more_are_compiled_than_there_may_be(world: JmapWorld) -> None:
    broken = await upload(world, b"nonsense;")
    given = {f"k{number}": {"blobId": broken} for number in range(SCRIPT_QUOTA.scripts + 2)}
    answer = await ask(world, SET, create=given)
    types = [*faults(answer, "notCreated").values()]
    assert types == ["invalidSieve"] * SCRIPT_QUOTA.scripts + ["overQuota"] * 2


async def test_no_larger_together_than_they_may_be(world: JmapWorld) -> None:
    answer = await create(world, *"abcdefghi", content=b"#" * SCRIPT_LIMITS.script_octets)
    assert faults(answer, "notCreated") == {"i": "overQuota"}


async def active(world: JmapWorld) -> list[str]:
    return [name for name, each in (await by_name(world)).items() if each["isActive"]]


async def test_one_is_activated_when_all_has_succeeded(world: JmapWorld) -> None:
    answer = await create(world, "a", "b", onSuccessActivateScript="#b")
    assert (await active(world), answer["created"]["b"]["isActive"]) == (["b"], True)
    ids = {name: each["id"] for name, each in (await by_name(world)).items()}

    answer = await ask(world, SET, onSuccessActivateScript=ids["a"])
    assert answer["updated"] == {ids["a"]: {"isActive": True}, ids["b"]: {"isActive": False}}
    assert await active(world) == ["a"]

    answer = await ask(world, SET, update={ids["b"]: {"name": "c"}}, onSuccessActivateScript=ids["b"])
    assert answer["updated"] == {ids["a"]: {"isActive": False}, ids["b"]: {"isActive": True}}

    answer = await ask(world, SET, onSuccessDeactivateScript=True)
    assert answer["updated"] == {ids["b"]: {"isActive": False}}
    assert await active(world) == []


@pytest.mark.parametrize("wrong", ["#nothing", "Snothing", "not an id!", ""])
async def test_what_is_no_script_is_not_activated(world: JmapWorld, wrong: str) -> None:
    await create(world, "a", onSuccessActivateScript="#a")
    answer = await ask(world, SET, onSuccessActivateScript=wrong)
    assert (answer["updated"], await active(world)) == (None, ["a"])
    await ask(world, SET, onSuccessActivateScript=wrong, onSuccessDeactivateScript=True)
    assert await active(world) == []


async def test_both_at_once_change_the_active_one(world: JmapWorld) -> None:
    await create(world, "a", "b", onSuccessActivateScript="#a")
    await ask(world, SET, onSuccessActivateScript=(await by_name(world))["b"]["id"], onSuccessDeactivateScript=True)
    assert await active(world) == ["b"]


@pytest.mark.parametrize("wrong", ["create", "update", "destroy"])
async def test_nothing_is_activated_when_anything_has_failed(world: JmapWorld, wrong: str) -> None:
    await create(world, "a", "b", onSuccessActivateScript="#a")
    ids = {name: each["id"] for name, each in (await by_name(world)).items()}
    given: dict[str, Any] = {
        "create": {"k": {"name": "k", "blobId": "U0"}},
        "update": {"Snothing": {"name": "k"}},
        "destroy": ["Snothing"],
    }
    arguments: dict[str, Any] = {wrong: given[wrong]}
    await ask(world, SET, onSuccessActivateScript=ids["b"], **arguments)
    assert await active(world) == ["a"]
    await ask(world, SET, onSuccessDeactivateScript=True, **arguments)
    assert await active(world) == ["a"]


async def test_the_active_one_is_not_destroyed(world: JmapWorld) -> None:
    await create(world, "a", "b", onSuccessActivateScript="#a")
    ids = {name: each["id"] for name, each in (await by_name(world)).items()}
    answer = await ask(world, SET, destroy=[*ids.values()], onSuccessDeactivateScript=True)
    assert faults(answer, "notDestroyed") == {ids["a"]: "sieveIsActive"}
    assert answer["destroyed"] == [ids["b"]]
    assert await active(world) == ["a"]
    await ask(world, SET, onSuccessDeactivateScript=True)
    assert (await ask(world, SET, destroy=[ids["a"]]))["destroyed"] == [ids["a"]]


async def test_what_goes_is_not_changed(world: JmapWorld) -> None:
    await create(world, "a")
    (found,) = (await by_name(world)).values()
    answer = await ask(world, SET, update={found["id"]: {"name": "b"}}, destroy=[found["id"]])
    assert faults(answer, "notUpdated") == {found["id"]: "willDestroy"}
    assert answer["destroyed"] == [found["id"]]


@pytest.mark.parametrize(
    ("patch", "type_"),
    [
        ({"isActive": True}, "invalidProperties"),
        ({"id": "x"}, "invalidProperties"),
        ({"blobId": None}, "invalidProperties"),
        ({"name/x": "y"}, "invalidPatch"),
        ({"isActive": False}, ""),
        ({"name": None}, ""),
        ({}, ""),
    ],
    ids=range(7),
)
async def test_patches(world: JmapWorld, patch: dict[str, Any], type_: str) -> None:
    await create(world, "a")
    (found,) = (await by_name(world)).values()
    answer = await ask(world, SET, update={found["id"]: patch})
    assert faults(answer, "notUpdated") == ({found["id"]: type_} if type_ else {})


async def test_it_is_set_in_the_state_that_is_named(world: JmapWorld) -> None:
    await create(world, "a")
    for state, fault in (("0", "stateMismatch"), ("x", "stateMismatch"), ("1", ""), ("1", "stateMismatch")):
        given = {"k": {"name": f"b{state}", "blobId": await upload(world, KEEP)}}
        assert await fault_of(world, SET, ifInState=state, create=given) == fault
    assert sorted(await by_name(world)) == ["a", "b1"]


async def test_every_way_to_change_one_changes_the_state(world: JmapWorld) -> None:
    account_id, scripts = (await world.account()).account_id, world.service.scripts
    states = [(await ask(world, GET))["state"]]
    for change in (
        lambda: scripts.put(account_id, "a", KEEP),
        lambda: scripts.activate(account_id, "a"),
        lambda: scripts.rename(account_id, "a", "b"),
        lambda: scripts.activate(account_id, None),
        lambda: scripts.remove(account_id, "b"),
        lambda: give(world, "keep;"),
    ):
        await change()
        states.append((await ask(world, GET))["state"])
    assert len({*states}) == len(states)


async def give(world: JmapWorld, content: str) -> None:
    body = fields_of(ScriptBody(content=content, origin="file"))
    resource = Resource(kind=Kind.SCRIPT, name=(await world.account()).login, fields=body)
    await apply(world.imap.store, created(resource))


async def test_the_specs_script_is_there_to_be_read(world: JmapWorld) -> None:
    await create(world, "own", onSuccessActivateScript="#own")
    (own,) = (await by_name(world)).values()
    await give(world, "stop;\n")
    (found,) = (await ask(world, GET))["list"]
    assert (found["id"], found["name"], found["isActive"]) == ("Smanaged", "mailstack", True)
    assert await content_of(world, found["blobId"]) == STOP
    answer = await ask(
        world,
        SET,
        create={"k": {"name": "k", "blobId": await upload(world, KEEP)}},
        update={"Smanaged": {"name": "x"}, own["id"]: {"name": "x"}},
        destroy=[own["id"]],
    )
    whose = {"type": "forbidden", "description": answer["notCreated"]["k"]["description"]}
    assert "the server's configuration" in whose["description"]
    assert answer["notCreated"] == {"k": whose}
    assert faults(answer, "notUpdated") == {"Smanaged": "forbidden", own["id"]: "notFound"}
    assert faults(answer, "notDestroyed") == {own["id"]: "notFound"}
    assert answer["oldState"] == answer["newState"] == (await ask(world, GET))["state"]
    assert (await ask(world, SET, destroy=["Smanaged"]))["notDestroyed"] == {"Smanaged": whose}


@pytest.mark.parametrize("wanted", [{"onSuccessDeactivateScript": True}, {"onSuccessActivateScript": "Smanaged"}])
async def test_the_specs_script_stays_active(world: JmapWorld, wanted: dict[str, Any]) -> None:
    await give(world, "stop;\n")
    assert await fault_of(world, SET, **wanted) == "forbidden"


async def test_who_shares_mailboxes_does_not_share_scripts(world: JmapWorld) -> None:
    await create(world, "a")
    (found,) = (await by_name(world)).values()
    account_id = (await world.account()).account_id
    await share(world, await mailbox_with(world.imap.store, account_id, MailboxRole.INBOX), "lrswipkxtea")
    for method in (GET, SET, VALIDATE):
        assert await fault_of(world, method, "u1", accountId=account_id) == "accountNotSupportedByMethod"
    for owner in ("u0", "u1"):
        with pytest.raises(NotFound):
            await content_of(world, found["blobId"], "u1", owner)
    session = (await world.ask("GET", "/jmap/session", login=(await world.account("u1")).login)).json()
    capabilities = {key: {*each["accountCapabilities"]} for key, each in session["accounts"].items()}
    urns = {"urn:ietf:params:jmap:sieve", "urn:ietf:params:jmap:vacationresponse"}
    assert {key for key, offered in capabilities.items() if urns & offered} == capabilities.keys() - {account_id}
    assert len(capabilities) == 2


async def test_the_facts_of_the_engine(world: JmapWorld) -> None:
    session = (await world.ask("GET", "/jmap/session")).json()
    urn, account_id = "urn:ietf:params:jmap:sieve", (await world.account()).account_id
    assert session["capabilities"][urn]["implementation"].startswith("mailstack ")
    facts = session["accounts"][account_id]["accountCapabilities"][urn]
    assert "vacation" in facts.pop("sieveExtensions")
    assert facts == {
        "maxSizeScriptName": 512,
        "maxSizeScript": SCRIPT_LIMITS.script_octets,
        "maxNumberScripts": SCRIPT_QUOTA.scripts,
        "maxNumberRedirects": SCRIPT_LIMITS.redirects,
        "notificationMethods": ["mailto"],
        "externalLists": ["mailto"],
    }
    assert session["primaryAccounts"][urn] == account_id


async def test_what_refers_to_a_blob(world: JmapWorld) -> None:
    await create(world, "a", "b")
    found = await by_name(world)
    blob_id, using = found["a"]["blobId"], frozenset({"urn:ietf:params:jmap:sieve"})
    asked = {"typeNames": ["SieveScript"], "ids": [blob_id, "S0"]}
    call = await world.call(using=using)
    answer = await LOOKUP.run(call, Arguments({"accountId": call.login.account_id, **asked}))
    assert [each["matchedIds"] for each in answer["list"]] == [
        {"SieveScript": [found["a"]["id"], found["b"]["id"]]},
        {"SieveScript": []},
    ]


async def test_a_script_is_downloaded(world: JmapWorld) -> None:
    await create(world, "a")
    (found,) = (await by_name(world)).values()
    path = f"/jmap/download/{(await world.account()).account_id}/{found['blobId']}/a.sieve?accept=application/sieve"
    reply = await world.ask("GET", path)
    assert (reply.content, reply.headers["content-type"]) == (KEEP, "application/sieve")


async def test_the_log_tells_of_each(world: JmapWorld) -> None:
    with capture_logs() as logged:
        await create(world, "a", onSuccessActivateScript="#a")
        (found,) = (await by_name(world)).values()
        await ask(world, SET, update={found["id"]: {"name": "b\u202e"}}, onSuccessDeactivateScript=True)
        await ask(world, SET, destroy=[found["id"]])
    assert [line["event"] for line in logged if "script" in line["event"]] == [
        "script kept",
        "script activated",
        "script renamed",
        "no script active",
        "script removed",
    ]
    assert {line["service"] for line in logged if "script" in line["event"]} == {"jmap"}


async def test_more_than_may_be_set_at_once(world: JmapWorld) -> None:
    many = [f"S{number}" for number in range(world.service.limits.objects_in_set + 1)]
    assert await fault_of(world, SET, destroy=many) == "requestTooLarge"


@pytest.mark.parametrize(
    "arguments",
    [{"onSuccessActivateScript": 1}, {"onSuccessDeactivateScript": "yes"}, {"create": []}, {"more": 1}],
    ids=range(4),
)
async def test_wrong_arguments(world: JmapWorld, arguments: dict[str, Any]) -> None:
    assert await fault_of(world, SET, **arguments) == "invalidArguments"
