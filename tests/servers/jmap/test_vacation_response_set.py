"""VacationResponse/get and /set."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from mailstack.model.ids import AccountId
from mailstack.model.mailbox import MailboxRole
from mailstack.model.vacation import Vacation
from mailstack.ports.vacations import Vacations
from mailstack.servers.jmap.vacation_response_get import METHOD as GET
from mailstack.servers.jmap.vacation_response_set import METHOD as SET
from mailstack.services.vacations import AccountVacations
from mailstack.wire.jmap.session import VACATION_RESPONSE
from tests.support.jmap_calls import ask, fault_of, share
from tests.support.jmap_world import JmapWorld
from tests.support.stores import mailbox_with

UNSAID = {
    "id": "singleton",
    "isEnabled": False,
    "fromDate": None,
    "toDate": None,
    "subject": None,
    "textBody": None,
    "htmlBody": None,
}
SAID = {
    "id": "singleton",
    "isEnabled": True,
    "fromDate": "2026-07-01T00:00:00Z",
    "toDate": "0999-12-31T23:59:59Z",
    "subject": "Away: Grüße",
    "textBody": 'Back "soon" \\o/\r\n.\nBye\n',
    "htmlBody": "<p>Back &quot;soon&quot;</p>",
}


async def said(world: JmapWorld, who: str = "u0") -> dict[str, Any]:
    (found,) = (await ask(world, GET, who))["list"]
    return dict(found)


async def update(world: JmapWorld, patch: dict[str, Any], **arguments: Any) -> Any:
    return await ask(world, SET, update={"singleton": patch}, **arguments)


async def test_there_is_one_from_the_first(world: JmapWorld) -> None:
    account_id = (await world.account()).account_id
    assert await ask(world, GET) == {"accountId": account_id, "state": "0", "list": [UNSAID], "notFound": []}


@pytest.mark.parametrize(
    ("ids", "found", "missing"),
    [(["singleton"], 1, []), (["other"], 0, ["other"]), (["x", "singleton", "x"], 1, ["x"]), ([], 0, [])],
)
async def test_by_id(world: JmapWorld, ids: list[str], found: int, missing: list[str]) -> None:
    answer = await ask(world, GET, ids=ids)
    assert (len(answer["list"]), answer["notFound"]) == (found, missing)


async def test_some_properties(world: JmapWorld) -> None:
    found = (await ask(world, GET, properties=["subject"]))["list"]
    assert found == [{"id": "singleton", "subject": None}]
    assert await fault_of(world, GET, properties=["reason"]) == "invalidArguments"


async def test_it_is_read_back_as_it_was_set(world: JmapWorld) -> None:
    answer = await update(world, SAID)
    assert answer == {
        "accountId": (await world.account()).account_id,
        "oldState": "0",
        "newState": "1",
        "created": None,
        "updated": {"singleton": None},
        "destroyed": None,
        "notCreated": None,
        "notUpdated": None,
        "notDestroyed": None,
    }
    assert await said(world) == SAID
    assert await said(world, "u1") == UNSAID

    await update(world, {"isEnabled": False, "subject": None, "toDate": None})
    assert await said(world) == {**SAID, "isEnabled": False, "subject": None, "toDate": None}
    assert (await ask(world, GET))["state"] == "2"


async def test_fractions_of_seconds_are_left_out_and_told_of(world: JmapWorld) -> None:
    answer = await update(world, {"fromDate": "2026-07-01T12:30:00.75Z"})
    assert answer["updated"] == {"singleton": {"fromDate": "2026-07-01T12:30:00Z"}}


@pytest.mark.parametrize(
    ("patch", "fault"),
    [
        ({"isEnabled": "yes"}, ("invalidProperties", ["isEnabled"])),
        ({"isEnabled": None}, ("invalidProperties", ["isEnabled"])),
        ({"fromDate": "2026-07-01T00:00:00+02:00"}, ("invalidProperties", ["fromDate"])),
        ({"toDate": "soon"}, ("invalidProperties", ["toDate"])),
        ({"toDate": 5}, ("invalidProperties", ["toDate"])),
        ({"subject": "two\r\nlines"}, ("invalidProperties", ["subject"])),
        ({"subject": ["a"]}, ("invalidProperties", ["subject"])),
        ({"textBody": "a\0b"}, ("invalidProperties", ["textBody"])),
        ({"htmlBody": {}}, ("invalidProperties", ["htmlBody"])),
        ({"id": "other"}, ("invalidProperties", ["id"])),
        ({"reason": "x"}, ("invalidProperties", ["reason"])),
        ({"subject/x": "x"}, ("invalidPatch", None)),
        ({"textBody": "x" * 65_536}, ("tooLarge", None)),
    ],
    ids=range(13),
)
async def test_what_is_refused(world: JmapWorld, patch: dict[str, Any], fault: tuple[str, list[str] | None]) -> None:
    answer = await update(world, {"isEnabled": True, **patch})
    found = answer["notUpdated"]["singleton"]
    assert (found["type"], found.get("properties")) == fault
    assert answer["updated"] is None
    assert answer["oldState"] == answer["newState"] == "0"
    assert await said(world) == UNSAID


async def test_there_is_one_and_it_stays(world: JmapWorld) -> None:
    answer = await ask(world, SET, create={"k": {"isEnabled": True}}, destroy=["singleton", "other"], update={"x": {}})
    assert answer["notCreated"]["k"]["type"] == "singleton"
    assert {key: fault["type"] for key, fault in answer["notDestroyed"].items()} == {
        "singleton": "singleton",
        "other": "notFound",
    }
    assert answer["notUpdated"]["x"]["type"] == "notFound"


async def test_it_is_set_in_the_state_that_is_named(world: JmapWorld) -> None:
    for state, fault in (("1", "stateMismatch"), ("x", "stateMismatch"), ("0", ""), ("0", "stateMismatch"), ("1", "")):
        assert await fault_of(world, SET, ifInState=state, update={"singleton": {"subject": state}}) == fault


@dataclass(frozen=True)
class _Late:
    """Works as ports.vacations.Vacations: somebody else writes whenever it has been read."""

    kept: Vacations

    async def read(self, account_id: AccountId) -> Vacation:
        found = await self.kept.read(account_id)
        await self.kept.replace(account_id, found, Vacation(text="theirs"), script=None)
        return found

    async def replace(
        self,
        account_id: AccountId,
        before: Vacation,
        after: Vacation,
        *,
        script: bytes | None,
        if_number: int | None = None,
    ) -> None:
        await self.kept.replace(account_id, before, after, script=script, if_number=if_number)


@pytest.mark.parametrize("state", [None, "0"])
async def test_whoever_was_faster_is_not_overwritten(world: JmapWorld, state: str | None) -> None:
    store, account_id = world.imap.store, (await world.account()).account_id
    late = replace(world, service=replace(world.service, vacations=AccountVacations(_Late(store.vacations))))
    arguments: dict[str, Any] = {"update": {"singleton": {"subject": "ours"}}, "ifInState": state}
    if state is None:
        answer = await ask(late, SET, **arguments)
        assert answer["notUpdated"]["singleton"]["type"] == "serverUnavailable"
    else:
        assert await fault_of(late, SET, **arguments) == "stateMismatch"
    assert await store.vacations.read(account_id) == Vacation(text="theirs")


async def test_who_shares_mailboxes_does_not_share_it(world: JmapWorld) -> None:
    account_id = (await world.account()).account_id
    await share(world, await mailbox_with(world.imap.store, account_id, MailboxRole.INBOX), "lrswipkxtea")
    for method in (GET, SET):
        assert await fault_of(world, method, "u1", accountId=account_id) == "accountNotSupportedByMethod"
    other = (await world.account("u1")).account_id
    assert await fault_of(world, GET, accountId=other) == "accountNotFound"


async def test_it_is_not_there_for_who_does_not_use_it(world: JmapWorld) -> None:
    account_id = (await world.account()).account_id
    call = ["VacationResponse/get", {"accountId": account_id}, "0"]
    ((name, answer, _),) = await world.api(call)
    assert (name, answer["type"]) == ("error", "unknownMethod")
    ((name, answer, _),) = await world.api(call, using=[VACATION_RESPONSE])
    assert (name, answer["list"]) == ("VacationResponse/get", [UNSAID])


@pytest.mark.parametrize("arguments", [{"ids": "singleton"}, {"more": 1}, {"accountId": None}])
async def test_wrong_arguments(world: JmapWorld, arguments: dict[str, Any]) -> None:
    assert await fault_of(world, GET, **arguments) == "invalidArguments"


async def test_more_than_may_be_set_at_once(world: JmapWorld) -> None:
    many: dict[str, Any] = {f"k{number}": {} for number in range(world.service.limits.objects_in_set + 1)}
    assert await fault_of(world, SET, create=many) == "requestTooLarge"
