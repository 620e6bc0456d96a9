"""Addresses of elsewhere that refuse mail for good, or that a person wants no mail sent to, for all nodes."""

from collections.abc import Collection, Sequence
from typing import Protocol

from mailstack.model.bad_address import BadAddress, SuppressRule
from mailstack.model.delivery import SmtpReply
from mailstack.model.instant import Instant

MOST_ADDRESSES = 100_000
"""Remembered without a person's wish: beyond that, those go of which nothing was heard for longest."""


class BadAddresses(Protocol):
    """Addresses are Address.keys. What it knows of one stands in ports.queue's items as is_doubtful."""

    async def find(self, address: str) -> BadAddress | None:
        """Also what is over."""
        ...

    async def refused(self, address: str, reply: SmtpReply, *, now: Instant, rule: SuppressRule) -> BadAddress | None:
        """As model.bad_address.refused says. Durable when it returns."""
        ...

    async def accepted(self, address: str) -> None:
        """Its refusals are forgotten; what a person suppressed stays."""
        ...

    async def put(self, bad: BadAddress) -> None:
        """Durable when it returns; in place of what was known of it."""
        ...

    async def remove(self, addresses: Collection[str]) -> Sequence[BadAddress]:
        """They are forgotten, as if they had never been; gives those that there were."""
        ...

    async def page(self, *, after: str, limit: int) -> Sequence[BadAddress]:
        """What follows `after`, by address: all of them, a part at a time."""
        ...

    async def forget(self, *, now: Instant, most: int = MOST_ADDRESSES) -> int:
        """Those that are over, and those beyond `most`; returns how many."""
        ...
