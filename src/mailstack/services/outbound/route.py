"""Which way mail leaves, by who it is for, who takes mail for them and who sent it: the first matching route of the
spec, else straight to the mail exchangers of its domain.

Pure; what a domain's exchangers are is mx.py's question.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from mailstack.model.address import Address
from mailstack.model.delivery import NextHop
from mailstack.model.tls_policy import LeastTls
from mailstack.model.warm_up import WarmUp


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """Everything goes through one server. name: as the spec calls it. mark: of all that is said of it there, so that
    one that was set up otherwise has another."""

    name: str
    hop: NextHop
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Direct:
    """RFC 5321 §5.1: to the domain's mail exchangers."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Nothing leaves: the sandbox keeps mail for people to look at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gradual:
    """A share goes direct, the rest by the relay."""

    warm_up: WarmUp
    meanwhile: Relay


Way = Relay | Direct | Gradual | Hold

DIRECT = Direct()
HOLD = Hold()


GoesDirect = Callable[[Gradual, str], Awaitable[bool]]
"""Whether the mail in question is in the share that goes straight to that provider."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """to: a glob (*, ?, [seq]) over recipient domains in lower-case A-labels. sender: one over those of senders, or an
    address key; mx: one over hosts that take mail for a recipient's domain. None for all. least: of mail that goes
    direct; a relay has TLS of its own. sources: addresses of ours that this mail leaves from, () for all."""

    to: str
    via: Way
    least: LeastTls = LeastTls.OPPORTUNISTIC
    sender: str | None = None
    mx: str | None = None
    sources: tuple[str, ...] = ()

    def matches(self, domain: str, sender: Address | None) -> bool:
        """But for `mx`, which costs a question to know."""
        return fnmatchcase(domain, self.to) and (self.sender is None or _is_from(sender, self.sender))


REST = Route(to="*", via=DIRECT)


@dataclass(frozen=True, slots=True)
class RouteTable:
    """First match wins. rest: for what matches none, and for domains that we are a backup of."""

    routes: Sequence[Route] = ()
    rest: Route = REST

    @property
    def relays(self) -> frozenset[Relay]:
        """By which mail may leave."""
        ways = (route.via.meanwhile if isinstance(route.via, Gradual) else route.via for route in self.routes)
        return frozenset(way for way in ways if isinstance(way, Relay))

    def way(self, domain: str, *, sender: Address | None, hosts: Collection[str] | None = None) -> Way | None:
        """As route."""
        found = self.route(domain, sender=sender, hosts=hosts)
        return None if found is None else found.via

    def route(self, domain: str, *, sender: Address | None, hosts: Collection[str] | None = None) -> Route | None:
        """domain: as address.domain_key gives it. sender: of the envelope, None for the null path. hosts: as of
        mx.best_hosts. None where it depends on them and they were not given."""
        for route in self.routes:
            if not route.matches(domain, sender):
                continue
            if route.mx is None:
                return route
            if hosts is None:
                return None
            if any(fnmatchcase(host, route.mx) for host in hosts):
                return route
        return self.rest


def _is_from(sender: Address | None, pattern: str) -> bool:
    if sender is None:
        return False
    # RFC 5321 §4.1.2: "*" and "?" are letters of a local part as any other, so that an address is no pattern.
    return sender.key == pattern if "@" in pattern else fnmatchcase(sender.domain, pattern)
