"""Stored for all, or queued, or refused whole. RFC 5321 §4.2.5, §6.1."""

from collections.abc import Sequence
from mmap import mmap

import pytest
import structlog

from mailstack.model.delivery import OutgoingMail, Priority
from mailstack.model.errors import Damaged, NotFound, QuotaExceeded, TooLarge, TryAgainLater
from mailstack.model.ids import AccountId, MailboxId, MailId
from mailstack.model.instant import Instant
from mailstack.model.mailbox import Mailbox, MailboxRole
from mailstack.model.message import Appended, NewMessage, RawMessage
from mailstack.model.principal import Account
from mailstack.net.spool import Spool
from mailstack.services.inbound.deliver import (
    FULL_RETRY_MS,
    LARGE_BYTES,
    LOGGED_RECIPIENTS,
    RETRY_MS,
    Delivery,
    Letter,
    Shipment,
)
from mailstack.store.memory.mailboxes import MemoryMailboxes
from tests.support.memory_accounts import make_account
from tests.support.memory_messages import MemoryMessages
from tests.support.memory_queue import MemoryQueue
from tests.support.recording_bus import RecordingBus

NOW = Instant(1_700_000_000_000)
RAW = b"Subject: x\r\n\r\nbody\r\n"
RECEIVED = b"Received: from a by b; now\r\n"
ALICE, BOB, CAROL = (make_account(f"{name}@example.com") for name in ("alice", "bob", "carol"))
SMALL = make_account("small@example.com", quota_bytes=300)


class Ports:
    def __init__(self) -> None:
        self.messages = MemoryMessages()
        self.queue = MemoryQueue()
        self.delivery = Delivery(mailboxes=self.messages.mailboxes, messages=self.messages, queue=self.queue)

    async def deliver(
        self,
        *accounts: Account,
        external: tuple[str, ...] = (),
        raw: RawMessage = RAW,
        left_out: Sequence[tuple[int, int]] = (),
        is_suspicious: bool = False,
        priority: Priority = Priority.BULK,
    ) -> None:
        letter = Letter(
            reverse_path="x@y.example",
            peer_host="192.0.2.9",
            raw=raw,
            received=RECEIVED,
            received_at=NOW,
            is_8bit=False,
            smtp_utf8=False,
            trace_id="t",
            left_out=left_out,
            is_suspicious=is_suspicious,
            priority=priority,
        )
        await self.delivery.deliver([Shipment(letter=letter, accounts=accounts, external=external)])

    def inbox(self, account: Account) -> list[bytes]:
        return self.messages.raws(account.account_id)

    @property
    def queued(self) -> list[tuple[str, ...]]:
        return [mail.recipients for mail in self.queue.mails]


@pytest.fixture
def ports() -> Ports:
    return Ports()


async def test_every_account_gets_the_same_with_the_trace_on_top(ports: Ports) -> None:
    await ports.deliver(ALICE, BOB, CAROL)
    for account in (ALICE, BOB, CAROL):
        assert ports.inbox(account) == [b"Return-Path: <x@y.example>\r\n" + RECEIVED + RAW]
    (message,) = ports.messages.kept(ALICE.account_id)
    assert message.received_at == NOW
    assert message.digest.subject == "x"


async def test_external_recipients_are_queued_without_a_return_path(ports: Ports) -> None:
    await ports.deliver(ALICE, external=("f@elsewhere.example", "g@elsewhere.example"))
    (mail,) = ports.queue.mails
    assert (mail.recipients, mail.raw) == (("f@elsewhere.example", "g@elsewhere.example"), RECEIVED + RAW)
    assert [item.next_at for item in await ports.queue.waiting()] == [NOW, NOW]


async def test_who_cannot_store_now_is_tried_again_later(ports: Ports) -> None:
    ports.messages.faults[BOB.account_id] = TryAgainLater("busy")
    await ports.deliver(ALICE, BOB)
    assert (len(ports.inbox(ALICE)), ports.queued) == (1, [("bob@example.com",)])
    assert [item.next_at for item in await ports.queue.waiting()] == [NOW + RETRY_MS]


async def test_what_is_suspicious_is_so_still_when_it_comes_out_of_the_queue(ports: Ports) -> None:
    ports.messages.faults[BOB.account_id] = TryAgainLater("busy")
    await ports.deliver(ALICE, BOB, is_suspicious=True)
    await ports.deliver(ALICE, BOB)
    assert [mail.is_suspicious for mail in ports.queue.mails] == [True, False]


async def test_what_goes_to_many_yields_to_what_goes_to_few(ports: Ports) -> None:
    for count in (1, 51):
        external = tuple(f"{number}@elsewhere.example" for number in range(count))
        await ports.deliver(external=external, priority=Priority.SUBMISSION)
    assert [mail.priority for mail in ports.queue.mails] == [Priority.SUBMISSION, Priority.BULK]


