"""Outcomes on their way into the queue. A known outcome is written whatever happens, for one that is forgotten sends
the mail a second time: a cancellation waits for the write, a store that cannot write is asked again."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any

import structlog

from mailstack.model.delivery import (
    Deferred,
    Delivered,
    Failed,
    Outcome,
    OutgoingMail,
    QueueItem,
    Settlement,
    SmtpReply,
)
from mailstack.model.errors import DomainError
from mailstack.model.instant import Clock, Instant, as_datetime
from mailstack.model.source import Source
from mailstack.model.tls_policy import TlsUsed
from mailstack.ports.queue import Queue
from mailstack.services.outbound.relays import is_outdated
from mailstack.services.outbound.schedule import next_attempt
from mailstack.services.outbound.service import OutboundService
from mailstack.services.outbound.settle import settlement

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """further: mail that is enqueued with it. is_held: a deferral that waits for a person.
    relay: the host that was to take it, for the log, which names it even where it was not reached; "" without one.
    ms: since its attempt began; None without one."""

    item: QueueItem
    outcome: Outcome
    further: tuple[OutgoingMail, ...] = ()
    is_held: bool = False
    relay: str = ""
    ms: int | None = None


class Record:
    """retry_s: between attempts to write, for as long as the runner lives. generation: that serves."""

    def __init__(
        self, *, queue: Queue, owner: str, clock: Clock, retry_s: float, generation: Callable[[], OutboundService]
    ) -> None:
        self._queue = queue
        self._owner = owner
        self._clock = clock
        self._retry_s = retry_s
        self._generation = generation

    async def write(self, service: OutboundService, entries: Sequence[Entry], content: bytes) -> None:
        """Returns when all are written. content: of their mail, for notices."""
        left = entries
        while left:
            left = await to_the_end(self.write_once(service, left, content))
            if left:
                await asyncio.sleep(self._retry_s)

    async def write_once(self, service: OutboundService, entries: Sequence[Entry], content: bytes) -> list[Entry]:
        """Those that could not be written.

        All in one transaction: a mail to a hundred waits for the disk once. Where that fails, each in its own: one that
        cannot be written, as for a notice that has no room, keeps none of the others from it."""
        if await self._are_written(service, entries, content):
            return []
        if len(entries) == 1:
            return [*entries]
        are_written = await asyncio.gather(*(self._are_written(service, [entry], content) for entry in entries))
        return [entry for entry, is_written in zip(entries, are_written, strict=True) if not is_written]

    async def _are_written(self, service: OutboundService, entries: Sequence[Entry], content: bytes) -> bool:
        try:
            await self._settle(entries, [self._settlement(service, entry, content) for entry in entries])
        except DomainError as fault:
            log.warning("not settled", mail=entries[0].item.mail_id, recipients=len(entries), fault=repr(fault))
            return False
        except Exception:  # the lease runs out, and it is tried again
            log.exception("not settled", mail=entries[0].item.mail_id, recipients=len(entries))
            return False
        return True

    def _settlement(self, service: OutboundService, entry: Entry, content: bytes) -> Settlement:
        now = self._clock()
        if entry.is_held:
            return Settlement(item_id=entry.item.item_id, outcome=entry.outcome, notices=entry.further)
        try:
            found = settlement(service, entry.item, entry.outcome, content, now)
        except Exception:
            # A notice that cannot be written must neither be lost nor block: tried again later, in the end by a person.
            log.exception("no settlement", mail=entry.item.mail_id)
            next_at = next_attempt(
                service.schedule, tries=entry.item.tries + 1, queued_at=entry.item.queued_at, now=now
            )
            return Settlement(item_id=entry.item.item_id, outcome=BUG, next_at=next_at)
        # One whose attempt was still under way when its relay was put right.
        next_at = now if is_outdated(found.outcome, self._generation().routes) else found.next_at
        return replace(found, next_at=next_at, notices=(*found.notices, *entry.further))

    async def _settle(self, entries: Sequence[Entry], found: Sequence[Settlement]) -> None:
        ours = await self._queue.settle(self._owner, found)
        for entry, settled in zip(entries, found, strict=True):
            _tell(entry, settled, is_lost=settled.item_id not in ours)


def _tell(entry: Entry, settled: Settlement, *, is_lost: bool) -> None:
    """is_lost: the lease was another's."""
    item, outcome = entry.item, settled.outcome
    known = log.bind(trace=item.trace_id, mail=item.mail_id, sender=item.reverse_path, recipient=item.recipient)
    if entry.is_held:
        known.info("held", lease_lost=is_lost)
        return
    if isinstance(outcome, Deferred) and outcome.until is not None:
        known.debug("not tried yet", next_at=_iso(settled.next_at))  # places.py has said why, once for all
        return
    known.info(
        _EVENTS[type(outcome)],
        host=outcome.host or entry.relay,
        reply=str(outcome.reply),
        tries=item.tries + 1,
        next_at=_iso(settled.next_at),
        lease_lost=is_lost,
        **({} if entry.ms is None else {"ms": entry.ms}),
        **_tls_facts(outcome.tls),
        **_source_facts(outcome.source),
    )


async def to_the_end(work: Coroutine[Any, Any, list[Entry]]) -> list[Entry]:
    """A cancellation counts once the work is done."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _tls_facts(tls: TlsUsed | None) -> dict[str, str]:
    """tls_failure: a result type of RFC 8460 §4.3, where there is one."""
    if tls is None:
        return {}
    facts = {
        "tls_policy": tls.policy,
        "tls_least": tls.least.value,
        "tls_version": tls.version,
        "tls_cipher": tls.cipher,
    }
    return facts if tls.failure is None else {**facts, "tls_failure": tls.failure.value}


def _source_facts(source: Source | None) -> dict[str, str]:
    return {} if source is None else {"source": source.address, "ehlo": source.name}


def _iso(instant: Instant | None) -> str | None:
    return None if instant is None else as_datetime(instant).isoformat(timespec="seconds").replace("+00:00", "Z")


BUG = Deferred(reply=SmtpReply(code=451, status="4.3.0", text="an error of this server"), host="")
_EVENTS = {Delivered: "sent", Deferred: "deferred", Failed: "failed"}
