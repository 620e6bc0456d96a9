"""One event for each transaction, with the id that its replies carry; the form of each is held by tests/conftest.py."""

import re
import ssl
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
import structlog

from mailstack.model.conduct import BanRules, Offence
from mailstack.model.delivery import SmtpReply
from mailstack.model.errors import QuotaExceeded, TryAgainLater
from mailstack.model.log_events import MAX_TEXT
from mailstack.net.teller import TOLD
from mailstack.servers.smtp.errors import REJECTIONS, REPLIES
from mailstack.servers.smtp.replies import LOCAL_ERROR, MAX_REPLY_OCTETS, encode, with_trace
from mailstack.servers.smtp.service import SmtpRole
from mailstack.servers.smtp.transaction import TOLD as RECIPIENTS_TOLD
from tests.support.dialogue import Client
from tests.support.smtp_world import ALICE, PASSWORD, SmtpWorld, serving

TRACE = "6b86b273ff34fce1"
"""The first token of a world."""
GREETED = "S: 220 ...\nC: EHLO client.example\nS: 250-...\nS: 250 ..."
MAIL = "C: MAIL FROM:<x@y.example>\nS: 250 ..."
ALICE_TOO = "C: RCPT TO:<alice@example.com>\nS: 250 ..."
UNKNOWN = "C: RCPT TO:<no@example.com>\nS: 550 ..."
FILL = f"{MAIL}\nC: RCPT TO:<bob@example.com>\nS: 250 ...\nC: DATA\nS: 354 ...\nC: {'x' * 1_700}\nC: .\nS: 250 ..."
SIZED = "C: MAIL FROM:<x@y.example> SIZE=500\nS: 250 ..."
FULL = "C: RCPT TO:<bob@example.com>\nS: 452 ..."
MESSAGE = "C: DATA\nS: 354 ...\nC: From: Me <me@Y.example>\nC: Message-ID: <1@y.example>\nC:\nC: text\nC: ."

Event = Mapping[str, Any]


async def told(world: SmtpWorld, dialogue: str, role: SmtpRole = SmtpRole.MX) -> Event:
    """The last event of a connection that plays this after its greeting, and then ends."""
    with structlog.testing.capture_logs() as logged:
        async with serving(world, role):
            client = await world.connect()
            greeted = GREETED.replace("EHLO", "LHLO") if role is SmtpRole.LMTP else GREETED
            await client.play(f"{greeted}\n{dialogue}")
            await client.close()
    return named("transaction", logged)[-1]


def named(name: str, logged: Sequence[Event]) -> list[Event]:
    return [event for event in logged if event["event"] == name]


def recipients_of(event: Event) -> list[tuple[str, str, str, str]]:
    return [(each.address, each.outcome.value, each.reply, each.reason) for each in event["recipients"]]


def counts_of(event: Event) -> tuple[int, int, int, int]:
    return tuple(event[f"{name}_count"] for name in ("recipient", "accepted", "refused", "deferred"))


async def test_an_accepted_mail_is_one_event_with_all_that_is_known(world: SmtpWorld) -> None:
    event = await told(world, f"{MAIL}\n{ALICE_TOO}\n{MESSAGE}\nS: 250 2.0.0 OK {TRACE}")
    assert {name: value for name, value in event.items() if name not in ("recipients", "ms")} == {
        "event": "transaction",
        "log_level": "info",
        "trace": TRACE,
        "outcome": "accepted",
        "phase": "data",
        "service": "mx",
        "peer": "127.0.0.1",
        "ehlo": "client.example",
        "tls_version": "",
        "tls_cipher": "",
        "login": "",
        "sender": "x@y.example",
        "recipient_count": 1,
        "accepted_count": 1,
        "refused_count": 0,
        "deferred_count": 0,
        "size": 60,
        "message_id": "1@y.example",
        "from_domain": "",
        "iprev": None,
        "helo": None,
        "spf": None,
        "spf_domain": "",
        "dkim": (),
        "arc": None,
        "dmarc": None,
        "policy": None,
        "code": 250,
        "status": "2.0.0",
        "text": f"OK {TRACE}",
        "reason": "",
        "detail": "",
    }
    assert recipients_of(event) == [("alice@example.com", "accepted", "", "")]
    assert 0 <= event["ms"] < 60_000


