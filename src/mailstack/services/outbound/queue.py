"""The runner of the outbound queue: lease what is due, attempt it, settle each recipient.

Any number of runners work on one queue. A lease is short and is renewed while its attempt lasts; a runner that dies
leaves it to run out, and the item is attempted again: at worst twice, never not at all. RFC 5321 §4.5.4.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial

import structlog

from mailstack.model.delivery import Deferred, Failed, Outcome, QueueItem, SmtpReply
from mailstack.model.errors import Damaged, DomainError
from mailstack.model.ids import MailId
from mailstack.model.instant import SECOND_MS, Clock, Instant
from mailstack.ports.bus import QUEUE_TOPIC, Bus
from mailstack.ports.queue import Queue
from mailstack.services.outbound.attempt import attempt, hosts_of
from mailstack.services.outbound.destination import (
    Destination,
    Local,
    Nowhere,
    Suppressed,
    ToDomain,
    ToRelay,
    Unknown,
    destination,
    is_elsewhere,
)
from mailstack.services.outbound.held_back import Meters, held_back
from mailstack.services.outbound.leases import WORTH_ASKING, Leases
from mailstack.services.outbound.limits import Group
from mailstack.services.outbound.local import deliver_locally
from mailstack.services.outbound.mx import Hosts, best_hosts
from mailstack.services.outbound.places import Crowd, Places, Room, Slowed
from mailstack.services.outbound.promises import TlsWish, as_promised, tls_wish
from mailstack.services.outbound.record import BUG, Entry, Record, to_the_end
from mailstack.services.outbound.relays import RelayChanges, RelayTroubles, put_off_by
from mailstack.services.outbound.route import GoesDirect, Hold
from mailstack.services.outbound.schedule import expires_at, is_delay_notice_due
from mailstack.services.outbound.service import OutboundService

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueLimits:
    """items, per_lane: leased at once by one runner. per_transaction: RFC 5321 §4.5.3.1.8 has every server take 100
    recipients. memory_bytes: for mails under way. poll_s: how long a lost wake-up can go unnoticed. settle_retry_s:
    between attempts to write down an outcome that the store did not take."""

    items: int = 800
    per_lane: int = 100
    per_transaction: int = 100
    memory_bytes: int = 256 << 20
    lease_s: float = 60
    poll_s: float = 30
    settle_retry_s: float = 5


class QueueRunner:
    """owner: unlike that of any other runner, past or present. generation: what to work with, asked at each attempt.
    meters: how fast destinations were sent to."""

    def __init__(
        self,
        *,
        queue: Queue,
        bus: Bus,
        clock: Clock,
        owner: str,
        generation: Callable[[], OutboundService],
        meters: Meters,
        limits: QueueLimits | None = None,
    ) -> None:
        self._queue = queue
        self._bus = bus
        self._clock = clock
        self._generation = generation
        self._meters = meters
        self._limits = limits or QueueLimits()
        self._leases = Leases(
            queue=queue,
            clock=clock,
            owner=owner,
            lease_s=self._limits.lease_s,
            items=self._limits.items,
            per_lane=self._limits.per_lane,
        )
        self._record = Record(
            queue=queue, owner=owner, clock=clock, retry_s=self._limits.settle_retry_s, generation=generation
        )
        self._wake = asyncio.Event()
        self._ended = asyncio.Event()
        self._ended.set()
        self._is_draining = False
        self._working: dict[asyncio.Task[None], Sequence[QueueItem]] = {}
        self._places = Places(clock)
        self._room = Room(self._limits.memory_bytes)
        self._relays = RelayTroubles(clock)
        self._relay_changes = RelayChanges(queue, clock)

    async def run(self) -> None:
        """Until drained, or cancelled: then attempts are cut short and their leases run out."""
        unwatch = self._bus.watch(QUEUE_TOPIC, self._wake.set)
        self._ended.clear()
        try:
            async with asyncio.TaskGroup() as group:
                while self._working or not self._is_draining:
                    self._wake.clear()
                    await self._leases.renew()
                    await self._relay_changes.follow(self._generation().routes)
                    if self._is_draining or not await self._lease(group):
                        await self._sleep()
        finally:
            unwatch()
            try:
                await self._generation().transport.close()
            finally:
                self._ended.set()

    def look(self) -> None:
        """There may be something to do now, such as another generation to follow."""
        self._wake.set()

    def slowed(self) -> Sequence[Slowed]:
        return self._places.slowed()

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
        """True when there is likely more at once."""
        items = await self._leases.take()
        by_mail: defaultdict[MailId, list[QueueItem]] = defaultdict(list)
        for item in items:
            by_mail[item.mail_id].append(item)
        for of_mail in by_mail.values():
            task = group.create_task(self._work_on(of_mail))
            self._working[task] = of_mail
            task.add_done_callback(self._finished)
        return len(items) >= WORTH_ASKING

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._leases.drop(self._leases.left(self._working.pop(task)))
        if self._leases.have_room or self._is_draining:
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
        # What is due and was not taken waits for others of its kind, whose end wakes this runner, or another has it.
        wait_s = max(min(wait_s, self._limits.poll_s), _BEHIND_S if wait_s <= 0 else 0.05)
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
            goes_direct = service.warming.of_mail(items[0].mail_id)
            ways = await asyncio.gather(*(self._way(service, item, goes_direct) for item in items))
            for item, way in zip(items, ways, strict=True):
                by_way[way].append(item)
            # Each member of a list gets a copy of their own.
            at_once = 1 if await service.lists.has_sent(items[0]) else self._limits.per_transaction
        except DomainError as fault:
            log.warning("directory not read", mail=items[0].mail_id, fault=repr(fault))
            return
        except Exception:  # a bug in one mail must not stop the queue
            log.exception("no way found", mail=items[0].mail_id)
            await self._give_up(service, items, BUG)
            return
        async with asyncio.TaskGroup() as group:
            for way, chosen in by_way.items():
                for at in range(0, len(chosen), at_once):
                    part = chosen[at : at + at_once]
                    group.create_task(self._go(service, way, part))

    async def _way(self, service: OutboundService, item: QueueItem, goes_direct: GoesDirect) -> Destination:
        way = await destination(
            service.accounts,
            service.routes,
            partial(_hosts_of, service),
            item.recipient,
            reverse_path=item.reverse_path,
            goes_direct=goes_direct,
            is_backup=service.is_backup,
        )
        reply = await service.suppression.refusal(item) if is_elsewhere(way) else None
        return way if reply is None else Suppressed(reply)

    async def _go(self, service: OutboundService, way: Destination, items: Sequence[QueueItem]) -> None:
        """Raises nothing: the other ways of the same mail go on. The worker loop's place for what nobody expected."""
        try:
            match way:
                case ToRelay() | ToDomain():
                    await self._send(service, way, items)
                case Local():
                    async with self._room.of(items[0].size_bytes):
                        await self._store(service, items)
                case Nowhere(detail):
                    nowhere = Failed(reply=SmtpReply(code=553, status="5.1.3", text=detail), host="")
                    await self._end(service, items, nowhere, await self._content(items))
                case Suppressed(reply):
                    async with self._room.of(items[0].size_bytes):
                        await self._give_back(service, items, Failed(reply=reply, host=""))
                case Unknown(detail):
                    unknown = Deferred(reply=SmtpReply(code=451, status="4.4.3", text=detail), host="")
                    await self._end(service, items, unknown, await self._content(items))
                case Hold():
                    await self._write(service, [_held(item) for item in items], b"")
        except Damaged as fault:
            log.error("a queued mail is damaged", mail=items[0].mail_id, fault=fault.detail)
            await self._give_up(service, items, _DAMAGED)
        except DomainError as fault:
            log.warning("not attempted", mail=items[0].mail_id, fault=repr(fault))
        except Exception:  # as above
            log.exception("attempt failed", mail=items[0].mail_id)
            await self._give_up(service, items, BUG)

    async def _give_back(self, service: OutboundService, items: Sequence[QueueItem], failed: Failed) -> None:
        """As one that was refused: of a list, whose member it was."""
        items, content = await self._personal(service, items, await self._content(items))
        await self._end(service, items, failed, content)

    async def _personal(
        self, service: OutboundService, items: Sequence[QueueItem], content: bytes
    ) -> tuple[Sequence[QueueItem], bytes]:
        if len(items) > 1:  # no list's: there each has a copy of their own
            return items, content
        own, content = await service.lists.personal(items[0], content)
        return [own], content

    async def _content(self, items: Sequence[QueueItem]) -> bytes:
        # Only once its turn has come: a hundred large mails that wait for one slow host must not fill the memory.
        return await self._queue.content(items[0].mail_id)

    async def _send(self, service: OutboundService, way: ToRelay | ToDomain, items: Sequence[QueueItem]) -> None:
        hosts = await hosts_of(service, way)
        place = service.limits.place(way, hosts)
        came_at = self._clock()
        async with self._places.one(place.group, place.limits.concurrency, items[0].priority) as crowd:
            known = crowd.known(way, came_at)
            now = self._clock()
            is_attempt = known is None and isinstance(hosts, Hosts)
            held = held_back(self._meters, place, crowd.pace, items, now, is_attempt=is_attempt)
            going, rest = items[: len(items) - len(held)], items[len(items) - len(held) :]
            note = partial(self._note, way, place.group, crowd, len(going))
            attempts: list[tuple[Sequence[QueueItem], Outcome | None]] = [(going, known)] if going else []
            if rest and now < expires_at(service.schedule, rest[0].queued_at):
                await self._postpone(service, list(zip(rest, held, strict=True)), now)
            elif rest:
                # Its time is up, and it comes back as any other: with what its sender is to see of it.
                attempts.append((rest, replace(held[0], until=None)))
            for part, outcome in attempts:
                # A list's mail to two hundred hosts is as many copies, and other mail as often the same.
                async with self._room.of(part[0].size_bytes):
                    await self._attempt(service, way, hosts, part, note, outcome)

    async def _postpone(
        self, service: OutboundService, held: Sequence[tuple[QueueItem, Deferred]], now: Instant
    ) -> None:
        """The mail is read only where its sender is to see which one is late."""
        is_told = any(is_delay_notice_due(service.schedule, item, now) for item, _ in held)
        content = await self._content([item for item, _ in held]) if is_told else b""
        await self._write(service, [Entry(item=item, outcome=outcome) for item, outcome in held], content)

    def _note(
        self,
        way: Destination,
        group: Group,
        crowd: Crowd,
        asked: int,
        wish: TlsWish,
        outcomes: Sequence[Outcome],
    ) -> None:
        """asked: recipients of the attempt, of whom these are some."""
        unreached = [found for found in outcomes if isinstance(found, Deferred) and not found.host]
        # Hosts that were passed over for what this mail asks may be good enough for others.
        if len(unreached) == asked and wish is TlsWish.UNSAID:
            crowd.note_unreached(way, unreached[0], self._clock())
        self._places.note(group, crowd, outcomes)
        if isinstance(way, ToRelay):
            self._relays.note(way.relay, outcomes)

    async def _attempt(
        self,
        service: OutboundService,
        way: ToRelay | ToDomain,
        hosts: Hosts | SmtpReply,
        items: Sequence[QueueItem],
        note: Callable[[TlsWish, Sequence[Outcome]], None],
        known: Outcome | None,
    ) -> None:
        """known: what an attempt made while these waited came to; None: nothing is known, so ask."""
        content = await self._content(items)
        if not self._leases.are_held(items):
            log.warning("lease lost before the attempt", mail=items[0].mail_id)
            return
        items, content = await self._personal(service, items, content)
        relay, mark = (way.relay.hop.host, way.relay.mark) if isinstance(way, ToRelay) else ("", "")
        wish = tls_wish(items[0].handling, content, reverse_path=items[0].reverse_path)
        # What stopped others, a policy perhaps, need not stop it.
        if known is not None and wish is not TlsWish.OPTIONAL:
            known = put_off_by(mark, as_promised(known) if wish is TlsWish.REQUIRED else known)
            await self._write(service, [Entry(item=item, outcome=known, relay=relay) for item in items], content)
            return
        began_at = self._clock()
        async with aclosing(attempt(service, way, items, content, hosts=hosts, wish=wish)) as answered:
            async for part in answered:
                note(wish, [found for _, found in part])
                ms = self._clock() - began_at
                entries = [
                    Entry(item=item, outcome=put_off_by(mark, found), relay=relay, ms=ms) for item, found in part
                ]
                await self._write(service, entries, content)

    async def _end(
        self, service: OutboundService, items: Sequence[QueueItem], outcome: Outcome, content: bytes
    ) -> None:
        await self._write(service, [Entry(item=item, outcome=outcome) for item in items], content)

    async def _give_up(self, service: OutboundService, items: Sequence[QueueItem], outcome: Outcome) -> None:
        """What was settled already stays as it is, and may be under way again."""
        await self._end(service, self._leases.left(items), outcome, b"")

    async def _store(self, service: OutboundService, items: Sequence[QueueItem]) -> None:
        content = await self._content(items)
        for item in items:
            if not self._leases.are_held([item]):
                log.warning("lease lost before the attempt", mail=item.mail_id)
                return
            left = await to_the_end(self._store_one(service, item, content))
            await self._record.write(service, left, content)
            self._leases.drop([item])

    async def _store_one(self, service: OutboundService, item: QueueItem, content: bytes) -> list[Entry]:
        item, content = await service.lists.personal(item, content)
        result = await deliver_locally(service, item, content, self._clock())
        entry = Entry(item=item, outcome=result.outcome, further=result.further)
        return await self._record.write_once(service, [entry], content)

    async def _write(self, service: OutboundService, entries: Sequence[Entry], content: bytes) -> None:
        await self._record.write(service, entries, content)
        self._leases.drop([entry.item for entry in entries])


_BEHIND_S = 1.0


async def _hosts_of(service: OutboundService, domain: str) -> Sequence[str]:
    return best_hosts(domain, (await service.resolver.exchangers_answer(domain)).values)


def _held(item: QueueItem) -> Entry:
    return Entry(item=item, outcome=_HELD, is_held=True)


_HELD = Deferred(reply=SmtpReply(code=450, status="4.7.0", text="held here"), host="")
_DAMAGED = Failed(reply=SmtpReply(code=554, status="5.3.0", text="the stored copy is damaged"), host="")
