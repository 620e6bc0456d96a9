"""DNS in memory: what a test puts in, and failures on demand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from mailstack.model.errors import TryAgainLater
from mailstack.model.tls_policy import TlsaRecord
from mailstack.ports.resolver import Answer, IpVersion, MailExchanger

T = TypeVar("T")


@dataclass
class MemoryResolver:
    """Works as ports.resolver.Resolver and SecureResolver. failing: names whose questions raise TryAgainLater. secure:
    names that DNSSEC vouches for."""

    exchangers: Mapping[str, Sequence[MailExchanger]] = field(default_factory=dict)
    hosts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    txt: Mapping[str, Sequence[str]] = field(default_factory=dict)
    reverse: Mapping[str, Sequence[str]] = field(default_factory=dict)
    tlsa: Mapping[str, Sequence[TlsaRecord]] = field(default_factory=dict)
    failing: set[str] = field(default_factory=set)
    secure: set[str] = field(default_factory=set)

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

    async def exchangers_answer(self, domain: str) -> Answer[MailExchanger]:
        return self._answer(self.exchangers, domain)

    async def addresses_answer(self, host: str) -> Answer[str]:
        return self._answer(self.hosts, host)

    async def alias_answer(self, name: str) -> Answer[str]:
        return self._answer({}, name)

    async def tlsa_answer(self, name: str) -> Answer[TlsaRecord]:
        return self._answer(self.tlsa, name)

    def _answer(self, table: Mapping[str, Sequence[T]], name: str) -> Answer[T]:
        return Answer(values=tuple(self._found(table, name)), is_secure=name in self.secure, name=name)

    def _found(self, table: Mapping[str, Sequence[T]], name: str) -> Sequence[T]:
        if name in self.failing:
            raise TryAgainLater(f"DNS: {name} timed out")
        return table.get(name, ())