async def test_one_id_is_in_the_reply_the_field_the_queue_and_every_line(world: SmtpWorld) -> None:
    with structlog.testing.capture_logs() as logged:
        await told_away(world)
    (message,) = world.inbox(ALICE)
    assert f" id {TRACE}\r\n".encode() in message
    assert [mail.trace_id for mail in world.queue.mails] == [TRACE]
    assert [event["event"] for event in logged if event.get("trace") == TRACE] == ["queued", "delivered", "transaction"]


async def told_away(world: SmtpWorld) -> None:
    async with serving(world):
        client = await world.connect()
        await client.play(f"{GREETED}\n{MAIL}\nC: RCPT TO:<away@example.com>\nS: 250 ...")
        await client.play(f"{MESSAGE}\nS: 250 2.0.0 OK {TRACE}")
        await client.close()


REFUSALS = [
    (SmtpRole.MX, "C: MAIL FROM:<x@y.example\nS: 501 5.1.7 Bad sender address syntax (trace T)", "mail", "protocol"),
    (SmtpRole.MX, "C: MAIL FROM:<> SIZE=1000001\nS: 552 5.3.4 Message too large (trace T)", "mail", "protocol"),
    (SmtpRole.SUBMISSION, "C: MAIL FROM:<>\nS: 530 5.7.0 Authentication required (trace T)", "mail", "protocol"),
    (
        SmtpRole.MX,
        f"{MAIL}\nC: RCPT TO:<no@example.com>\nS: 550 5.1.1 No such recipient here (trace T)",
        "rcpt",
        "not found",
    ),
    (
        SmtpRole.MX,
        f"{MAIL}\nC: RCPT TO:<no@elsewhere.example>\nS: 550 5.7.1 Delivery not authorised (trace T)",
        "rcpt",
        "forbidden",
    ),
    (SmtpRole.MX, f"{MAIL}\nC: DATA\nS: 554 5.5.1 No valid recipients (trace T)", "mail", "protocol"),
    (
        SmtpRole.MX,
        f"{MAIL}\n{ALICE_TOO}\nC: DATA\nS: 354 ...\nC| a\\nb\\r\\n.\\r\\n\n"
        "S: 550 5.6.11 Message holds a bare CR or LF (trace T)",
        "data",
        "protocol",
    ),
    (
        SmtpRole.MX,
        f"{MAIL}\n{ALICE_TOO}\nC: BDAT 3 LAST\nC| a\\nb\nS: 550 5.6.11 Message holds a bare CR or LF (trace T)",
        "data",
        "protocol",
    ),
]


@pytest.mark.parametrize(("role", "dialogue", "phase", "reason"), REFUSALS)
async def test_a_refusal_carries_the_id_of_its_event(
    world: SmtpWorld, role: SmtpRole, dialogue: str, phase: str, reason: str
) -> None:
    event = await told(world, dialogue.replace("trace T", f"trace {TRACE}"), role)
    last = dialogue.splitlines()[-1].removeprefix("S: ").removesuffix(" (trace T)")
    assert f"{event['code']} {event['status']} {event['text']}" == last
    assert (event["trace"], event["outcome"], event["phase"], event["reason"]) == (TRACE, "refused", phase, reason)


async def test_what_is_refused_for_now_is_deferred(world: SmtpWorld) -> None:
    world.messages.faults[ALICE.account_id] = QuotaExceeded("full to the brim")
    event = await told(world, f"{MAIL}\n{ALICE_TOO}\n{MESSAGE}\nS: 452 4.2.2 Mailbox full (trace {TRACE})")
    assert (event["outcome"], event["reason"], event["detail"]) == ("deferred", "quota exceeded", "full to the brim")
    assert counts_of(event) == (1, 0, 0, 1)


