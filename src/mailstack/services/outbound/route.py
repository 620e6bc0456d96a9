"""Which way mail for a domain leaves: the first matching route of the spec, else straight to its mail exchangers.

Pure; what a domain's exchangers are is mx.py's question.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from mailstack.model.delivery import NextHop


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """Everything goes through one server. name: as the spec calls it."""

    name: str
    hop: NextHop


@dataclass(frozen=True, slots=True)
class Direct:
    """RFC 5321 §5.1: to the domain's mail exchangers."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Nothing leaves: the sandbox keeps mail for people to look at."""


Way = Relay | Direct | Hold

DIRECT = Direct()
HOLD = Hold()


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """to: a glob (*, ?, [seq]) over recipient domains in lower-case A-labels."""

    to: str
    via: Way


@dataclass(frozen=True, slots=True)
class RouteTable:
    """First match wins; what matches none goes direct."""

    routes: Sequence[Route] = ()

    def way(self, domain: str) -> Way:
        """domain: as address.domain_key gives it."""
        for route in self.routes:
            if fnmatchcase(domain, route.to):
                return route.via
        return DIRECT
