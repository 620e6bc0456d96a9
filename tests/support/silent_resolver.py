"""Name servers that never answer."""

import asyncio
from collections.abc import Sequence
from typing import Never

from mailstack.ports.resolver import IpVersion, MailExchanger, Resolver


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


class SilentFor:
    """Another resolver, but for names that it is never told of. most_at_once: how many questions were under way."""

    def __init__(self, known: Resolver, *names: str) -> None:
        self._known = known
        self._names = names
        self._under_way = 0
        self.most_at_once = 0

    async def mail_exchangers(self, domain: str) -> Sequence[MailExchanger]:
        await self._hear(domain)
        return await self._known.mail_exchangers(domain)

    async def addresses(self, host: str) -> Sequence[str]:
        await self._hear(host)
        return await self._known.addresses(host)

    async def addresses_of(self, host: str, version: IpVersion) -> Sequence[str]:
        await self._hear(host)
        return await self._known.addresses_of(host, version)

    async def names_of(self, address: str) -> Sequence[str]:
        await self._hear(address)
        return await self._known.names_of(address)

    async def texts(self, name: str) -> Sequence[str]:
        await self._hear(name)
        return await self._known.texts(name)

    async def _hear(self, name: str) -> None:
        self._under_way += 1
        self.most_at_once = max(self.most_at_once, self._under_way)
        try:
            if any(name == silent or name.endswith(f".{silent}") for silent in self._names):
                await asyncio.Event().wait()
            await asyncio.sleep(0)  # nobody knows an answer without asking
        finally:
            self._under_way -= 1
