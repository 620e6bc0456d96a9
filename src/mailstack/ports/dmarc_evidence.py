"""What receivers have reported of a domain's mail: whether a DMARC policy may be tightened. RFC 9990."""

from dataclasses import dataclass
from typing import Protocol

from mailstack.model.instant import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Of aggregate reports. messages: that this server sent, as receivers counted them. failing: those of them that
    passed neither SPF nor DKIM in alignment."""

    reports: int
    messages: int
    failing: int


class DmarcEvidence(Protocol):
    async def reported(self, domain: str, since: Instant) -> Evidence | None:
        """Of reports whose period began at `since` or later, each counted once. None where nobody reads reports; where
        they are read and none came, that is no None but nothing of each."""
        ...


class NoReports:
    """Works as DmarcEvidence where nobody reads reports: time and the health of DNS decide alone."""

    async def reported(self, domain: str, since: Instant) -> Evidence | None:  # noqa: ARG002  the port's
        return None
