"""Who has left which mailing list, beside the spec that goes on naming them as members."""

from collections.abc import Mapping
from typing import Protocol

from mailstack.model.instant import Instant


class Unsubscribed(Protocol):
    """Lists and members by address key. What is known of a list that no spec has any more is kept: who left it has
    not come back."""

    async def members(self, list_address: str) -> Mapping[str, Instant]:
        """And since when."""
        ...

    async def add(self, list_address: str, member: str, *, now: Instant) -> bool:
        """Durable when it returns. False: had left before, and the moment stays."""
        ...

    async def remove(self, list_address: str, member: str) -> bool:
        """Durable when it returns. False: had not left."""
        ...