async def test_a_fault_of_ours_is_deferred_and_its_line_has_the_id(
    world: SmtpWorld, logged: list[dict[str, object]]
) -> None:
    world.messages.faults[ALICE.account_id] = RuntimeError("a bug")  # type: ignore[assignment]
    async with serving(world):
        client = await world.connect()
        await client.play(f"{GREETED}\n{MAIL}\n{ALICE_TOO}\n{MESSAGE}\nS: {LOCAL_ERROR} (trace {TRACE})")
        await client.close()
    (event,) = named("transaction", logged)
    (failure,) = [line for line in logged if line["log_level"] == "error"]
    assert (event["outcome"], event["reason"], failure["trace"]) == ("deferred", "bug", TRACE)


async def test_recipients_that_fare_otherwise_are_told_apart(world: SmtpWorld) -> None:
    event = await told(world, f"{FILL}\n{SIZED}\n{ALICE_TOO}\n{UNKNOWN}\n{FULL}\n{MESSAGE}\nS: 250 ...")
    assert event["outcome"] == "accepted"
    assert recipients_of(event) == [
        ("alice@example.com", "accepted", "", ""),
        ("no@example.com", "refused", "550 5.1.1 No such recipient here", "not found"),
        ("bob@example.com", "deferred", "452 4.2.2 Mailbox full", "quota exceeded"),
    ]
    assert counts_of(event) == (3, 1, 1, 1)


async def test_where_no_recipient_is_left_their_refusal_is_the_mails(world: SmtpWorld) -> None:
    """Whoever sends ahead says DATA all the same."""
    event = await told(world, f"{MAIL}\n{UNKNOWN}\nC: DATA\nS: 554 ...\nC: RSET\nS: 250 ...")
    assert (event["outcome"], event["phase"], event["code"], event["reason"]) == ("refused", "rcpt", 550, "not found")
    assert recipients_of(event) == [("no@example.com", "refused", "", "")]


async def test_one_that_may_come_again_makes_the_mail_deferred(world: SmtpWorld) -> None:
    event = await told(world, f"{FILL}\n{SIZED}\n{FULL}\n{UNKNOWN}")
    assert (event["outcome"], event["code"]) == ("deferred", 452)
    assert counts_of(event) == (2, 0, 1, 1)


ENDS = [
    (f"{MAIL}\nC: RSET\nS: 250 2.0.0 OK", "mail", "RSET"),
    (f"{MAIL}\n{ALICE_TOO}\nC: EHLO again.example\nS: 250-...\nS: 250 ...", "rcpt", "EHLO"),
    (f"{MAIL}\n{ALICE_TOO}\nC: QUIT\nS: 221 ...", "rcpt", "QUIT"),
    (f"{MAIL}\n{ALICE_TOO}", "rcpt", "connection lost"),
    (f"{MAIL}\n{ALICE_TOO}\nC: DATA\nS: 354 ...\nC: half", "data", "connection lost"),
    (f"{MAIL}\n{ALICE_TOO}\nC: BDAT 3\nC| abc\nS: 250 ...\nC: RSET\nS: 250 ...", "data", "RSET"),
]


@pytest.mark.parametrize(("dialogue", "phase", "by"), ENDS)
async def test_what_comes_to_nothing_is_abandoned(world: SmtpWorld, dialogue: str, phase: str, by: str) -> None:
    event = await told(world, dialogue)
    assert (event["outcome"], event["phase"], event["detail"], event["code"]) == ("abandoned", phase, by, 0)
    assert event["sender"] == "x@y.example"
    assert {each[1] for each in recipients_of(event)} <= {"abandoned"}


async def test_who_falls_silent_hears_the_id_as_well(world: SmtpWorld) -> None:
    world.limit(wait_s=1)  # and a busy machine is slower than it likes to be
    event = await told(world, f"{MAIL}\nS: 421 4.4.2 Timed out (trace {TRACE})\nS: (closed)")
    assert (event["outcome"], event["detail"]) == ("abandoned", "timed out")


async def test_a_message_that_is_refused_and_comes_again_is_two_events(
    world: SmtpWorld, logged: list[dict[str, object]]
) -> None:
    async with serving(world):
        client = await world.connect()
        await client.play(
            f"{GREETED}\n{MAIL}\n{UNKNOWN}\nC: RSET\nS: 250 ...\n{MAIL}\n{ALICE_TOO}\n{MESSAGE}\nS: 250 ..."
        )
        await client.close()
    assert [(event["outcome"], event["trace"]) for event in named("transaction", logged)] == [
        ("refused", TRACE),
        ("accepted", "d4735e3a265e16ee"),
    ]


