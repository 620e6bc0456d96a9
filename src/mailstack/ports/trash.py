"""What becomes of destroyed accounts: kept for 30 days, given back, or removed for good."""

from collections.abc import Sequence
from typing import Protocol

from mailstack.model.ids import AccountId, Generation
from mailstack.model.instant import Instant
from mailstack.model.trash import TrashedAccount


class Trash(Protocol):
    async def list(self) -> Sequence[TrashedAccount]:
        """Those that hold mail, the latest first."""
        ...

    async def restore(self, account_id: AccountId, login: str) -> Generation:
        """The account `login`, which is applied and holds no mail of its own, gets back all mailboxes, messages, flags,
        UIDs and grants of the destroyed one. A new generation; all or nothing, whenever it is interrupted.

        NotFound: no such trash, or nobody of that login. Conflict: that account holds mail already.
        """
        ...

    async def purge(self, *, now: Instant) -> int:
        """Removes for good what has been kept long enough; returns how many accounts went."""
        ...
