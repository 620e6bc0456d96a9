"""Who a mail is for as servers go, and how much of it they get: connections at once, recipients in a time.

A destination is a group of exchangers, or a relay. Exchangers that fit an entry of the spec are one, however many
a provider has. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from mailstack.model.delivery import SmtpReply
from mailstack.model.rate import Rate
from mailstack.services.outbound.destination import ToDomain, ToRelay
from mailstack.services.outbound.mx import Hosts, best_hosts

Group = tuple[str, ...]
"""The names that take the mail: one relay, all exchangers of a domain, sorted, or an entry's pattern."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """concurrency: connections at once, at best, of each worker. rate: of all workers of a machine; None: any."""

    concurrency: int = 5
    rate: Rate | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """relay: the mark of the one that it is, "" for exchangers."""

    group: Group
    limits: Limits
    relay: str = ""

    @property
    def name(self) -> str:
        return self.group[0]


@dataclass(frozen=True, slots=True)
class Entry:
    """pattern: a glob over recipient domains, and over hosts that take their mail."""

    pattern: str
    limits: Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitTable:
    """entries: the first that fits counts. rest: of what fits none."""

    entries: Sequence[Entry] = ()
    rest: Limits = field(default_factory=Limits)

    def place(self, way: ToRelay | ToDomain, hosts: Hosts | SmtpReply) -> Place:
        """hosts: as of attempt.hosts_of."""
        group = _group_of(way, hosts)
        if isinstance(way, ToRelay):
            fitting = (entry.limits for entry in self.entries if _fits(entry, [way.relay.hop.host]))
            return Place(group, next(fitting, self.rest), way.relay.mark)
        found = hosts.found.values if self.entries and isinstance(hosts, Hosts) and hosts.found is not None else ()
        best = best_hosts(way.domain, found) if found else ()
        place = self._named(group, way.domain, best, [each.host.lower() for each in found])
        if way.is_ours and place.limits is self.rest:
            # What a backup took for us is to be handed over as soon as may be.
            return Place(group, Limits(concurrency=self.rest.concurrency))
        return place

    def _named(self, group: Group, domain: str, best: Sequence[str], every: Sequence[str]) -> Place:
        for entry in self.entries:
            if _fits(entry, [domain]):
                return Place((entry.pattern,), entry.limits)
            if _fits(entry, best):
                # Anybody may name a provider's host beside one of their own, which must not speak for the provider.
                is_all = all(_fits(entry, [host]) for host in every)
                return Place((entry.pattern,) if is_all else group, entry.limits)
        return Place(group, self.rest)


def _fits(entry: Entry, names: Sequence[str]) -> bool:
    return any(fnmatchcase(name, entry.pattern) for name in names)


def _group_of(way: ToRelay | ToDomain, hosts: Hosts | SmtpReply) -> Group:
    """Domains of the same exchangers are one destination, a relay is one for all domains."""
    if isinstance(way, ToRelay):
        hop = way.relay.hop
        # With the mark: one that was set up otherwise begins anew.
        return (hop.socket or hop.host, str(hop.port), way.relay.mark)
    found = hosts.found.values if isinstance(hosts, Hosts) and hosts.found else ()
    return tuple(sorted(each.host for each in found if each.host)) or (way.domain,)
