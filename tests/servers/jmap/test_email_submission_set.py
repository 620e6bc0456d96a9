"""EmailSubmission/set on a real store: emails go into the queue, wait there, and are taken back. RFC 8621 §7.5."""

import dataclasses
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from mailstack.model.delivery import Delivered, Failed, Outcome, QueueItem, Settlement, SmtpReply
from mailstack.model.ids import SubmissionId
from mailstack.model.instant import HOUR_MS, Instant, iso
from mailstack.model.mailbox import MailboxRole
from mailstack.model.objectid import mailbox_object_id
from mailstack.model.principal import Ability
from mailstack.model.sending_identity import given_identity_id
from mailstack.model.sending_limits import SendingLimits
from mailstack.servers.jmap.dispatch import responses_to
from mailstack.servers.jmap.submission_making import LOOKED_AT
from mailstack.services.mailbox.append import Arrival
from mailstack.services.mailbox.emails import create
from mailstack.wire.jmap.request import Invocation
from mailstack.wire.jmap.session import MAIL, SUBMISSION
from tests.support.jmap_world import JmapWorld
from tests.support.quota import quota
from tests.support.stores import mailbox_with

LETTER = (
    b"From: Me <u0@peer.test>\r\nTo: You <u1@peer.test>\r\nCc: friend@elsewhere.test\r\n"
    b"Bcc: secret@elsewhere.test, u1@peer.test\r\nSubject: hi\r\n\r\nbody\r\n"
)


@dataclasses.dataclass
class Sender:
    world: JmapWorld
    account_id: str
    mailboxes: dict[MailboxRole, str]
    identity_id: str = given_identity_id("u0@peer.test")
    using: frozenset[str] = frozenset({MAIL, SUBMISSION})

    async def calls(self, *calls: tuple[str, dict[str, Any]]) -> list[tuple[str, Any]]:
        call = await self.world.call(using=self.using)
        invocations = [
            Invocation(name=name, arguments={"accountId": self.account_id, **arguments}, call_id=str(at))
            for at, (name, arguments) in enumerate(calls)
        ]
        found = await responses_to(invocations, call)
        return [(name, orjson.loads(orjson.dumps(arguments))) for name, arguments, _ in found]

    async def ask(self, name: str, **arguments: Any) -> Any:
        ((_, found),) = await self.calls((name, arguments))
        return found

    async def stored(self, raw: bytes = LETTER) -> str:
        mail = self.world.service.mail_of(await self.world.account())
        role = MailboxRole.DRAFTS
        mailbox_id = await mailbox_with(self.world.imap.store, mail.account_id, role)
        made = await create(mail, {mailbox_id}, Arrival(raw=raw, flags=("\\Draft",), received_at=Instant(1_000)))
        return f"M{mail.account_id}-{made.message_id}"

    def given(self, email_id: str, **more: Any) -> dict[str, Any]:
        return {"identityId": self.identity_id, "emailId": email_id, **more}

    async def send(self, raw: bytes = LETTER, **more: Any) -> Any:
        """What was created, or why not."""
        email_id = await self.stored(raw)
        found = await self.ask("EmailSubmission/set", create={"k": self.given(email_id, **more)})
        return (found["created"] or found["notCreated"])["k"]

    async def get(self, submission_id: str) -> Any:
        (found,) = (await self.ask("EmailSubmission/get", ids=[submission_id]))["list"]
        return found

    async def cancel(self, submission_id: str, to: object = "canceled") -> Any:
        return await self.ask("EmailSubmission/set", update={submission_id: {"undoStatus": to}})

    async def queued(self) -> list[QueueItem]:
        return list(await self.world.imap.store.queue.items())

    async def lease(self) -> list[QueueItem]:
        now = self.world.service.clock()
        return list(await self.world.imap.store.queue.lease("me", now=now, until=now, quota=quota(10)))


def envelope(*recipients: str, mail_from: str = "u0@peer.test", **parameters: str | None) -> dict[str, Any]:
    return {
        "mailFrom": {"email": mail_from, "parameters": parameters or None},
        "rcptTo": [{"email": each, "parameters": None} for each in recipients],
    }


