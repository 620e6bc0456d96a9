"""Name servers that never answer."""

import asyncio
from collections.abc import Sequence
from typing import Never

from mailstack.ports.resolver import IpVersion, MailExchanger


class SilentResolver:
    """Works as ports.resolver.Resolver, and never answers."""

    async def mail_exchangers(self, domain: str) -> Sequence[MailExchanger]:
        await self._never(domain)

    async def addresses(self, host: str) -> Sequence[str]:
        await self._never(host)

    async def addresses_of(self, host: str, version: IpVersion) -> Sequence[str]:
        await self._never(f"{host} {version}")

    async def names_of(self, address: str) -> Sequence[str]:
        await self._never(address)

    async def texts(self, name: str) -> Sequence[str]:
        await self._never(name)

    async def _never(self, question: str) -> Never:
        await asyncio.Event().wait()
        raise AssertionError(question)
