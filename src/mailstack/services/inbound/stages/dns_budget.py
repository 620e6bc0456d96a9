"""One deadline for all DNS work of a mail: after it only what is known already is answered.

Not a stage: the resolver that stages hand to the checks. Each question has the resolver's own deadline besides.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from mailstack.model.errors import TryAgainLater
from mailstack.ports.resolver import IpVersion, MailExchanger, Resolver

T = TypeVar("T")

QUESTIONS_AT_ONCE = 8


class DnsBudget:
    """Works as ports.resolver.Resolver. The time begins when it is made, inside a running loop.

    At most QUESTIONS_AT_ONCE are under way, so that one mail does not take the resolver away from the others.

    Deviates: RFC 7208 §4.6.4 would allow SPF alone 20 s. Whoever sends waits for the reply meanwhile, and asks again
    where policy says so.
    """

    def __init__(self, resolver: Resolver, *, deadline_s: float) -> None:
        self._resolver = resolver
        self._until = asyncio.get_running_loop().time() + deadline_s
        self._turns = asyncio.Semaphore(QUESTIONS_AT_ONCE)

    async def mail_exchangers(self, domain: str) -> Sequence[MailExchanger]:
        return await self._within(lambda: self._resolver.mail_exchangers(domain))

    async def addresses(self, host: str) -> Sequence[str]:
        return await self._within(lambda: self._resolver.addresses(host))

    async def addresses_of(self, host: str, version: IpVersion) -> Sequence[str]:
        return await self._within(lambda: self._resolver.addresses_of(host, version))

    async def names_of(self, address: str) -> Sequence[str]:
        return await self._within(lambda: self._resolver.names_of(address))

    async def texts(self, name: str) -> Sequence[str]:
        return await self._within(lambda: self._resolver.texts(name))

    async def _within(self, ask: Callable[[], Awaitable[Sequence[T]]]) -> Sequence[T]:
        try:
            async with asyncio.timeout_at(self._until), self._turns:
                return await ask()
        except TimeoutError:
            raise TryAgainLater("DNS: the time for this mail's questions is over") from None