@pytest.fixture
async def sender(world: JmapWorld) -> Sender:
    account_id = (await world.account()).account_id
    mailboxes = {
        role: mailbox_object_id(account_id, await mailbox_with(world.imap.store, account_id, role))
        for role in (MailboxRole.DRAFTS, MailboxRole.SENT)
    }
    return Sender(world, account_id, mailboxes)


async def test_an_email_goes_to_whom_its_header_says_without_its_bcc(sender: Sender) -> None:
    made = await sender.send()
    assert made["undoStatus"] == "final"
    assert made["envelope"] == {
        "mailFrom": {"email": "u0@peer.test", "parameters": None},
        "rcptTo": [
            {"email": email, "parameters": None}
            for email in ("u1@peer.test", "friend@elsewhere.test", "secret@elsewhere.test")
        ],
    }
    items = await sender.queued()
    assert {item.recipient for item in items} == {"u1@peer.test", "friend@elsewhere.test", "secret@elsewhere.test"}
    assert {(item.reverse_path, item.trace_id) for item in items} == {("u0@peer.test", made["id"])}
    raw = await sender.world.imap.store.queue.content(items[0].mail_id)
    assert b"secret@" not in raw
    assert raw.startswith(b"Received: by mail.peer.test with JMAP id " + made["id"].encode())
    assert b"\r\nMessage-ID: <" in raw


async def test_what_was_created_is_what_get_has(sender: Sender) -> None:
    email_id = await sender.stored()
    answer = await sender.ask("EmailSubmission/set", create={"k": sender.given(email_id)})
    made = answer["created"]["k"]
    (email,) = (await sender.ask("Email/get", ids=[email_id], properties=["threadId"]))["list"]
    found = await sender.ask("EmailSubmission/get", ids=None)
    assert found["list"] == [{**made, **sender.given(email_id)}]
    assert (found["state"], made["threadId"]) == (answer["newState"], email["threadId"])
    assert made["deliveryStatus"]["friend@elsewhere.test"] == {
        "smtpReply": "250 2.1.5 queued",
        "delivered": "queued",
        "displayed": "unknown",
    }
    assert (made["dsnBlobIds"], made["mdnBlobIds"]) == ([], [])


async def test_drafts_are_made_sent_and_moved_in_one_request(sender: Sender) -> None:
    drafts, sent = sender.mailboxes[MailboxRole.DRAFTS], sender.mailboxes[MailboxRole.SENT]
    draft = {
        "mailboxIds": {drafts: True},
        "keywords": {"$draft": True, "$seen": True},
        "from": [{"email": "u0@peer.test"}],
        "to": [{"email": "u1@peer.test"}],
        "subject": "hi",
        "bodyStructure": {"partId": "1", "type": "text/plain"},
        "bodyValues": {"1": {"value": "body"}},
    }
    set_, submitted, followed = await sender.calls(
        ("Email/set", {"create": {"d": draft}}),
        (
            "EmailSubmission/set",
            {
                "create": {"s": sender.given("#d")},
                "onSuccessUpdateEmail": {
                    "#s": {f"mailboxIds/{drafts}": None, f"mailboxIds/{sent}": True, "keywords/$draft": None}
                },
            },
        ),
    )
    email_id = set_[1]["created"]["d"]["id"]
    assert submitted[1]["created"]["s"]["id"].startswith("S")
    assert (followed[0], followed[1]["updated"]) == ("Email/set", {email_id: None})
    (email,) = (await sender.ask("Email/get", ids=[email_id], properties=["mailboxIds", "keywords"]))["list"]
    assert (email["mailboxIds"], email["keywords"]) == ({sent: True}, {"$seen": True})
    assert [item.recipient for item in await sender.queued()] == ["u1@peer.test"]


async def test_what_fails_is_followed_by_nothing(sender: Sender) -> None:
    email_id = await sender.stored(b"From: u0@peer.test\r\n\r\nbody\r\n")
    arguments = {"create": {"s": sender.given(email_id)}, "onSuccessDestroyEmail": ["#s"]}
    ((_, answer),) = await sender.calls(("EmailSubmission/set", arguments))
    assert answer["notCreated"]["s"]["type"] == "noRecipients"


