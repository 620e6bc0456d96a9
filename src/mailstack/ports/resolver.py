"""DNS questions. Absence is an empty answer; what could not be learned raises TryAgainLater."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Literal, Protocol, TypeVar

from mailstack.model.tls_policy import TlsaRecord

Value = TypeVar("Value")
IpVersion = Literal[4, 6]


@dataclass(frozen=True, slots=True, kw_only=True)
class MailExchanger:
    """host: A-label without the closing dot; "" for a null MX (RFC 7505)."""

    preference: int
    host: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Generic[Value]):
    """is_secure: DNSSEC vouches for it, be it absence, and for every alias on the way to it; never where the spec
    trusts no resolver with that. name: where aliases led to, as A-labels in lower case without the closing dot."""

    values: tuple[Value, ...]
    is_secure: bool
    name: str


class Resolver(Protocol):
    async def mail_exchangers(self, domain: str) -> Sequence[MailExchanger]:
        """As DNS gave them, unsorted; no implicit MX."""
        ...

    async def addresses(self, host: str) -> Sequence[str]:
        """IPv6 and IPv4 addresses as text."""
        ...

    async def addresses_of(self, host: str, version: IpVersion) -> Sequence[str]:
        """Those of one family alone, without asking for the other."""
        ...

    async def names_of(self, address: str) -> Sequence[str]:
        """PTR records of an IPv4 or IPv6 address: A-labels without the closing dot. Not checked in any way."""
        ...

    async def texts(self, name: str) -> Sequence[str]:
        """TXT records, the strings of each joined; bytes above 127 as surrogate escapes."""
        ...


class HostResolver(Protocol):
    """Who takes mail for a domain, and whether DNSSEC vouches for that."""

    async def exchangers_answer(self, domain: str) -> Answer[MailExchanger]:
        """As Resolver.mail_exchangers."""
        ...

    async def addresses_answer(self, host: str) -> Answer[str]:
        """As Resolver.addresses; secure where all of them are."""
        ...


class SecureResolver(HostResolver, Protocol):
    """Questions on which it depends whether a server is known by DNS. What DNSSEC says is forged is not learned, as
    what is not answered: nobody gets past it by cutting it off (RFC 7672 §2.1.2)."""

    async def alias_answer(self, name: str) -> Answer[str]:
        """What the name itself is an alias of, not followed any further."""
        ...

    async def tlsa_answer(self, name: str) -> Answer[TlsaRecord]:
        """name: with port and protocol, `_25._tcp.mx.example.com`."""
        ...
