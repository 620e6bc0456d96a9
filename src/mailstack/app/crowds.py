"""Keeps limits on connections for all nodes together: tells of the crowds of this worker, and hears of the others'.

A crowd that grows is told within a tenth of a second, and whoever holds connections of the same peer tells theirs then.
Nothing is told, and nothing written, while no peer has more than a tenth of its limit on any node. What a burst got
from several nodes at once beyond the limit is parted with as soon as all have told of it. Without the database each
node keeps the limit for itself.
"""

import asyncio
from collections.abc import Mapping, Sequence

import structlog

from mailstack.model.errors import DomainError
from mailstack.model.instant import SECOND_MS, Clock, Instant
from mailstack.net.admission import Admission
from mailstack.net.surplus import surplus_of
from mailstack.ports.bus import CROWD_TOPIC, Bus
from mailstack.ports.crowds import Crowds

log = structlog.get_logger()

LOOK_EVERY_S = 3.0
GATHER_S = 0.1
WORD_MS = 15 * SECOND_MS
"""How long others go by what a worker told; a crowd that lasts is told anew in time."""
RENEW_MS = 5 * SECOND_MS


class CrowdKeeper:
    """Begins at once, ends when cancelled by `end`. worker: unlike any other, of any node."""

    def __init__(
        self, crowds: Crowds, bus: Bus, admissions: Sequence[Admission], *, node: str, worker: str, clock: Clock
    ) -> None:
        self._crowds = crowds
        self._bus = bus
        self._admissions = admissions
        self._node = node
        self._worker = worker
        self._clock = clock
        self._told: dict[str, int] = {}
        self._seen_in_surplus: set[str] = set()
        self._renew_at = Instant(0)
        self._is_failing = False
        self._wake = asyncio.Event()
        for admission in admissions:
            admission.on_crowd = self._wake.set
        self._end_watch = bus.watch(CROWD_TOPIC, self._wake.set)
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def end(self) -> None:
        """What was told ends by itself in a few seconds."""
        self._end_watch()
        for admission in self._admissions:
            admission.on_crowd = None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._wake.wait()
            except TimeoutError:
                pass
            else:
                await asyncio.sleep(GATHER_S)
            self._wake.clear()
            await self._exchange()

    async def _exchange(self) -> None:
        try:
            await self._tell()
            self._hear(await self._crowds.elsewhere(self._node, now=self._clock()))
            await self._part_with_surplus()
            self._is_failing = False
        except (DomainError, OSError) as fault:
            self._hear({})
            self._told = {}
            self._renew_at = Instant(0)
            if not self._is_failing:
                log.warning("limits hold for each node alone", fault=repr(fault))
            self._is_failing = True
        except Exception:  # a bug met here must not leave this worker alone for good
            log.exception("crowds not exchanged")
        if not self._is_failing and self._counts() != self._told:
            self._wake.set()

    async def _tell(self) -> None:
        now, counts = self._clock(), self._counts()
        is_due = now >= self._renew_at and bool(counts or self._told)
        changed = {peer: count for peer, count in counts.items() if self._told.get(peer) != count}
        changed |= dict.fromkeys(self._told.keys() - counts.keys(), 0)
        if not changed and not is_due:
            return
        await self._crowds.tell(
            self._worker, self._node, counts | changed if is_due else changed, until=Instant(now + WORD_MS)
        )
        self._told = counts
        if changed:
            self._bus.publish(CROWD_TOPIC)
        if is_due:
            await self._crowds.forget_ended(now=now)
            self._renew_at = Instant(now + RENEW_MS)

    async def _part_with_surplus(self) -> None:
        """Of those that were in surplus the last time too: in between, whoever had told of connections that have ended
        since has told so."""
        seen = {peer: each for each in self._admissions for peer in each.crowds_in_surplus()}
        lasting, self._seen_in_surplus = seen.keys() & self._seen_in_surplus, {*seen}
        if seen.keys() - lasting:
            self._bus.publish(CROWD_TOPIC)
            self._wake.set()
        if not lasting:
            return
        for peer, holders in (await self._crowds.holders(lasting, now=self._clock())).items():
            admission = seen[peer]
            surplus = surplus_of(self._worker, holders, admission.limit)
            parted = admission.part_with(peer, surplus, of=holders.get(self._worker, 0))
            if parted:
                log.info("parted with connections", peer=peer, connections=parted, limit=admission.limit)

    def _hear(self, elsewhere: Mapping[str, int]) -> None:
        for admission in self._admissions:
            admission.elsewhere = elsewhere

    def _counts(self) -> dict[str, int]:
        """Each admission's peers have names of their own."""
        return {peer: count for admission in self._admissions for peer, count in admission.crowds().items()}