async def test_what_is_destroyed_can_take_its_email_along(sender: Sender) -> None:
    made = await sender.send()
    answer, followed = await sender.calls(
        ("EmailSubmission/set", {"destroy": [made["id"], "Snone"], "onSuccessDestroyEmail": [made["id"], "Snone"]})
    )
    assert answer[1]["destroyed"] == [made["id"]]
    assert answer[1]["notDestroyed"] == {"Snone": {"type": "notFound"}}
    assert len(followed[1]["destroyed"]) == 1
    assert len(await sender.queued()) == 3


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ({"envelope": envelope()}, {"type": "noRecipients"}),
        (
            {"envelope": envelope(*(f"x{at}@elsewhere.test" for at in range(4)))},
            {"type": "tooManyRecipients", "maxRecipients": 3},
        ),
        (
            {"envelope": envelope(*(f"x{at}" for at in range(LOOKED_AT + 1)))},
            {"type": "tooManyRecipients", "maxRecipients": 3},
        ),
        (
            {"envelope": envelope("nobody@peer.test", "x@elsewhere.test", "nowhere", "a@b@c..d")},
            {"type": "invalidRecipients", "invalidRecipients": ["nowhere", "a@b@c..d"]},
        ),
        (
            {"envelope": envelope("nobody@peer.test", "x@elsewhere.test")},
            {"type": "invalidRecipients", "invalidRecipients": ["nobody@peer.test"]},
        ),
        ({"envelope": envelope("x@elsewhere.test", mail_from="u1@peer.test")}, {"type": "forbiddenMailFrom"}),
        ({"identityId": "Inone"}, {"type": "invalidProperties", "properties": ["identityId"]}),
        ({"emailId": "Mnone"}, {"type": "invalidProperties", "properties": ["emailId"]}),
        ({"sendAt": "2030-01-01T00:00:00Z"}, {"type": "invalidProperties", "properties": ["sendAt"]}),
        ({"envelope": 7}, {"type": "invalidProperties", "properties": ["envelope"]}),
        ({"envelope": {"mailFrom": None, "rcptTo": []}}, {"type": "invalidProperties", "properties": ["envelope"]}),
        ({"envelope": envelope("x@y.test", FROB="1")}, {"type": "invalidProperties", "properties": ["envelope"]}),
        ({"envelope": envelope("x@y.test", HOLDFOR="-1")}, {"type": "invalidProperties", "properties": ["envelope"]}),
        ({"envelope": envelope("x@y.test", RET="BODY")}, {"type": "invalidProperties", "properties": ["envelope"]}),
        (
            {"envelope": envelope("x@y.test", REQUIRETLS="1")},
            {"type": "invalidProperties", "properties": ["envelope"]},
        ),
    ],
)
async def test_what_is_refused_says_why(sender: Sender, more: dict[str, Any], fault: dict[str, Any]) -> None:
    found = await sender.send(**more)
    assert {name: value for name, value in found.items() if name != "description"} == fault
    assert await sender.queued() == []


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        (b"From: u1@peer.test\r\nTo: x@y.test\r\n\r\nbody\r\n", {"type": "forbiddenFrom"}),
        (b"From: u0@peer.test\r\nSender: u1@peer.test\r\nTo: x@y.test\r\n\r\n", {"type": "forbiddenFrom"}),
        (b"To: x@y.test\r\n\r\nbody\r\n", {"type": "invalidEmail", "properties": ["from"]}),
        (
            b"From: u0@peer.test, u1@peer.test\r\nTo: x@y.test\r\n\r\n",
            {"type": "invalidEmail", "properties": ["from"]},
        ),
        (
            b"From: u0@peer.test\r\nno field\r\nTo: x@y.test\r\n\r\nbody\r\n",
            {"type": "invalidEmail", "properties": ["headers"]},
        ),
        (b"From: u0@peer.test\r\nTo: you\r\n\r\n", {"type": "invalidRecipients", "invalidRecipients": ["you@"]}),
    ],
)
async def test_an_email_that_can_not_be_sent_is_named(sender: Sender, raw: bytes, fault: dict[str, Any]) -> None:
    found = await sender.send(raw)
    assert {name: value for name, value in found.items() if name != "description"} == fault
    assert await sender.queued() == []


