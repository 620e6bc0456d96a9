"""Mail of the queue that a person gives up: it leaves, and its sender hears of it at once, or nobody does. The server's
log has who did it. RFC 5321 §6.1."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mailstack.model.delivery import Failed, QueueItem, Settlement, SmtpReply
from mailstack.model.errors import Damaged
from mailstack.model.hand_note import HandAction, HandNote
from mailstack.model.ids import QueueItemId
from mailstack.model.instant import MINUTE_MS, Clock, Instant
from mailstack.ports.hand_notes import HandNotes
from mailstack.ports.queue import Queue
from mailstack.services.inbound.forwarding import Forwarding
from mailstack.services.outbound.bounce import Reporter, failure_notice

LEASE_MS = 5 * MINUTE_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class HandReporter:
    """bounce.Reporter where no server is built. token: random bytes."""

    hostname: str
    forwarding: Forwarding
    token: Callable[[int], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """What a person works on the queue with. by: their name."""

    queue: Queue
    notes: HandNotes
    by: str
    clock: Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """notices: fewer than items where no notice may or need be sent."""

    items: int = 0
    notices: int = 0


async def give_back(hand: Hand, reporter: Reporter, item_ids: Sequence[QueueItemId], *, owner: str) -> Returned:
    """Those that nobody attempts just now. owner: of leases, unlike any other."""
    queue, now = hand.queue, hand.clock()
    taken = await queue.take(owner, item_ids, now=now, until=Instant(now + LEASE_MS))
    left: list[QueueItem] = []
    notices = 0
    for item in taken:
        failed = Failed(reply=_given_up(item), host="")
        told = failure_notice(reporter, item, failed, await _content(queue, item), now)
        if await queue.settle(owner, [Settlement(item_id=item.item_id, outcome=failed, notices=told)]):
            left.append(item)
            notices += len(told)
    await _note(hand, left, HandAction.GIVEN_UP)
    return Returned(items=len(left), notices=notices)


async def drop(hand: Hand, item_ids: Sequence[QueueItemId]) -> int:
    """Likewise; returns how many."""
    left = await hand.queue.drop(item_ids, now=hand.clock())
    await _note(hand, left, HandAction.DROPPED)
    return len(left)


async def _note(hand: Hand, items: Sequence[QueueItem], action: HandAction) -> None:
    now = hand.clock()
    notes = [
        HandNote(
            item_id=item.item_id,
            mail_id=item.mail_id,
            trace_id=item.trace_id,
            reverse_path=item.reverse_path,
            recipient=item.recipient,
            action=action,
            by=hand.by,
            at=now,
        )
        for item in items
    ]
    if notes:
        await hand.notes.add(notes)


async def _content(queue: Queue, item: QueueItem) -> bytes:
    try:
        return await queue.content(item.mail_id)
    except Damaged:
        return b""  # its sender hears of it all the same


def _given_up(item: QueueItem) -> SmtpReply:
    last = f"; the last attempt ended in: {item.last_reply}" if item.last_reply is not None else ""
    # RFC 3463 §3.4, X.3.0: of the mail system, and nothing more is known.
    return SmtpReply(code=554, status="5.3.0", text=f"given up by the postmaster{last}")