async def test_a_mailbox_that_is_damaged_holds_up_nobody_and_has_nobody_get_it_twice(ports: Ports) -> None:
    ports.messages.faults[BOB.account_id] = Damaged("account 2 is damaged")
    await ports.deliver(ALICE, BOB, CAROL)
    assert [len(ports.inbox(account)) for account in (ALICE, CAROL)] == [1, 1]
    assert ports.queued == [("bob@example.com",)]
    with pytest.raises(Damaged):
        await ports.deliver(BOB)
    assert ports.queued == [("bob@example.com",)]


async def test_of_several_who_cannot_store_a_full_account_holds_up_nobody(ports: Ports) -> None:
    ports.messages.faults[BOB.account_id] = TryAgainLater("busy")
    await ports.deliver(ALICE, BOB, SMALL, raw=b"\r\n" + b"x" * 400)
    assert [item.next_at for item in await ports.queue.waiting()] == [NOW + RETRY_MS] * 2


async def test_a_mail_that_neither_a_mailbox_nor_the_queue_takes_is_stored_for_the_others_once_only(
    ports: Ports,
) -> None:
    """The one mail that is under way when the fault begins; its sender comes again, and so do others."""
    ports.messages.faults[BOB.account_id] = TryAgainLater("No space left on device")
    ports.queue.is_broken = True
    for _ in range(3):
        with pytest.raises(TryAgainLater):
            await ports.deliver(ALICE, BOB)
    assert len(ports.inbox(ALICE)) == 1


async def test_after_a_fault_a_mail_to_several_is_the_queues_for_all_of_them_until_that_has_worked(
    ports: Ports,
) -> None:
    ports.messages.faults[BOB.account_id] = TryAgainLater("busy")
    ports.queue.is_broken = True
    with pytest.raises(TryAgainLater):
        await ports.deliver(BOB)
    ports.queue.is_broken = False
    await ports.deliver(ALICE, BOB, external=("f@elsewhere.example",))
    assert ports.queued == [("alice@example.com", "bob@example.com", "f@elsewhere.example")]
    assert [item.next_at for item in await ports.queue.waiting()] == [NOW] * 3
    ports.messages.faults.clear()
    await ports.deliver(ALICE, BOB)
    assert (len(ports.inbox(ALICE)), len(ports.inbox(BOB))) == (1, 1)


async def test_after_a_fault_a_mail_to_one_is_stored_all_the_same(ports: Ports) -> None:
    ports.queue.is_broken = True
    with pytest.raises(TryAgainLater):
        await ports.deliver(external=("f@elsewhere.example",))
    await ports.deliver(ALICE)
    assert len(ports.inbox(ALICE)) == 1


async def test_full_disk_neither_mailbox_nor_queue_is_try_again_later(ports: Ports) -> None:
    ports.messages.faults[ALICE.account_id] = TryAgainLater("No space left on device")
    ports.queue.is_broken = True
    with pytest.raises(TryAgainLater):
        await ports.deliver(ALICE)


async def test_nothing_is_stored_when_outside_copies_cannot_be_queued(ports: Ports) -> None:
    ports.queue.is_broken = True
    with pytest.raises(TryAgainLater):
        await ports.deliver(ALICE, external=("f@elsewhere.example",))
    assert ports.inbox(ALICE) == []


@pytest.mark.parametrize(
    ("body_bytes", "error"),
    [(100, None), (200, QuotaExceeded), (400, TooLarge)],
)
async def test_a_full_account_alone_is_told_at_once(
    ports: Ports, body_bytes: int, error: type[Exception] | None
) -> None:
    await ports.deliver(SMALL)
    if error is None:
        await ports.deliver(SMALL, raw=b"\r\n" + b"x" * body_bytes)
        return
    with pytest.raises(error):
        await ports.deliver(SMALL, raw=b"\r\n" + b"x" * body_bytes)
    assert ports.queued == []


async def test_a_full_account_among_others_is_left_to_the_queue(ports: Ports) -> None:
    await ports.deliver(ALICE, SMALL, raw=b"\r\n" + b"x" * 400)
    assert (len(ports.inbox(ALICE)), ports.queued) == (1, [("small@example.com",)])
    assert [item.next_at for item in await ports.queue.waiting()] == [NOW + FULL_RETRY_MS]


async def test_all_full_are_told_at_once_unless_a_copy_went_outside(ports: Ports) -> None:
    other = make_account("other@example.com", quota_bytes=10)
    with pytest.raises(TooLarge):
        await ports.deliver(SMALL, other, raw=b"\r\n" + b"x" * 400)
    assert ports.queued == []
    await ports.deliver(SMALL, other, external=("f@elsewhere.example",), raw=b"\r\n" + b"x" * 400)
    assert ports.queued == [("f@elsewhere.example",), ("small@example.com", "other@example.com")]


async def test_a_bug_in_the_store_is_not_hidden(ports: Ports) -> None:
    ports.messages.faults[ALICE.account_id] = ZeroDivisionError()  # type: ignore[assignment]  # a bug
    with pytest.raises(ZeroDivisionError):
        await ports.deliver(ALICE)
    with pytest.raises(ExceptionGroup):
        await ports.deliver(ALICE, BOB)


class MovingInboxes(MemoryMailboxes):
    """What restoring an account from a backup may do."""

    asked = 0

    async def list(self, account_id: AccountId) -> Sequence[Mailbox]:
        self.asked += 1
        return await super().list(account_id)


