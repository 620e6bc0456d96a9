"""The runner of the outbound queue: lease what is due, attempt it, settle each recipient.

Any number of runners work on one queue. A lease is short and is renewed while its attempt lasts; a runner that dies
leaves it to run out, and the item is attempted again: at worst twice, never not at all. RFC 5321 §4.5.4.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

import structlog

from mailstack.model.delivery import Deferred, Failed, Outcome, QueueItem, SmtpReply
from mailstack.model.errors import Damaged, DomainError
from mailstack.model.ids import MailId
from mailstack.model.instant import SECOND_MS, Clock
from mailstack.ports.bus import QUEUE_TOPIC, Bus
from mailstack.ports.queue import Queue
from mailstack.services.outbound.attempt import attempt
from mailstack.services.outbound.destination import Destination, Local, Nowhere, ToDomain, ToRelay, destination
from mailstack.services.outbound.leases import Leases
from mailstack.services.outbound.local import deliver_locally
from mailstack.services.outbound.places import Places
from mailstack.services.outbound.promises import cannot_be_sent
from mailstack.services.outbound.record import BUG, Entry, Record, to_the_end
from mailstack.services.outbound.route import Hold
from mailstack.services.outbound.service import OutboundService

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueLimits:
    """items: leased at once by one runner. per_destination: connections to one domain or relay. per_transaction:
    RFC 5321 §4.5.3.1.8 has every server take 100 recipients. poll_s: how long a lost wake-up can go unnoticed.
    settle_retry_s: between attempts to write down an outcome that the store did not take."""

    items: int = 200
    per_destination: int = 5
    per_transaction: int = 100
    lease_s: float = 60
    poll_s: float = 30
    settle_retry_s: float = 5


class QueueRunner:
    """owner: unlike that of any other runner, past or present. generation: what to work with, asked at each attempt."""

    def __init__(
        self,
        *,
        queue: Queue,
        bus: Bus,
        clock: Clock,
        owner: str,
        generation: Callable[[], OutboundService],
        limits: QueueLimits | None = None,
    ) -> None:
        self._queue = queue
        self._bus = bus
        self._clock = clock
        self._generation = generation
        self._limits = limits or QueueLimits()
        self._leases = Leases(queue=queue, clock=clock, owner=owner, lease_s=self._limits.lease_s)
        self._record = Record(queue=queue, owner=owner, clock=clock, retry_s=self._limits.settle_retry_s)
        self._wake = asyncio.Event()
        self._ended = asyncio.Event()
        self._ended.set()
        self._is_draining = False
        self._working: dict[asyncio.Task[None], Sequence[QueueItem]] = {}
        self._places = Places(self._limits.per_destination)

    async def run(self) -> None:
        """Until drained, or cancelled: then attempts are cut short and their leases run out."""
        unwatch = self._bus.watch(QUEUE_TOPIC, self._wake.set)
        self._ended.clear()
        try:
            async with asyncio.TaskGroup() as group:
                while self._working or not self._is_draining:
                    self._wake.clear()
                    await self._leases.renew()
                    if self._is_draining or not await self._lease(group):
                        await self._sleep()
        finally:
            unwatch()
            self._ended.set()

    async def drain(self, *, grace_s: float) -> int:
        """Leases nothing more and waits for the attempts in flight; returns how many had to be cut short."""
        self._is_draining = True
        self._wake.set()
        try:
            async with asyncio.timeout(grace_s):
                await self._ended.wait()
        except TimeoutError:
            pass
        left = [task for task in self._working if not task.done()]
        for task in left:
            task.cancel()
        await self._ended.wait()
        return len(left)

    async def _lease(self, group: asyncio.TaskGroup) -> bool:
        """True when there may be more at once."""
        free = self._limits.items - len(self._leases)
        items = await self._leases.take(limit=free) if free > 0 else ()
        by_mail: defaultdict[MailId, list[QueueItem]] = defaultdict(list)
        for item in items:
            by_mail[item.mail_id].append(item)
        for of_mail in by_mail.values():
            task = group.create_task(self._work_on(of_mail))
            self._working[task] = of_mail
            task.add_done_callback(self._finished)
        return bool(items)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._leases.drop(self._working.pop(task))
        self._wake.set()

    async def _sleep(self) -> None:
        try:
            due = await self._queue.next_due()
        except DomainError as fault:
            log.warning("queue not read", fault=repr(fault))
            due = None
        wait_s = self._limits.poll_s if due is None else (due - self._clock()) / SECOND_MS
        if self._working:
            wait_s = min(wait_s, self._limits.lease_s / 3)
        # Not less than a moment: an item that is due and leased by another runner must not make this one spin.
        wait_s = max(min(wait_s, self._limits.poll_s), 0.05)
        try:
            async with asyncio.timeout(wait_s):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _work_on(self, items: Sequence[QueueItem]) -> None:
        """All that was leased of one mail. What is not settled here is leased again when its lease has run out."""
        service = self._generation()
        try:
            by_way: defaultdict[Destination, list[QueueItem]] = defaultdict(list)
            for item in items:
                by_way[await self._way(service, item)].append(item)
        except DomainError as fault:
            log.warning("directory not read", mail=items[0].mail_id, fault=repr(fault))
            return
        except Exception:
            log.exception("no way found", mail=items[0].mail_id)
            await self._end(service, items, BUG, b"")
            return
        async with asyncio.TaskGroup() as group:
            for way, chosen in by_way.items():
                for at in range(0, len(chosen), self._limits.per_transaction):
                    part = chosen[at : at + self._limits.per_transaction]
                    group.create_task(self._go(service, way, part))

    async def _way(self, service: OutboundService, item: QueueItem) -> Destination:
        return await destination(service.accounts, service.routes, item.recipient, is_backup=service.is_backup)

    async def _go(self, service: OutboundService, way: Destination, items: Sequence[QueueItem]) -> None:
        """Raises nothing: the other ways of the same mail go on. The worker loop's place for what nobody expected."""
        try:
            match way:
                case ToRelay() | ToDomain():
                    refusal = cannot_be_sent(items[0].handling)
                    if refusal is not None:
                        await self._end(service, items, refusal, await self._content(items))
                        return
                    async with self._places.one(way):
                        await self._send(service, way, items)
                case Local():
                    await self._store(service, items)
                case Nowhere(detail):
                    nowhere = Failed(reply=SmtpReply(code=553, status="5.1.3", text=detail), host="")
                    await self._end(service, items, nowhere, await self._content(items))
                case Hold():
                    await self._write(service, [_held(item) for item in items], b"")
        except Damaged as fault:
            log.error("a queued mail is damaged", mail=items[0].mail_id, fault=fault.detail)
            await self._end(service, items, _DAMAGED, b"")
        except DomainError as fault:
            log.warning("not attempted", mail=items[0].mail_id, fault=repr(fault))
        except Exception:
            log.exception("attempt failed", mail=items[0].mail_id)
            await self._end(service, items, BUG, b"")

    async def _content(self, items: Sequence[QueueItem]) -> bytes:
        # Only once its turn has come: a hundred large mails that wait for one slow host must not fill the memory.
        return await self._queue.content(items[0].mail_id)

    async def _send(self, service: OutboundService, way: ToRelay | ToDomain, items: Sequence[QueueItem]) -> None:
        known = self._places.unreached(way)
        content = await self._content(items)
        if not self._leases.are_held(items):
            log.warning("lease lost before the attempt", mail=items[0].mail_id)
            return
        relay = way.relay.hop.host if isinstance(way, ToRelay) else ""
        if known is not None:
            await self._write(service, [Entry(item=item, outcome=known, relay=relay) for item in items], content)
            return
        async with aclosing(attempt(service, way, items, content)) as answered:
            async for part in answered:
                unreached = [found for _, found in part if isinstance(found, Deferred) and not found.host]
                if len(unreached) == len(items):
                    self._places.note_unreached(way, unreached[0])
                entries = [Entry(item=item, outcome=found, relay=relay) for item, found in part]
                await self._write(service, entries, content)

    async def _end(
        self, service: OutboundService, items: Sequence[QueueItem], outcome: Outcome, content: bytes
    ) -> None:
        """What was settled already stays as it is: its lease is over."""
        await self._write(service, [Entry(item=item, outcome=outcome) for item in items], content)

    async def _store(self, service: OutboundService, items: Sequence[QueueItem]) -> None:
        content = await self._content(items)
        for item in items:
            if not self._leases.are_held([item]):
                log.warning("lease lost before the attempt", mail=item.mail_id)
                return
            await self._write(service, await to_the_end(self._store_one(service, item, content)), content)

    async def _store_one(self, service: OutboundService, item: QueueItem, content: bytes) -> list[Entry]:
        result = await deliver_locally(service, item, content, self._clock())
        entry = Entry(item=item, outcome=result.outcome, further=result.further)
        return await self._record.write_once(service, [entry], content)

    async def _write(self, service: OutboundService, entries: Sequence[Entry], content: bytes) -> None:
        await self._record.write(service, entries, content)
        self._leases.drop([entry.item for entry in entries])


def _held(item: QueueItem) -> Entry:
    return Entry(item=item, outcome=_HELD, is_held=True)


_HELD = Deferred(reply=SmtpReply(code=450, status="4.7.0", text="held here"), host="")
_DAMAGED = Failed(reply=SmtpReply(code=554, status="5.3.0", text="the stored copy is damaged"), host="")
