"""The models that a server has learned, as tables of spam.model: one for each account that taught something, and the
shared one, which is a base and a log of updates."""

from collections.abc import Mapping
from typing import Protocol

from mailstack.model.ids import AccountId
from mailstack.model.spam_lesson import SharedNews
from mailstack.ports.locks import Lease

MOST_OCTETS = 1 << 25
"""Of a table."""


class SpamTables(Protocol):
    """Each change is told on SPAM_TOPIC."""

    async def of_account(self, account_id: AccountId) -> bytes | None:
        """None: it was taught nothing. Raises Damaged."""
        ...

    async def changed_after(self, number: int) -> Mapping[AccountId, int]:
        """Accounts whose table changed since, and the number of the last change of each; numbers begin at 1."""
        ...

    async def replace_account(self, account_id: AccountId, table: bytes, *, lease: Lease | None = None) -> None:
        """lease: as of ports.spam_lessons.SpamLessons.settle."""
        ...

    async def forget_account(self, account_id: AccountId) -> None:
        """It begins anew; with its lessons and its votes."""
        ...

    async def shared_number(self) -> int: ...

    async def shared_after(self, number: int) -> SharedNews:
        """Raises Damaged."""
        ...

    async def replace_shared(self, table: bytes, *, after: int, is_anew: bool = False) -> None:
        """A new base, with nothing on top of it. is_anew: it knows nothing of lessons, and none is taken back from it.
        Raises Conflict where `after` is not the last number any more."""
        ...

    async def log_length(self) -> int:
        """How many updates lie on top of the base."""
        ...
