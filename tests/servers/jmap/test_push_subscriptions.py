"""PushSubscription/get and /set: of the login that made them, proved by a code, for a while. RFC 8620 §7.2."""

import base64
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mailstack.model.ids import PushId
from mailstack.model.instant import DAY_MS, HOUR_MS, Instant, iso
from mailstack.model.push import LASTS_MS, MOST_OF_ACCOUNT, PushStage, PushSubscription
from mailstack.servers.jmap import push_subscription_get, push_subscription_set
from mailstack.services.push.rate import PushRate
from mailstack.services.web_targets import WebTargets
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.faults import MethodFault
from mailstack.wire.jmap.session import CORE
from tests.support.fake_clock import FakeClock
from tests.support.jmap_world import JmapWorld, jmap_world

URL = "https://example.com/push/?device=X8980fc&client=12c6d086"
NEW = {"deviceClientId": "a889-ffea-910", "url": URL, "types": None}
# RFC 8291 §5
KEYS = {
    "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    "auth": "BTBZMqHH6r4Tts7J_aSIgg",
}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[JmapWorld]:
    async with jmap_world(tmp_path) as running:
        yield replace(running, service=replace(running.service, clock=FakeClock()))


async def get(world: JmapWorld, who: str = "u0", **arguments: Any) -> Any:
    return await push_subscription_get.METHOD.run(await world.call(who), Arguments(arguments))


async def set_(world: JmapWorld, who: str = "u0", **arguments: Any) -> Any:
    return await push_subscription_set.METHOD.run(await world.call(who), Arguments(arguments))


async def create(world: JmapWorld, who: str = "u0", **properties: Any) -> Any:
    """What the server adds to it."""
    answer = await set_(world, who, create={"4f29": {**NEW, **properties}})
    assert answer["created"], answer["notCreated"]
    return answer["created"]["4f29"]


async def not_created(world: JmapWorld, given: dict[str, Any]) -> Any:
    answer = await set_(world, create={"4f29": given})
    assert answer["created"] is None
    return answer["notCreated"]["4f29"]


async def stored(world: JmapWorld, who: str = "u0") -> list[PushSubscription]:
    account = await world.account(who)
    return [
        each for each, _ in await world.imap.store.push_subscriptions.of_account(account.account_id, now=Instant(0))
    ]


async def update(world: JmapWorld, push_id: str, who: str = "u0", **patch: Any) -> Any:
    """None where it was done; what was not as asked for; or the fault's type and properties."""
    answer = await set_(world, who, update={push_id: patch})
    if answer["notUpdated"]:
        fault = answer["notUpdated"][push_id]
        return fault["type"], fault.get("properties")
    return answer["updated"][push_id]


async def test_the_example_of_the_rfc(world: JmapWorld) -> None:
    now = world.service.clock()
    assert await get(world, ids=None) == {"list": [], "notFound": []}
    made = await create(world)
    assert made.keys() == {"id", "keys", "expires", "verificationCode"}
    assert made["keys"] is made["verificationCode"] is None
    assert made["expires"] == iso(Instant(now + LASTS_MS))
    (subscription,) = await stored(world)
    assert subscription.stage is PushStage.NEW
    assert len(subscription.code) == 32
    assert subscription.code not in str(made)
    (shown,) = (await get(world))["list"]
    assert shown == {
        "id": made["id"],
        "deviceClientId": "a889-ffea-910",
        "verificationCode": None,
        "expires": made["expires"],
        "types": None,
    }
    assert await update(world, made["id"], verificationCode=subscription.code) is None
    (shown,) = (await get(world))["list"]
    assert shown["verificationCode"] == subscription.code
    assert await update(world, made["id"], expires="2999-08-13T00:00:00Z") == {
        "expires": iso(Instant(world.service.clock() + LASTS_MS))
    }
    answer = await set_(world, destroy=[made["id"]])
    assert answer["destroyed"] == [made["id"]]
    assert (await get(world, ids=[made["id"]])) == {"list": [], "notFound": [made["id"]]}


async def test_over_http_it_has_no_account_and_no_state(world: JmapWorld) -> None:
    answers = await world.api(
        ["PushSubscription/set", {"create": {"k": NEW}}, "0"],
        ["PushSubscription/get", {"ids": ["#k"]}, "1"],
        ["PushSubscription/get", {"accountId": "a"}, "2"],
        ["PushSubscription/set", {"ifInState": "0"}, "3"],
        using=(CORE,),
    )
    (_, made, _), (_, found, _), *refused = answers
    assert made.keys() == {"created", "updated", "destroyed", "notCreated", "notUpdated", "notDestroyed"}
    assert found.keys() == {"list", "notFound"}
    assert found["list"][0]["id"] == made["created"]["k"]["id"]
    assert [(name, each["type"]) for name, each, _ in refused] == [("error", "invalidArguments")] * 2


