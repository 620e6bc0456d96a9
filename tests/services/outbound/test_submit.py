"""Submission: who may write as whom, what is mended, where it goes."""

import email
import email.policy
import mmap
import tempfile
from dataclasses import replace

import pytest

import dkim
from mailstack.formats.digest import message_id_of
from mailstack.mailauth.dkim import keys
from mailstack.model.acquaintance import Tie
from mailstack.model.delivery import Priority
from mailstack.model.errors import Forbidden, Invalid, LineTooLong, NotFound, TryAgainLater
from mailstack.model.handling import PLAIN, Handling
from mailstack.model.message import RawMessage
from mailstack.services.inbound.mail import Reason, Reject
from mailstack.services.outbound.submit import Origin
from mailstack.services.spam.experience import experience_of
from mailstack.store.memory.acquaintances import MemoryAcquaintances
from mailstack.store.memory.reputation import MemoryReputation
from mailstack.wire.smtp.content import write_content
from tests.support.outbound_world import ALICE, BOB, OutboundWorld

ORIGIN = Origin(ehlo_domain="laptop", peer_host="192.0.2.7", protocol="ESMTPSA", trace_id="t1", smtp_utf8=False)
MESSAGE = b"From: Alice <alice@example.com>\r\nTo: b@them.test\r\nSubject: hi\r\n\r\nbody\r\n"


async def submit(world: OutboundWorld, *recipients: str, raw: RawMessage = MESSAGE, origin: Origin = ORIGIN) -> None:
    await world.submission().submit(ALICE, "alice@example.com", recipients, raw, origin)


async def queued(world: OutboundWorld) -> bytes:
    items = await world.queue.items()
    return await world.queue.content(items[0].mail_id)


@pytest.mark.parametrize(("field", "priority"), [(b"", Priority.SUBMISSION), (b"Precedence: bulk\r\n", Priority.BULK)])
async def test_what_a_person_writes_goes_first(world: OutboundWorld, field: bytes, priority: Priority) -> None:
    await submit(world, "b@them.test", raw=field + MESSAGE)
    assert [item.priority for item in await world.queue.items()] == [priority]


@pytest.mark.parametrize("path", ["", "alice@example.com", "alice+x@example.com"])
async def test_own_senders_and_the_null_path_pass(world: OutboundWorld, path: str) -> None:  # RFC 8098 §3
    await world.submission().check_sender(ALICE, path)


@pytest.mark.parametrize("path", ["bob@example.com", "sales@example.com", "x@elsewhere.test"])
async def test_senders_of_others_are_forbidden(world: OutboundWorld, path: str) -> None:
    with pytest.raises(Forbidden):
        await world.submission().check_sender(ALICE, path)


@pytest.mark.parametrize(
    ("from_", "fault"),
    [
        (b"From: bob@example.com\r\n", Forbidden),
        (b"From: Alice <alice@example.com>, bob@example.com\r\n", Forbidden),
        (b"From: alice@example.com\r\nFrom: bob@example.com\r\n", Invalid),
        (b"From: alice@example.com\r\nfrom: alice@example.com\r\n", Invalid),
        (b"From: alice@example.com, alice@example.net\r\n", Invalid),
        (b'From: "alice@example.com" <bob@example.com>\r\n', Forbidden),
        (b"From: undisclosed:;\r\n", Invalid),
        (b"From: Alice\r\n", Invalid),
        (b"", Invalid),
        (b"From: alice@example.com, x (\r\n", Invalid),
        # What one program takes for a name and another for the address.
        (b"From: bob@example.com <alice@example.com>\r\n", Forbidden),
        (b"From: <alice@example.com> <bob@example.com>\r\n", Forbidden),
        (b"From: <@a.test,bob@example.com:alice@example.com>\r\n", Forbidden),
        (b"From: alice@example.com" + b",a" * 2000 + b",bob@example.com\r\n", Invalid),
        (b"From: team: alice@example.com, bob@example.com;\r\n", Forbidden),  # RFC 6854
        (b"From: alice@example.com\r\nSender: bob@example.com\r\n", Forbidden),
    ],
)
async def test_the_from_field_is_the_account_own(world: OutboundWorld, from_: bytes, fault: type[Exception]) -> None:
    with pytest.raises(fault):
        await submit(world, "b@them.test", raw=from_ + b"Subject: x\r\n\r\nbody\r\n")
    assert not await world.queue.items()