async def test_mail_within_mail_is_told_the_id_of_the_first_which_goes_on(world: SmtpWorld) -> None:
    again = f"C: MAIL FROM:<>\nS: 503 5.5.1 Bad sequence of commands (trace {TRACE})"
    event = await told(world, f"{MAIL}\n{again}\n{ALICE_TOO}\n{MESSAGE}\nS: 250 2.0.0 OK {TRACE}")
    assert (event["outcome"], event["sender"]) == ("accepted", "x@y.example")


async def test_lmtp_tells_of_each_recipient(world: SmtpWorld) -> None:
    world.messages.faults[ALICE.account_id] = QuotaExceeded("full")
    both = f"{ALICE_TOO}\n{UNKNOWN}\nC: RCPT TO:<bob@example.com>\nS: 250 ..."
    replies = f"S: 452 4.2.2 Mailbox full (trace {TRACE})\nS: 250 2.1.5 OK {TRACE}"
    event = await told(world, f"{MAIL}\n{both}\n{MESSAGE}\n{replies}", SmtpRole.LMTP)
    assert (event["outcome"], event["service"], event["code"]) == ("accepted", "lmtp", 250)
    assert recipients_of(event) == [
        ("bob@example.com", "accepted", "", ""),
        ("no@example.com", "refused", "550 5.1.1 No such recipient here", "not found"),
        ("alice@example.com", "deferred", "452 4.2.2 Mailbox full", "quota exceeded"),
    ]


async def test_lmtp_that_takes_it_for_nobody_is_deferred(world: SmtpWorld) -> None:
    world.queue.is_broken = True
    world.messages.faults[ALICE.account_id] = TryAgainLater("busy")
    event = await told(world, f"{MAIL}\n{ALICE_TOO}\n{MESSAGE}\nS: 451 4.3.0 ...", SmtpRole.LMTP)
    assert (event["outcome"], event["phase"], counts_of(event)) == ("deferred", "data", (1, 0, 0, 1))


LOGGED_IN = f"C: AUTH PLAIN {b64encode(f'{chr(0)}alice@example.com{chr(0)}{PASSWORD}'.encode()).decode()}\nS: 235 ..."
OWN = "C: MAIL FROM:<alice@example.com>\nS: 250 ...\nC: RCPT TO:<x@y.example>\nS: 250 ..."


async def test_what_an_account_submits_is_told_with_its_login(world: SmtpWorld) -> None:
    message = MESSAGE.replace("me@Y.example", "alice@example.com")
    event = await told(world, f"{LOGGED_IN}\n{OWN}\n{message}\nS: 250 2.0.0 OK ...", SmtpRole.SUBMISSION)
    assert [event[name] for name in ("outcome", "service", "login", "sender", "from_domain")] == [
        "accepted", "submission", "alice@example.com", "alice@example.com", "example.com",
    ]  # fmt: skip


async def test_what_an_account_must_not_write_is_refused_with_the_id(world: SmtpWorld) -> None:
    event = await told(world, f"{LOGGED_IN}\n{OWN}\n{MESSAGE}\nS: 553 5.7.1 ...", SmtpRole.SUBMISSION)
    assert (event["outcome"], event["reason"], event["login"]) == ("refused", "not own address", "alice@example.com")


async def test_tls_is_told_of(world: SmtpWorld, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext) -> None:
    world.tls = server_tls
    with structlog.testing.capture_logs() as logged:
        async with serving(world):
            client = await world.connect()
            await client.play(f"{GREETED}\nC: STARTTLS\nS: 220 ...")
            await client.writer.start_tls(client_tls, server_hostname="mail.example.com")
            await client.play(f"{GREETED.partition(chr(10))[2]}\n{MAIL}\nC: QUIT\nS: 221 ...")
            await client.close()
    (event,) = named("transaction", logged)
    assert event["tls_version"] == "TLSv1.3"
    assert event["tls_cipher"].startswith("TLS_")


