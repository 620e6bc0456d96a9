"""DNS questions. Absence is an empty answer; what could not be learned raises TryAgainLater."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


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

    async def texts(self, name: str) -> Sequence[str]:
        """TXT records, the strings of each joined; bytes above 127 as surrogate escapes."""
        ...
