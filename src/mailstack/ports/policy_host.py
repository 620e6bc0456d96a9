"""Where other domains' MTA-STS policies are to be had. RFC 8461 §3.3."""

from typing import Protocol

from mailstack.model.tls_policy import Unfetched


class PolicyHost(Protocol):
    async def fetch(self, domain: str) -> bytes | Unfetched:
        """The text behind HTTPS as it stands there, whose host has shown a certificate for its name. Never raises for
        what the peer or the network does."""
        ...