@pytest.mark.parametrize("name", ["url", "keys"])
async def test_what_is_private_is_told_to_nobody(world: JmapWorld, name: str) -> None:
    await create(world, keys=KEYS)
    with pytest.raises(MethodFault) as fault:
        await get(world, properties=["id", name])
    assert fault.value.type == "forbidden"
    (shown,) = (await get(world, properties=["types"]))["list"]
    assert shown.keys() == {"id", "types"}


async def test_unknown_properties_are_refused(world: JmapWorld) -> None:
    with pytest.raises(MethodFault) as fault:
        await get(world, properties=["id", "colour"])
    assert fault.value.type == "invalidArguments"


@pytest.mark.parametrize(
    ("given", "properties"),
    [
        ({"url": "http://example.com/push"}, ["url"]),
        ({"url": "https://10.0.0.1/"}, ["url"]),
        ({"url": "https://[::ffff:10.0.0.1]/"}, ["url"]),
        ({"url": "https://2130706433/"}, ["url"]),
        ({"url": "https://user@example.com/"}, ["url"]),
        ({"url": "mailto:x@example.com"}, ["url"]),
        ({"url": 7}, ["url"]),
        ({"url": None}, ["url"]),
        ({"deviceClientId": None}, ["deviceClientId"]),
        ({"deviceClientId": ""}, ["deviceClientId"]),
        ({"deviceClientId": "x" * 256}, ["deviceClientId"]),
        ({"keys": {}}, ["keys"]),
        ({"keys": {**KEYS, "x": "y"}}, ["keys"]),
        ({"keys": {**KEYS, "auth": "AAAA"}}, ["keys"]),
        ({"keys": {**KEYS, "auth": KEYS["auth"] + "!"}}, ["keys"]),
        ({"keys": {**KEYS, "p256dh": base64.urlsafe_b64encode(b"\4" + bytes(64)).decode()}}, ["keys"]),
        ({"keys": [1]}, ["keys"]),
        ({"verificationCode": "x"}, ["verificationCode"]),
        ({"verificationCode": 1}, ["verificationCode"]),
        ({"expires": "2018-07-06T02:14:29Z"}, ["expires"]),
        ({"expires": "2999-07-06T02:14:29+01:00"}, ["expires"]),
        ({"expires": 7}, ["expires"]),
        ({"types": "Email"}, ["types"]),
        ({"types": [7]}, ["types"]),
        ({"types": [""]}, ["types"]),
        ({"types": ["Email"] * 65}, ["types"]),
        ({"id": "x"}, ["id"]),
        ({"colour": "x", "accountId": "y"}, ["accountId", "colour"]),
    ],
)
async def test_what_none_can_be(world: JmapWorld, given: dict[str, Any], properties: list[str]) -> None:
    fault = await not_created(world, {**NEW, **given})
    assert fault["type"] == "invalidProperties"
    assert fault["properties"] == properties
    assert not await stored(world)


@pytest.mark.parametrize("url", ["http://127.0.0.1:4711/x", "http://localhost:4711/", "https://127.0.0.1/"])
async def test_what_the_spec_allows_is_pushed_to(world: JmapWorld, url: str) -> None:
    await create(world, url=url)
    (subscription,) = await stored(world)
    assert subscription.url == url


async def test_a_sandbox_pushes_to_its_own_machine_alone(world: JmapWorld) -> None:
    targets = WebTargets(also=world.service.push_targets.also, has_internet=False, own=frozenset(), is_own=bool)
    service = replace(world.service, push_targets=targets)
    sandbox = replace(world, service=service)
    await create(sandbox, url="http://127.0.0.1:4711/")
    assert (await not_created(sandbox, {**NEW, "url": "https://8.8.8.8/"}))["properties"] == ["url"]


async def test_keys_are_kept_with_or_without_padding(world: JmapWorld) -> None:
    assert "keys" not in await create(world, keys=KEYS)
    await create(world, keys={name: text + "=" * (-len(text) % 4) for name, text in KEYS.items()})
    first, second = await stored(world)
    assert first.keys is not None
    assert first.keys == second.keys


async def test_it_ends_when_its_client_says_and_not_too_far_away(world: JmapWorld) -> None:
    soon = iso(Instant(world.service.clock() + DAY_MS))
    assert "expires" not in await create(world, expires=soon)
    assert (await create(world, expires="2999-01-01T00:00:00Z"))["expires"] < "2999"
    assert (await create(world, expires=None))["expires"]
    first, *_ = await stored(world)
    assert await update(world, first.push_id, expires=iso(Instant(world.service.clock() + HOUR_MS))) is None
    assert await update(world, first.push_id, expires="2000-01-01T00:00:00Z") == ("invalidProperties", ["expires"])