@pytest.mark.parametrize(
    "from_",
    [
        b'From: "bob@example.com says" <alice@example.com>\r\n',
        b"From: alice@example.com <alice@example.com>\r\n",
        b"From: alice@example.com (not bob@example.com)\r\n",
        b"From: =?utf-8?q?A=2C?= <Alice+x@EXAMPLE.com>,\r\n a.example@example.com\r\n",
        b"From: alice@example.com\r\nSender: a.example@example.com\r\n",
    ],
)
async def test_own_addresses_however_written_pass(world: OutboundWorld, from_: bytes) -> None:
    await submit(world, "b@them.test", raw=from_ + b"Subject: x\r\n\r\nbody\r\n")
    assert await world.queue.items()


BINARY = (
    MESSAGE.partition(b"Subject")[0] + b"MIME-Version: 1.0\r\nContent-Type: image/png\r\n"
    b"Content-Transfer-Encoding: binary\r\n\r\n\0\r\n\n"
)


async def test_binary_parts_are_encoded_before_the_mail_is_signed(world: OutboundWorld) -> None:  # RFC 3030 §3
    records = with_keys(world)
    origin = replace(ORIGIN, handling=Handling(is_binary=True))
    await submit(world, "b@them.test", "bob@example.com", raw=BINARY, origin=origin)
    (item,) = await world.queue.items()
    assert item.handling == PLAIN
    found = await queued(world)
    assert found.endswith(b"Content-Transfer-Encoding: base64\r\n\r\nAA0KCg==")
    assert verified(found, records) == [True, True]


async def test_binary_octets_that_no_encoding_may_touch_are_refused(world: OutboundWorld) -> None:
    raw = BINARY.replace(b"image/png", b"multipart/signed; boundary=b")
    found = await world.submission().submit(
        ALICE, "alice@example.com", ["b@them.test"], raw, replace(ORIGIN, handling=Handling(is_binary=True))
    )
    assert found == Reject(reason=Reason.BINARY)
    assert not await world.queue.items()


async def test_outside_recipients_are_queued_as_one_mail(world: OutboundWorld) -> None:
    await submit(world, "B@them.test", "c@others.test")
    items = await world.queue.items()
    assert [item.recipient for item in items] == ["B@them.test", "c@others.test"]
    assert {item.reverse_path for item in items} == {"alice@example.com"}
    assert len({item.mail_id for item in items}) == 1
    assert items[0].next_at == world.clock.now


async def test_local_recipients_get_it_at_once(world: OutboundWorld) -> None:
    await submit(world, "bob@example.com", "both@example.com")
    assert len(world.messages.raws(BOB.account_id)) == 1
    assert len(world.messages.raws(ALICE.account_id)) == 1
    assert not await world.queue.items()


async def test_an_alias_that_leads_outside_is_queued(world: OutboundWorld) -> None:
    await submit(world, "away@example.com")
    assert [item.recipient for item in await world.queue.items()] == ["friend@them.test"]
    assert len(world.messages.raws(ALICE.account_id)) == 1


async def test_an_unknown_local_recipient_refuses_all(world: OutboundWorld) -> None:
    with pytest.raises(NotFound):
        await submit(world, "b@them.test", "nobody@example.com")
    assert not await world.queue.items()


async def test_a_postmaster_nobody_declared_is_an_admin(world: OutboundWorld) -> None:  # RFC 5321 §4.5.1
    await submit(world, "Postmaster")
    assert len(world.messages.raws(ALICE.account_id)) == 1


async def test_what_a_full_mailbox_does_not_take_waits_in_the_queue(world: OutboundWorld) -> None:
    world.messages.faults[BOB.account_id] = TryAgainLater("locked")
    await submit(world, "bob@example.com", "b@them.test")
    assert sorted(item.recipient for item in await world.queue.items()) == ["b@them.test", "bob@example.com"]


async def test_date_and_message_id_are_added_where_missing(world: OutboundWorld) -> None:  # RFC 6409 §8.2, §8.3
    await submit(world, "b@them.test")
    message = email.message_from_bytes(await queued(world), policy=email.policy.default)
    assert message["Date"].datetime.timestamp() * 1000 == world.clock.now
    assert message["Message-ID"] == "<00000000000000000000000000000001@example.com>"