HOSTILE = [
    'MAIL FROM:<"\\x1b[2J"@y.example>',
    "MAIL FROM:<" + "x" * 1_900 + "@y.example>",
    "MAIL FROM:<\\xff\\xfe@y.example>",
    "MAIL FROM:<\\xe2\\x80\\xaex@y.example>",
    "MAIL \\x00",
    "MAIL FROM",
]


@pytest.mark.parametrize("line", HOSTILE)
async def test_what_a_peer_writes_breaks_no_line(world: SmtpWorld, logged: list[Any], line: str) -> None:
    """The form is checked where it is told: bounded texts, printable, JSON."""
    async with serving(world):
        client = await world.connect()
        await client.play(GREETED)
        await client.play(f"C| {line}\\r\\n\nS: 5...\nC: QUIT\nS: 221 ...")
        await client.close()
    assert len(named("transaction", logged)) + len(named("refused", logged)) == 1


async def test_hostile_recipients_and_fields_are_bounded_too(world: SmtpWorld) -> None:
    wild = "".join(f"C| RCPT TO:<\\xff{'y' * 600}@{at}>\\r\\n\nS: 5...\n" for at in range(RECIPIENTS_TOLD + 1))
    head = f"C| Message-ID: <{'m' * 900}\\xff@x>\\r\\nFrom: x@{'d' * 300}.example\\r\\n\\r\\n.\\r\\n"
    event = await told(world, f"{MAIL}\n{wild}{ALICE_TOO}\nC: DATA\nS: 354 ...\n{head}\nS: 250 ...")
    assert len(event["message_id"]) == MAX_TEXT
    assert len(event["recipients"]) == RECIPIENTS_TOLD + 1
    assert counts_of(event) == (RECIPIENTS_TOLD + 2, 1, RECIPIENTS_TOLD + 1, 0)


async def test_a_flood_of_dropped_transactions_is_not_told_one_by_one(
    world: SmtpWorld, logged: list[dict[str, object]]
) -> None:
    async with serving(world):
        client = await world.connect()
        await client.play(GREETED)
        for _ in range(TOLD + 5):
            await client.play(f"{MAIL}\nC: RSET\nS: 250 ...")
        await client.play(f"{MAIL}\n{UNKNOWN}\nC: RSET\nS: 250 ...")
        await client.close()
    outcomes = [event["outcome"] for event in named("transaction", logged)]
    assert outcomes == ["abandoned"] * TOLD + ["refused"]


def ban(world: SmtpWorld) -> None:
    world.conduct.rules = BanRules(after=1)
    world.conduct.note("127.0.0.1", Offence.PROTOCOL_ABUSE)


@pytest.mark.parametrize(
    ("prepare", "reason"),
    [(ban, "banned"), (lambda world: world.limit(connections_per_ip=0), "too many connections")],
)
async def test_who_is_turned_away_is_one_event_with_the_greeting(
    world: SmtpWorld, logged: list[dict[str, object]], prepare: Callable[[SmtpWorld], None], reason: str
) -> None:
    prepare(world)
    async with serving(world):
        client = await world.connect()
        greeting = await client.line()
        await client.close()
    assert named("transaction", logged) == []
    (event,) = named("turned away", logged)
    assert (event["service"], event["peer"], event["reason"]) == ("mx", "127.0.0.1", reason)
    assert event["reply"] == greeting


LONG = SmtpReply(code=550, status="5.7.1", text="x" * 900)


@pytest.mark.parametrize("reply", [*REJECTIONS.values(), *REPLIES.values(), LONG])
def test_a_reply_has_room_for_its_id(reply: SmtpReply) -> None:
    """RFC 5321 §4.5.3.1.5."""
    line = encode(with_trace(reply, TRACE))
    assert line.endswith(f" (trace {TRACE})\r\n".encode())
    assert len(line) <= MAX_REPLY_OCTETS


async def test_what_is_no_part_of_a_mail_has_no_id(world: SmtpWorld) -> None:
    async with serving(world):
        client: Client = await world.connect()
        await client.play(f"{GREETED}\nC: WHAT\nS: 500 5.5.2 Command not recognised")
        await client.send(b"RCPT TO:<alice@example.com>\r\n")
        assert not re.search("trace", await client.line())
        await client.close()
