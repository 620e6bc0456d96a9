"""Outcomes on their way into the queue. A known outcome is written whatever happens, for one that is forgotten sends
the mail a second time: a cancellation waits for the write, a store that cannot write is asked again."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from mailstack.model.delivery import Deferred, Delivered, Failed, Outcome, OutgoingMail, QueueItem, SmtpReply
from mailstack.model.errors import DomainError
from mailstack.model.instant import Clock, Instant, as_datetime
from mailstack.ports.queue import Queue
from mailstack.services.outbound.schedule import next_attempt
from mailstack.services.outbound.service import OutboundService
from mailstack.services.outbound.settle import Settlement, settlement

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """further: mail that is enqueued with it. is_held: a deferral that waits for a person.
    relay: the host that was to take it, for the log, which names it even where it was not reached; "" without one."""

    item: QueueItem
    outcome: Outcome
    further: tuple[OutgoingMail, ...] = ()
    is_held: bool = False
    relay: str = ""


class Record:
    """retry_s: between attempts to write, for as long as the runner lives."""

    def __init__(self, *, queue: Queue, owner: str, clock: Clock, retry_s: float) -> None:
        self._queue = queue
        self._owner = owner
        self._clock = clock
        self._retry_s = retry_s

    async def write(self, service: OutboundService, entries: Sequence[Entry], content: bytes) -> None:
        """Returns when all are written. content: of their mail, for notices."""
        left = await to_the_end(self.write_once(service, entries, content))
        while left:
            await asyncio.sleep(self._retry_s)
            left = await to_the_end(self.write_once(service, left, content))

    async def write_once(self, service: OutboundService, entries: Sequence[Entry], content: bytes) -> list[Entry]:
        """Those that could not be written; one that cannot keeps none of the others from it."""
        left = []
        for entry in entries:
            try:
                await self._settle(entry, self._settlement(service, entry, content))
            except DomainError as fault:
                log.warning("not settled", mail=entry.item.mail_id, fault=repr(fault))
                left.append(entry)
            except Exception:
                log.exception("not settled", mail=entry.item.mail_id)
                left.append(entry)
        return left

    def _settlement(self, service: OutboundService, entry: Entry, content: bytes) -> Settlement:
        now = self._clock()
        if entry.is_held:
            return Settlement(outcome=entry.outcome, notices=entry.further)
        try:
            found = settlement(service, entry.item, entry.outcome, content, now)
        except Exception:
            # A notice that cannot be written must neither be lost nor block: tried again later, in the end by a person.
            log.exception("no settlement", mail=entry.item.mail_id)
            next_at = next_attempt(
                service.schedule, tries=entry.item.tries + 1, queued_at=entry.item.queued_at, now=now
            )
            return Settlement(outcome=BUG, next_at=next_at)
        return Settlement(outcome=found.outcome, next_at=found.next_at, notices=(*found.notices, *entry.further))

    async def _settle(self, entry: Entry, found: Settlement) -> None:
        item = entry.item
        was_ours = await self._queue.settle(
            self._owner, item.item_id, found.outcome, next_at=found.next_at, notices=found.notices
        )
        known = log.bind(trace=item.trace_id, mail=item.mail_id, sender=item.reverse_path, recipient=item.recipient)
        if entry.is_held:
            known.info("held", lease_lost=not was_ours)
            return
        known.info(
            _EVENTS[type(found.outcome)],
            host=found.outcome.host or entry.relay,
            reply=str(found.outcome.reply),
            tries=item.tries + 1,
            next_at=_iso(found.next_at),
            lease_lost=not was_ours,
        )


async def to_the_end(work: Coroutine[Any, Any, list[Entry]]) -> list[Entry]:
    """A cancellation counts once the work is done."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _iso(instant: Instant | None) -> str | None:
    return None if instant is None else as_datetime(instant).isoformat(timespec="seconds").replace("+00:00", "Z")


BUG = Deferred(reply=SmtpReply(code=451, status="4.3.0", text="an error of this server"), host="")
_EVENTS = {Delivered: "sent", Deferred: "deferred", Failed: "failed"}
