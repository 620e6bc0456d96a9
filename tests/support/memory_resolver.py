"""DNS in memory: what a test puts in, and failures on demand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from mailstack.model.errors import TryAgainLater
from mailstack.ports.resolver import IpVersion, MailExchanger

T = TypeVar("T")


@dataclass
class MemoryResolver:
    """Works as ports.resolver.Resolver. failing: names whose questions raise TryAgainLater."""

    exchangers: Mapping[str, Sequence[MailExchanger]] = field(default_factory=dict)
    hosts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    txt: Mapping[str, Sequence[str]] = field(default_factory=dict)
    reverse: Mapping[str, Sequence[str]] = field(default_factory=dict)
    failing: set[str] = field(default_factory=set)

    async def mail_exchangers(self, domain: str) -> Sequence[MailExchanger]:
        return self._found(self.exchangers, domain)

    async def addresses(self, host: str) -> Sequence[str]:
        return self._found(self.hosts, host)

    async def addresses_of(self, host: str, version: IpVersion) -> Sequence[str]:
        return [found for found in self._found(self.hosts, host) if (":" in found) == (version == 6)]

    async def names_of(self, address: str) -> Sequence[str]:
        return self._found(self.reverse, address)

    async def texts(self, name: str) -> Sequence[str]:
        return self._found(self.txt, name)

    def _found(self, table: Mapping[str, Sequence[T]], name: str) -> Sequence[T]:
        if name in self.failing:
            raise TryAgainLater(f"DNS: {name} timed out")
        return table.get(name, ())