async def test_date_and_message_id_that_are_there_stay(world: OutboundWorld) -> None:
    fields = b"Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nmessage-id: <mine@laptop>\r\n"
    await submit(world, "b@them.test", raw=fields + MESSAGE)
    found = await queued(world)
    assert found.endswith(fields + MESSAGE)
    assert found.lower().count(b"message-id:") == 1


@pytest.mark.parametrize(
    "field",
    [
        b"Bcc: secret@them.test\r\n",
        b"bcc:\r\n secret@them.test\r\n",
        b"Resent-Bcc: secret@them.test\r\n",
        b"Return-Path: <secret@them.test>\r\n",
    ],
)
async def test_blind_copies_and_return_path_do_not_leave(world: OutboundWorld, field: bytes) -> None:
    await submit(world, "b@them.test", raw=field + MESSAGE)
    assert b"secret" not in await queued(world)


async def test_the_received_field_is_on_top(world: OutboundWorld) -> None:
    await submit(world, "b@them.test")
    assert (await queued(world)).startswith(
        b"Received: from laptop ([192.0.2.7])\r\n\tby mail.example.com with ESMTPSA"
    )


@pytest.mark.parametrize(
    "raw",
    [
        MESSAGE.replace(b"Subject: hi", b"Subject: " + b"x" * 1000),
        b"X-A: b\r\n" * 40_000 + MESSAGE,
        b"X-A: b\r\n" * 3_000 + MESSAGE,  # past the fields that are looked at, a second From could stand
        b" folded into what we put on top\r\n" + MESSAGE,
        MESSAGE.replace(b"Subject:", b"no field\r\nSubject:"),
        MESSAGE.replace(b"From:", b"From :"),
        MESSAGE.replace(b"Subject:", b"no field\rBcc: x@them.test\nSubject:"),
    ],
)
async def test_headers_that_others_would_refuse_are_invalid(world: OutboundWorld, raw: bytes) -> None:
    with pytest.raises(Invalid):
        await submit(world, "b@them.test", raw=raw)


@pytest.mark.parametrize(
    ("raw", "asked", "is_8bit", "smtp_utf8"),
    [
        (MESSAGE, True, False, False),  # asked for, not needed
        (MESSAGE + "grüße\r\n".encode(), True, True, False),
        (MESSAGE.replace(b"hi", "grüße".encode()), True, True, True),
        (MESSAGE.replace(b"hi", "grüße".encode()), False, True, False),
    ],
)
async def test_what_the_way_must_be_able_to_carry(
    world: OutboundWorld, raw: bytes, asked: bool, is_8bit: bool, smtp_utf8: bool
) -> None:
    origin = Origin(ehlo_domain="l", peer_host="192.0.2.7", protocol="ESMTPSA", trace_id="t", smtp_utf8=asked)
    await submit(world, "b@them.test", raw=raw, origin=origin)
    item = (await world.queue.items())[0]
    assert (item.is_8bit, item.smtp_utf8) == (is_8bit, smtp_utf8)


def with_keys(world: OutboundWorld) -> dict[str, bytes]:
    """Signing keys for example.com, and their records by selector."""
    pairs = {algorithm: keys.generate(algorithm) for algorithm in keys.ALGORITHMS}
    world.signing_keys["example.com"] = [
        keys.load(domain="example.com", selector=name, private_pem=pair.private_pem) for name, pair in pairs.items()
    ]
    return {name: keys.record(name, pair.public_key).encode() for name, pair in pairs.items()}


def verified(message: bytes, records: dict[str, bytes]) -> list[bool]:
    def dns(name: bytes, timeout: int = 5) -> bytes:
        return records[name.decode().partition(".")[0]]

    return [bool(dkim.DKIM(message).verify(idx=index, dnsfunc=dns)) for index in range(len(records))]


async def test_both_signatures_verify_after_all_mending_outside_and_inside(world: OutboundWorld) -> None:
    records = with_keys(world)
    await submit(world, "b@them.test", "bob@example.com", raw=b"Bcc: x@them.test\r\n" + MESSAGE)
    assert verified(await queued(world), records) == [True, True]
    assert verified(world.messages.raws(BOB.account_id)[0], records) == [True, True]


BARE = MESSAGE.replace(b"body\r\n", b"one\ntwo\rthree\r\n.\rfour\n")


