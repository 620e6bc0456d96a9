"""A host of MTA-STS policies in memory: what a test puts in."""

import asyncio
from dataclasses import dataclass, field

from mailstack.model.tls_policy import TlsFailure, Unfetched


@dataclass
class MemoryPolicyHost:
    """Works as ports.policy_host.PolicyHost. texts: by domain; those that are not there cannot be reached. gate: set
    to let answers through."""

    texts: dict[str, bytes | Unfetched] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    gate: asyncio.Event | None = None

    async def fetch(self, domain: str) -> bytes | Unfetched:
        self.asked.append(domain)
        await asyncio.sleep(0)  # a turn for the others
        if self.gate is not None:
            await self.gate.wait()
        return self.texts.get(domain, Unfetched(TlsFailure.STS_POLICY_FETCH_ERROR, f"mta-sts.{domain} is down"))