async def test_types_are_changed_and_told_as_they_were_given(world: JmapWorld) -> None:
    made = await create(world, types=["Todo", "Email"])
    (shown,) = (await get(world))["list"]
    assert shown["types"] == ["Todo", "Email"]
    assert await update(world, made["id"], types=["Mailbox"]) is None
    assert (await get(world))["list"][0]["types"] == ["Mailbox"]
    assert await update(world, made["id"], types=None) is None
    assert (await get(world))["list"][0]["types"] is None


@pytest.mark.parametrize("code", ["", "x", "ä", None, 7])
async def test_a_wrong_code_proves_nothing(world: JmapWorld, code: object) -> None:
    made = await create(world)
    expected = None if code is None else ("invalidProperties", ["verificationCode"])
    assert await update(world, made["id"], verificationCode=code) == expected
    (subscription,) = await stored(world)
    assert subscription.stage is PushStage.NEW
    assert await update(world, made["id"], verificationCode=subscription.code) is None
    if code is None:  # what was proved stays so
        assert await update(world, made["id"], verificationCode=None) == ("invalidProperties", ["verificationCode"])
    assert await update(world, made["id"], verificationCode=subscription.code) is None
    (subscription,) = await stored(world)
    assert subscription.stage is PushStage.VERIFIED


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        ({"url": "https://elsewhere.example/"}, ("invalidProperties", ["url"])),
        ({"url": None}, ("invalidProperties", ["url"])),
        ({"keys": None}, ("invalidProperties", ["keys"])),
        ({"keys/auth": "BTBZMqHH6r4Tts7J_aSIgw"}, ("invalidProperties", ["keys"])),
        ({"deviceClientId": "x"}, ("invalidProperties", ["deviceClientId"])),
        ({"id": "x"}, ("invalidProperties", ["id"])),
        ({"colour": "x"}, ("invalidProperties", ["colour"])),
        ({"types/0": "x"}, ("invalidPatch", None)),
        ({"url": URL, "keys": KEYS, "deviceClientId": "a889-ffea-910"}, None),
        ({}, None),
    ],
)
async def test_what_is_set_once_stays(world: JmapWorld, patch: dict[str, Any], expected: object) -> None:
    made = await create(world, keys=KEYS)
    before = await stored(world)
    assert await update(world, made["id"], **patch) == expected
    assert await stored(world) == before


async def test_each_login_has_its_own(world: JmapWorld) -> None:
    made = await create(world)
    assert (await get(world, "u1", ids=[made["id"]]))["notFound"] == [made["id"]]
    assert await update(world, made["id"], "u1", types=[]) == ("notFound", None)
    answer = await set_(world, "u1", destroy=[made["id"]])
    assert answer["notDestroyed"] == {made["id"]: {"type": "notFound", "description": "There is no such thing"}}
    (subscription,) = await stored(world)
    assert subscription.push_id == made["id"]


async def test_with_another_password_the_old_ones_are_not_there(world: JmapWorld) -> None:
    made = await create(world)
    call = await world.call()
    other = replace(call, login=replace(call.login, password_hash="$argon2id$other"))
    found = await push_subscription_get.METHOD.run(other, Arguments({"ids": [made["id"]]}))
    assert found["notFound"] == [made["id"]]


async def test_what_goes_in_the_same_call_is_not_changed(world: JmapWorld) -> None:
    made = await create(world)
    answer = await set_(world, update={made["id"]: {"types": []}}, destroy=[made["id"]])
    assert answer["notUpdated"][made["id"]]["type"] == "willDestroy"
    assert answer["destroyed"] == [made["id"]]


async def test_there_are_not_too_many(world: JmapWorld) -> None:
    (first,) = [await create(world)]
    (subscription,) = await stored(world)
    for number in range(MOST_OF_ACCOUNT - 1):
        another = replace(subscription, push_id=PushId(f"{number:016}"))
        await world.imap.store.push_subscriptions.add(another, now=world.service.clock(), at_most=MOST_OF_ACCOUNT)
    assert (await not_created(world, NEW))["type"] == "overQuota"
    await set_(world, destroy=[first["id"]])
    await create(world)


async def test_none_are_made_too_often(world: JmapWorld) -> None:
    slow = replace(world, service=replace(world.service, push_rate=PushRate(world.service.clock, most=2)))
    for _ in range(2):
        made = await create(slow)
        await set_(slow, destroy=[made["id"]])
    assert (await not_created(slow, NEW))["type"] == "rateLimit"
    await create(slow, "u1")
