"""DNS questions. Absence is an empty answer; what could not be learned raises TryAgainLater."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

IpVersion = Literal[4, 6]


@dataclass(frozen=True, slots=True, kw_only=True)
class MailExchanger:
    """host: A-label without the closing dot; "" for a null MX (RFC 7505)."""

    preference: int
    host: str


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
