"""What a connection to another server leaves from. Pure: which it is for a mail is clients.smtp's affair."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from ipaddress import ip_address


@dataclass(frozen=True, slots=True)
class Source:
    """address: of the connection's own end, "" before the system has chosen one. name: given in EHLO."""

    address: str
    name: str

    @property
    def version(self) -> int:
        """4 or 6."""
        return ip_address(self.address).version


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What a mail may leave from. among: addresses that its route names, () for all that the server has. mark: decides
    among several, the same one at each attempt."""

    among: tuple[str, ...] = ()
    mark: str = ""


ANYWHERE = Origin()


def candidates(own: Sequence[Source], among: Collection[str]) -> tuple[Source, ...]:
    """Of each family those that a route names, or all where it names none."""
    named = tuple(source for source in own if source.address in among)
    versions = {source.version for source in named}
    return (*named, *(source for source in own if source.version not in versions))
