"""Looking after accounts and what they hold: for those who operate the server, not for a protocol."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from mailstack.model.ids import AccountId
from mailstack.model.upkeep import AccountSizes, Flaw

Progress = Callable[[int, int], None]
"""Messages done, and how many there are. Called in a thread."""


class Upkeep(Protocol):
    """NotFound: the account holds nothing yet, or is none."""

    async def held(self, logins: Collection[str]) -> Mapping[str, int]:
        """Of these, the accounts that have any message, and how many bytes; model.upkeep.UNKNOWN_BYTES where it is
        damaged and nobody can tell. To ask makes no account's file."""
        ...

    async def sizes(self, account_id: AccountId) -> AccountSizes: ...

    async def verify(self, account_id: AccountId, *, reads_messages: bool, progress: Progress) -> Sequence[Flaw]:
        """Every rule of the store, on one consistent view beside a running server; reads_messages: and that the bytes
        of every message are what they were."""
        ...
