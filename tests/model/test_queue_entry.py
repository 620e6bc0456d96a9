"""Whom a filter of the queue means, where the command line does not show it (tests/cli/test_queue.py)."""

from mailstack.model.delivery import QueueItem, QueueState, SmtpReply
from mailstack.model.ids import MailId, QueueItemId
from mailstack.model.instant import Instant
from mailstack.model.queue_entry import QueueEntry, QueueFilter, Status

ENTRY = QueueEntry(
    item=QueueItem(
        item_id=QueueItemId(7),
        mail_id=MailId(3),
        reverse_path="",
        recipient='"a@b"@X.example',
        state=QueueState.HELD,
        size_bytes=1,
        queued_at=Instant(1_000),
        next_at=Instant(1_000),
        tries=1,
        last_reply=SmtpReply(code=451, status="4.7.1", text="Later"),
        last_host="",
        is_8bit=False,
        smtp_utf8=False,
        trace_id="t",
    ),
    due_at=Instant(1_000),
    is_leased=False,
)


def test_everything_that_is_asked_must_hold() -> None:
    wanted = QueueFilter(item_ids=frozenset({QueueItemId(7)}), domain="x.*", statuses=frozenset({Status.HELD}))
    assert wanted.takes(ENTRY)
    assert QueueFilter().takes(ENTRY)
    assert not QueueFilter(domain="x.example", trace_id="other").takes(ENTRY)
    assert not QueueFilter(item_ids=frozenset({QueueItemId(8)})).takes(ENTRY)


def test_what_came_at_that_moment_did_not_come_before_it() -> None:
    assert not QueueFilter(queued_before=Instant(1_000)).takes(ENTRY)
    assert QueueFilter(queued_before=Instant(1_001)).takes(ENTRY)


def test_a_null_path_is_asked_for_as_it_is_written() -> None:
    assert QueueFilter(sender="<>").takes(ENTRY)
    assert not QueueFilter(sender="?*@*").takes(ENTRY)


def test_a_reply_is_looked_through_with_its_codes() -> None:
    assert QueueFilter(reply="451 4.7.1 later").takes(ENTRY)
    assert not QueueFilter(reply="550").takes(ENTRY)