@pytest.mark.parametrize(
    ("change", "type_"),
    [
        (lambda account: dataclasses.replace(account, abilities=frozenset({Ability.RECEIVE})), "forbiddenToSend"),
        (
            lambda account: dataclasses.replace(account, limits=SendingLimits(recipients_per_hour=1)),
            "forbiddenToSend",
        ),
    ],
    ids=["without the ability", "beyond a limit"],
)
async def test_who_may_not_send_is_told(sender: Sender, change: Callable[[Any], Any], type_: str) -> None:
    email_id = await sender.stored()
    call = await sender.world.call(using=sender.using)
    call = dataclasses.replace(call, login=change(call.login))
    given = {"accountId": sender.account_id, "create": {"k": sender.given(email_id)}}
    ((_, found, _),) = await responses_to([Invocation(name="EmailSubmission/set", arguments=given, call_id="0")], call)
    assert found["notCreated"]["k"]["type"] == type_
    assert await sender.queued() == []


async def test_an_email_larger_than_is_taken_is_refused(sender: Sender) -> None:
    email_id = await sender.stored()
    call = await sender.world.call(using=sender.using)
    limits = dataclasses.replace(call.service.limits, message_octets=10)
    call = dataclasses.replace(call, service=dataclasses.replace(call.service, limits=limits))
    given = {"accountId": sender.account_id, "create": {"k": sender.given(email_id)}}
    ((_, found, _),) = await responses_to([Invocation(name="EmailSubmission/set", arguments=given, call_id="0")], call)
    assert found["notCreated"]["k"] == {"type": "tooLarge", "maxSize": 10}


async def test_nobody_sends_as_another_account(sender: Sender) -> None:
    other = (await sender.world.account("u1")).account_id
    ((name, found),) = await sender.calls(("EmailSubmission/set", {"accountId": other}))
    assert (name, found["type"]) == ("error", "accountNotFound")


async def test_parameters_of_the_envelope_are_read_as_smtp_has_them(sender: Sender) -> None:
    wanted = envelope("x@elsewhere.test", RET="hdrs", envid="a b+c", requiretls=None)
    wanted["rcptTo"][0]["parameters"] = {"notify": "DELAY,SUCCESS", "ORCPT": "rfc822;y+z@elsewhere.test"}
    made = await sender.send(envelope=wanted)
    (item,) = await sender.queued()
    assert (item.handling.returned, item.handling.envelope_id, item.handling.requires_tls) == (
        "HDRS",
        "a+20b+2Bc",
        True,
    )
    assert sorted(item.notification.notify_on or ()) == ["DELAY", "SUCCESS"]
    assert item.notification.original_recipient == "rfc822;y+2Bz@elsewhere.test"
    assert "envelope" not in made
    found = (await sender.get(made["id"]))["envelope"]
    assert found["mailFrom"]["parameters"] == {"RET": "hdrs", "ENVID": "a b+c", "REQUIRETLS": None}


async def test_the_identity_s_address_stands_in_for_a_sender_that_it_has_not(sender: Sender) -> None:
    made = await sender.send(b"From: u0+detail@peer.test\r\nTo: x@elsewhere.test\r\n\r\n")
    same = await sender.send(b"From: u0@PEER.test\r\nTo: x@elsewhere.test\r\n\r\n")
    assert same["envelope"]["mailFrom"]["email"] == "u0@peer.test"
    assert made["envelope"]["mailFrom"]["email"] == "u0@peer.test"


