"""Keeps a record of what each peer does wrong, and says who is banned. Neither waits for anything: both are asked for
each connection, and the second before anything else is done for it.

What it concludes is in force here at once; whoever keeps bans for all nodes stores it, and shows what they all have.
The record is one machine's, of which each worker keeps a part.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import structlog

from mailstack.model.conduct import (
    Ban,
    BanRules,
    Offence,
    Record,
    fades_at,
    next_ban,
    peer_of,
    points_until,
    with_offence,
)
from mailstack.model.instant import Clock, iso

PEERS_REMEMBERED = 20_000

log = structlog.get_logger()


class Elsewhere(Protocol):
    """When the records of other workers of this machine fade, as net.shared_marks has it."""

    def put(self, peer: str, mark: float) -> None: ...

    def drop(self, peer: str) -> None: ...

    def of_others(self, peer: str) -> Sequence[float]: ...


class Conduct:
    """rules: of the generation that serves; None: nobody is banned. on_ban: called when there is one to store.
    elsewhere: None: no other worker has any record."""

    def __init__(self, *, clock: Clock) -> None:
        self.rules: BanRules | None = None
        self.elsewhere: Elsewhere | None = None
        self.on_ban: Callable[[], None] | None = None
        self._clock = clock
        self._records: OrderedDict[str, Record] = OrderedDict()
        self._banned: dict[str, Ban] = {}
        self._unstored: dict[str, Ban] = {}

    def ban_of(self, host: str) -> Ban | None:
        if not self._banned or self.rules is None:
            return None
        ban = self._banned.get(_peer(host))
        if ban is None or ban.until <= self._clock() or host in self.rules.never:
            return None
        return ban

    def bans_in_force(self) -> int:
        now = self._clock()
        return sum(ban.until > now for ban in self._banned.values())

    def watches(self, host: str) -> bool:
        """False: nothing that it does is held against it."""
        return self.rules is not None and host not in self.rules.never and _peer(host) != ""

    def note(self, host: str, offence: Offence) -> None:
        rules, peer = self.rules, _peer(host)
        if rules is None or not self.watches(host):
            return
        record = with_offence(self._records.get(peer), offence, self._clock())
        if record.points + self._points_elsewhere(peer, record, rules) < rules.after or peer in self._unstored:
            self._keep(peer, record)
            return
        self._forget(peer)
        self._ban(next_ban(peer, offence.value, record.at, last=None, rules=rules))

    def unstored(self) -> list[Ban]:
        """Each for as long as a first one lasts: who stores it knows whether it is."""
        return [*self._unstored.values()]

    def stored(self, ban: Ban) -> None:
        self._unstored.pop(ban.peer, None)
        log.warning("banned", peer=ban.peer, reason=ban.reason, until=iso(ban.until), times=ban.times)

    def show(self, bans: Iterable[Ban]) -> None:
        """All that are in force anywhere. Who was let off or has served the time begins anew."""
        before, self._banned = self._banned, {ban.peer: ban for ban in bans} | self._unstored
        for peer in before.keys() - self._banned.keys():
            self._forget(peer)

    def _points_elsewhere(self, peer: str, record: Record, rules: BanRules) -> float:
        if self.elsewhere is None:
            return 0.0
        return sum(points_until(fading, record.at, most=rules.after) for fading in self.elsewhere.of_others(peer))

    def _ban(self, ban: Ban) -> None:
        self._banned[ban.peer] = self._unstored[ban.peer] = ban
        # While the store is away, nothing takes them off.
        if len(self._unstored) > PEERS_REMEMBERED:
            oldest = next(iter(self._unstored))
            del self._unstored[oldest], self._banned[oldest]
        if self.on_ban is not None:
            self.on_ban()

    def _keep(self, peer: str, record: Record) -> None:
        self._records[peer] = record
        self._records.move_to_end(peer)
        if self.elsewhere is not None:
            self.elsewhere.put(peer, fades_at(record))
        # Whoever is forgotten first has done nothing for the longest time.
        if len(self._records) > PEERS_REMEMBERED:
            self._forget(next(iter(self._records)))

    def _forget(self, peer: str) -> None:
        self._records.pop(peer, None)
        if self.elsewhere is not None:
            self.elsewhere.drop(peer)


def _peer(host: str) -> str:
    """ "" for what is no address: a socket that is gone already."""
    try:
        return peer_of(host)
    except ValueError:
        return ""