@pytest.mark.parametrize("is_mapped", [False, True])
async def test_line_ends_are_mended_before_they_are_signed(world: OutboundWorld, is_mapped: bool) -> None:
    records = with_keys(world)
    with tempfile.TemporaryFile() as file:
        file.write(BARE)
        file.flush()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            await submit(world, "b@them.test", raw=mapped if is_mapped else BARE)
    found = await queued(world)
    assert found.endswith(b"one\r\ntwo\r\nthree\r\n.\r\nfour\r\n")
    assert verified(found, records) == [True, True]
    sent = b"".join(write_content(found)).removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n.")
    assert sent == found


@pytest.mark.parametrize("is_mapped", [False, True])
async def test_long_lines_are_encoded_before_they_are_signed(world: OutboundWorld, is_mapped: bool) -> None:
    records = with_keys(world)
    raw = MESSAGE + "grüße ".encode() * 1_000
    with tempfile.TemporaryFile() as file:
        file.write(b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n" + raw)
        file.flush()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            await submit(world, "b@them.test", "bob@example.com", raw=mapped if is_mapped else mapped[:])
    found = await queued(world)
    for copy in (found, world.messages.raws(BOB.account_id)[0]):
        assert verified(copy, records) == [True, True]
        assert max(map(len, copy.split(b"\r\n"))) <= 998
        assert email.message_from_bytes(copy).get_payload(decode=True) == b"body\r\n" + "grüße ".encode() * 1_000
    assert not (await world.queue.items())[0].is_8bit


async def test_a_long_line_in_what_the_author_signed_is_refused(world: OutboundWorld) -> None:
    header = (
        MESSAGE.removesuffix(b"\r\nbody\r\n") + b"MIME-Version: 1.0\r\nContent-Type: multipart/signed; boundary=b\r\n"
    )
    with pytest.raises(LineTooLong):
        await submit(world, "b@them.test", raw=header + b"\r\n--b\r\n\r\n" + b"x" * 999 + b"\r\n--b--\r\n")
    assert not await world.queue.items()


async def test_a_field_hidden_behind_a_bare_line_end_is_seen(world: OutboundWorld) -> None:
    await submit(world, "b@them.test", raw=MESSAGE.replace(b"Subject:", b"X-A: b\rBcc: secret@them.test\nSubject:"))
    assert b"secret" not in await queued(world)
    with pytest.raises(Invalid):
        await submit(world, "b@them.test", raw=b"X-A: b\rFrom: bob@example.com\n" + MESSAGE)


async def test_a_mapped_message_is_mended_and_signed_too(world: OutboundWorld) -> None:
    records = with_keys(world)
    raw = b"Bcc: secret@them.test\r\n" + MESSAGE + b"a  line \r\n" * 60_000
    with tempfile.TemporaryFile() as file:
        file.write(raw)
        file.flush()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            await world.submission().submit(ALICE, "alice@example.com", ["b@them.test"], mapped, ORIGIN)
    found = await queued(world)
    assert b"secret" not in found
    assert verified(found, records) == [True, True]


@pytest.mark.parametrize(("path", "known"), [("alice@example.com", ["b@them.test", "bob@example.com"]), ("", [])])
async def test_who_is_written_to_is_known_from_then_on(world: OutboundWorld, path: str, known: list[str]) -> None:
    experience = experience_of(MemoryReputation(), MemoryAcquaintances(), secret=b"k" * 32, clock=world.clock)
    submission = replace(world.submission(), acquainted=experience.acquainted)
    await submission.submit(ALICE, path, ["b@them.test", "bob@example.com"], MESSAGE, ORIGIN)
    await experience.flush()
    keys = {experience.acquainted.keys.of_address(address): address for address in ("b@them.test", "bob@example.com")}
    met = await experience.acquainted.gathered.find(ALICE.account_id, [*keys])
    assert sorted(keys[one.key] for one in met) == known


async def test_the_id_of_what_was_sent_is_known(world: OutboundWorld) -> None:
    experience = experience_of(MemoryReputation(), MemoryAcquaintances(), secret=b"k" * 32, clock=world.clock)
    submission = replace(world.submission(), acquainted=experience.acquainted)
    await submission.submit(ALICE, "alice@example.com", ["b@them.test"], MESSAGE, ORIGIN)
    await experience.flush()
    key = experience.acquainted.keys.of_message_id(message_id_of(await queued(world)))
    assert [one.tie for one in await experience.acquainted.gathered.find(ALICE.account_id, [key])] == [Tie.SENT]