async def test_a_held_email_waits_and_is_taken_back(sender: Sender) -> None:
    release_at = Instant((sender.world.service.clock() + HOUR_MS) // 1_000 * 1_000)
    made = await sender.send(envelope=envelope("x@elsewhere.test", HOLDUNTIL=iso(release_at)))
    assert (made["undoStatus"], made["sendAt"]) == ("pending", iso(release_at))
    assert [item.next_at for item in await sender.queued()] == [release_at]
    assert await sender.lease() == []
    before = (await sender.ask("EmailSubmission/get", ids=[]))["state"]
    answer = await sender.cancel(made["id"])
    assert (answer["updated"], answer["oldState"]) == ({made["id"]: None}, before)
    assert await sender.queued() == []
    found = await sender.get(made["id"])
    assert (found["undoStatus"], found["deliveryStatus"]) == ("canceled", None)
    changes = await sender.ask("EmailSubmission/changes", sinceState=before)
    assert (changes["updated"], changes["newState"]) == ([made["id"]], answer["newState"])
    # Once more changes nothing.
    assert (await sender.cancel(made["id"]))["newState"] == answer["newState"]
    assert (await sender.cancel(made["id"], "pending"))["notUpdated"][made["id"]]["type"] == "invalidProperties"


async def test_what_goes_at_once_is_not_taken_back(sender: Sender) -> None:
    made = await sender.send(envelope=envelope("x@elsewhere.test", HOLDFOR="0"))
    assert made["undoStatus"] == "final"
    assert (await sender.cancel(made["id"]))["notUpdated"][made["id"]]["type"] == "cannotUnsend"
    assert len(await sender.queued()) == 1


@pytest.mark.parametrize(
    ("patch", "type_"),
    [
        ({"identityId": "Inone"}, "invalidProperties"),
        ({"undoStatus": "gone"}, "invalidProperties"),
        ({"undoStatus": None}, "invalidProperties"),
        ({"frob/x": 1}, "invalidPatch"),
        ({"frob": 1}, "invalidProperties"),
    ],
)
async def test_nothing_but_the_undo_status_changes(sender: Sender, patch: dict[str, Any], type_: str) -> None:
    made = await sender.send()
    answer = await sender.ask("EmailSubmission/set", update={made["id"]: patch, "Snone": patch})
    assert answer["notUpdated"][made["id"]]["type"] == type_
    assert answer["notUpdated"]["Snone"]["type"] == "notFound"


async def test_what_is_to_be_destroyed_is_not_changed(sender: Sender) -> None:
    made = await sender.send()
    patch = {"undoStatus": "canceled"}
    answer = await sender.ask("EmailSubmission/set", update={made["id"]: patch}, destroy=[made["id"]])
    assert (answer["notUpdated"][made["id"]]["type"], answer["destroyed"]) == ("willDestroy", [made["id"]])


async def test_a_call_that_names_an_older_state_does_nothing(sender: Sender) -> None:
    state = (await sender.ask("EmailSubmission/get", ids=[]))["state"]
    await sender.send()
    email_id = await sender.stored()
    found = await sender.ask("EmailSubmission/set", ifInState=state, create={"k": sender.given(email_id)})
    assert found["type"] == "stateMismatch"
    state = (await sender.ask("EmailSubmission/get", ids=[]))["state"]
    creates = {key: sender.given(email_id) for key in ("a", "b")}
    found = await sender.ask("EmailSubmission/set", ifInState=state, create=creates)
    assert sorted(found["created"]) == ["a", "b"]


async def test_what_becomes_of_each_recipient_is_told(sender: Sender) -> None:
    made = await sender.send()
    before = (await sender.ask("EmailSubmission/get", ids=[]))["state"]
    outcomes: dict[str, Outcome] = {
        "u1@peer.test": Delivered(reply=SmtpReply(code=250, status="2.1.5", text="stored"), host="us", is_final=True),
        "friend@elsewhere.test": Delivered(reply=SmtpReply(code=250, status="2.0.0", text="taken"), host="mx"),
        "secret@elsewhere.test": Failed(reply=SmtpReply(code=550, status="5.1.1", text="no such"), host="mx"),
    }
    settlements = [Settlement(item_id=item.item_id, outcome=outcomes[item.recipient]) for item in await sender.lease()]
    await sender.world.imap.store.queue.settle("me", settlements)
    found = await sender.get(made["id"])
    assert {email: (each["delivered"], each["smtpReply"]) for email, each in found["deliveryStatus"].items()} == {
        "u1@peer.test": ("yes", "250 2.1.5 stored"),
        "friend@elsewhere.test": ("unknown", "250 2.0.0 taken"),
        "secret@elsewhere.test": ("no", "550 5.1.1 no such"),
    }
    assert (await sender.ask("EmailSubmission/changes", sinceState=before))["updated"] == [made["id"]]


async def test_two_addresses_of_one_account_bring_it_one_copy(sender: Sender) -> None:
    made = await sender.send(envelope=envelope("u1+a@peer.test", "u1@peer.test"))
    assert [item.recipient for item in await sender.queued()] == ["u1+a@peer.test"]
    (item,) = await sender.lease()
    stored = Delivered(reply=SmtpReply(code=250, status="2.1.5", text="stored"), host="us", is_final=True)
    await sender.world.imap.store.queue.settle("me", [Settlement(item_id=item.item_id, outcome=stored)])
    status = (await sender.get(made["id"]))["deliveryStatus"]
    assert {email: each["delivered"] for email, each in status.items()} == {
        "u1+a@peer.test": "yes",
        "u1@peer.test": "yes",
    }


async def test_queries_filter_sort_and_tell_what_changed(sender: Sender) -> None:
    later = await sender.send(envelope=envelope("x@elsewhere.test", HOLDFOR="7200"))
    soon = await sender.send(envelope=envelope("x@elsewhere.test", HOLDFOR="3600"))
    now = await sender.send()

    async def ids(**arguments: Any) -> list[str]:
        found: list[str] = (await sender.ask("EmailSubmission/query", **arguments))["ids"]
        return found

    assert await ids() == [now["id"], soon["id"], later["id"]]
    assert await ids(sort=[{"property": "sentAt", "isAscending": False}]) == [later["id"], soon["id"], now["id"]]
    assert await ids(sort=[{"property": "emailId"}]) == [later["id"], soon["id"], now["id"]]
    assert await ids(filter={"undoStatus": "pending"}) == [soon["id"], later["id"]]
    assert await ids(filter={"before": soon["sendAt"]}) == [now["id"]]
    assert await ids(filter={"after": later["sendAt"]}) == [later["id"]]
    assert await ids(filter={"identityIds": ["Inone"]}) == []
    assert await ids(filter={"operator": "NOT", "conditions": [{"threadIds": [now["threadId"]]}]}) == [
        soon["id"],
        later["id"],
    ]
    email_id = (await sender.get(soon["id"]))["emailId"]
    assert await ids(filter={"emailIds": [email_id]}) == [soon["id"]]
    pending = {"filter": {"undoStatus": "pending"}}
    before = await sender.ask("EmailSubmission/query", **pending, calculateTotal=True)
    assert (before["total"], before["canCalculateChanges"]) == (2, True)
    await sender.cancel(soon["id"])
    added = await sender.send(envelope=envelope("x@elsewhere.test", HOLDFOR="5400"))
    arguments = {**pending, "sinceQueryState": before["queryState"]}
    found = await sender.ask("EmailSubmission/queryChanges", **arguments, calculateTotal=True)
    assert (found["removed"], found["added"]) == ([soon["id"]], [{"id": added["id"], "index": 0}])
    assert found["total"] == 2
    assert (await sender.ask("EmailSubmission/queryChanges", **arguments, maxChanges=1))["type"] == "tooManyChanges"
    assert (await sender.ask("EmailSubmission/queryChanges", sinceQueryState="999"))["type"] == "cannotCalculateChanges"


@pytest.mark.parametrize(
    ("arguments", "type_"),
    [
        ({"filter": {"frob": 1}}, "unsupportedFilter"),
        ({"filter": {"emailIds": "M1"}}, "invalidArguments"),
        ({"filter": {"before": "today"}}, "invalidArguments"),
        ({"sort": [{"property": "frob"}]}, "unsupportedSort"),
        ({"frob": 1}, "invalidArguments"),
    ],
)
async def test_queries_that_are_none_are_refused(sender: Sender, arguments: dict[str, Any], type_: str) -> None:
    assert (await sender.ask("EmailSubmission/query", **arguments))["type"] == type_


async def test_one_of_another_account_is_not_there(sender: Sender) -> None:
    made = await sender.send()
    call = await sender.world.call("u1", using=sender.using)
    given = {"accountId": call.login.account_id, "ids": [made["id"]]}
    ((_, found, _),) = await responses_to([Invocation(name="EmailSubmission/get", arguments=given, call_id="0")], call)
    assert (found["list"], found["notFound"]) == ([], [made["id"]])
    assert not await sender.world.imap.store.email_submissions.get(call.login.account_id, [SubmissionId(made["id"])])