async def test_the_inbox_is_looked_up_once_and_again_when_it_is_gone(ports: Ports) -> None:
    mailboxes = MovingInboxes(RecordingBus())
    ports.delivery = Delivery(mailboxes=mailboxes, messages=ports.messages, queue=ports.queue)
    await ports.deliver(ALICE)
    await ports.deliver(ALICE)
    assert mailboxes.asked == 1
    ports.messages.faults[ALICE.account_id] = NotFound("no such mailbox")
    with pytest.raises(NotFound):
        await ports.deliver(ALICE)
    assert mailboxes.asked == 2


async def test_a_large_message_in_a_file_leaves_no_copy_behind(ports: Ports) -> None:
    with Spool() as spool:
        spool.write(RAW + b"x" * 78 * 5_000)
        raw = spool.octets()
        assert isinstance(raw, mmap)
        given: list[RawMessage] = []
        append, enqueue = ports.messages.append, ports.queue.enqueue

        async def append_and_note(
            account_id: AccountId, mailbox_id: MailboxId, messages: Sequence[NewMessage], *, quota_bytes: int | None
        ) -> Sequence[Appended]:
            given.extend(message.raw for message in messages)
            return await append(account_id, mailbox_id, messages, quota_bytes=quota_bytes)

        async def enqueue_and_note(mails: Sequence[OutgoingMail], *, next_at: Instant) -> Sequence[MailId]:
            given.extend(mail.raw for mail in mails)
            return await enqueue(mails, next_at=next_at)

        ports.messages.append = append_and_note  # type: ignore[method-assign, assignment]
        ports.queue.enqueue = enqueue_and_note  # type: ignore[method-assign, assignment]
        await ports.deliver(ALICE, external=("f@elsewhere.example",), raw=raw)
        assert [isinstance(copy, mmap) and copy.closed for copy in given] == [True, True]
        assert not raw.closed


async def test_a_large_message_is_read_in_a_thread(ports: Ports) -> None:
    await ports.deliver(ALICE, BOB, raw=RAW + b"x" * 78 * 5_000)
    assert [len(raw) > LARGE_BYTES for raw in (*ports.inbox(ALICE), *ports.inbox(BOB))] == [True, True]


async def test_the_log_says_what_became_of_each_copy(ports: Ports) -> None:
    with structlog.testing.capture_logs() as logged:
        await ports.deliver(ALICE, external=("f@elsewhere.example",))
    queued, delivered = logged
    assert (queued["event"], queued["sender"], queued["recipients"]) == (
        "queued",
        "x@y.example",
        ("f@elsewhere.example",),
    )
    assert delivered == {
        "event": "delivered",
        "log_level": "info",
        "trace": "t",
        "account": "alice@example.com",
        "mailbox": "inbox",
    }


async def test_a_log_line_does_not_grow_with_the_recipients(ports: Ports) -> None:
    outside = tuple(f"f{number}@elsewhere.example" for number in range(LOGGED_RECIPIENTS + 7))
    with structlog.testing.capture_logs() as logged:
        await ports.deliver(external=outside)
    assert logged[0]["recipients"] == [*outside[:LOGGED_RECIPIENTS], "and 7 more"]


class OnlyInboxes(MemoryMailboxes):
    async def list(self, account_id: AccountId) -> Sequence[Mailbox]:
        return [mailbox for mailbox in await super().list(account_id) if mailbox.role is MailboxRole.INBOX]


@pytest.mark.parametrize(
    ("kind", "role"), [(MemoryMailboxes, MailboxRole.JUNK), (OnlyInboxes, MailboxRole.INBOX)], ids=str
)
async def test_what_is_suspicious_goes_to_the_mailbox_for_junk_where_there_is_one(
    ports: Ports, kind: type[MemoryMailboxes], role: MailboxRole
) -> None:
    mailboxes = kind(RecordingBus())
    ports.delivery = Delivery(mailboxes=mailboxes, messages=ports.messages, queue=ports.queue)
    await ports.deliver(ALICE, is_suspicious=True)
    for mailbox in await ports.messages.mailboxes.list(ALICE.account_id):
        placed = await ports.messages.placements(ALICE.account_id, mailbox.mailbox_id)
        assert len(placed) == (mailbox.role is role)


@pytest.mark.parametrize("body", [b"body", b"x" * 1_000 * 1_000])
async def test_ranges_that_are_left_out_are_in_no_copy(ports: Ports, body: bytes) -> None:
    with Spool() as spool:
        spool.write(b"A: b\r\nForged: x\r\nB: c\r\nForged: y\r\n\r\n" + body)
        raw = spool.octets()
        await ports.deliver(ALICE, external=("x@else.example",), raw=raw, left_out=((6, 17), (23, 34)))
        left = RECEIVED + b"A: b\r\nB: c\r\n\r\n" + body
        assert ports.inbox(ALICE) == [b"Return-Path: <x@y.example>\r\n" + left]
        assert [bytes(mail.raw) for mail in ports.queue.mails] == [left]
