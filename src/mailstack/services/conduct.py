"""Keeps a record of what each peer does wrong, and says who is banned. Neither waits for anything: both are asked for
each connection, and the second before anything else is done for it.

What it concludes is in force here at once; whoever keeps bans for all nodes stores it, and shows what they all have.
The record is one worker's: with four of them, who spreads offences over all may do four times as many.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable

import structlog

from mailstack.model.conduct import Ban, BanRules, Offence, Record, next_ban, peer_of, with_offence
from mailstack.model.instant import Clock, iso

PEERS_REMEMBERED = 20_000

log = structlog.get_logger()


class Conduct:
    """rules: of the generation that serves; None: nobody is banned. on_ban: called when there is one to store."""

    def __init__(self, *, clock: Clock) -> None:
        self.rules: BanRules | None = None
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

    def note(self, host: str, offence: Offence) -> None:
        rules, peer = self.rules, _peer(host)
        if rules is None or not peer or host in rules.never:
            return
        record = with_offence(self._records.get(peer), offence, self._clock())
        if record.points < rules.after or peer in self._unstored:
            self._keep(peer, record)
            return
        self._records.pop(peer, None)
        self._ban(next_ban(peer, offence.value, record.at, last=None, rules=rules))

    def unstored(self) -> list[Ban]:
        """Each for as long as a first one lasts: who stores it knows whether it is."""
        return [*self._unstored.values()]

    def stored(self, ban: Ban) -> None:
        self._unstored.pop(ban.peer, None)
        log.warning("banned", peer=ban.peer, reason=ban.reason, until=iso(ban.until), times=ban.times)

    def show(self, bans: Iterable[Ban]) -> None:
        """All that are in force anywhere."""
        self._banned = {ban.peer: ban for ban in bans} | self._unstored

    def _ban(self, ban: Ban) -> None:
        self._banned[ban.peer] = self._unstored[ban.peer] = ban
        if self.on_ban is not None:
            self.on_ban()

    def _keep(self, peer: str, record: Record) -> None:
        self._records[peer] = record
        self._records.move_to_end(peer)
        # Whoever is forgotten first has done nothing for the longest time.
        if len(self._records) > PEERS_REMEMBERED:
            self._records.popitem(last=False)


def _peer(host: str) -> str:
    """ "" for what is no address: a socket that is gone already."""
    try:
        return peer_of(host)
    except ValueError:
        return ""
