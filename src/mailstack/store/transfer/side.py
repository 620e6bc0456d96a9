"""What a copy asks of an engine: the store that is read, and the one that is filled."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from mailstack.model.ids import AccountId
from mailstack.store.sql.blobs import HeldBlobs
from mailstack.store.sql.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """The system, or an account: its tables, and where the bytes of its messages are."""

    database: Database
    held: HeldBlobs


class Source(Protocol):
    """Nobody else writes to it while it is open."""

    @property
    def name(self) -> str:
        """For people."""
        ...

    @property
    def system(self) -> Holder: ...

    def account(self, account_id: AccountId) -> AbstractAsyncContextManager[Holder]:
        """Raises NotFound where the account never had tables."""
        ...

    async def require_held(self) -> None:
        """Raises Conflict where it was open to others meanwhile."""
        ...


class Target(Protocol):
    """is_begun: a copy to it was begun before. Otherwise it may still hold a store of its own."""

    @property
    def name(self) -> str: ...

    @property
    def is_begun(self) -> bool: ...

    @property
    def system(self) -> Holder: ...

    def account(self, account_id: AccountId) -> AbstractAsyncContextManager[Holder]: ...

    async def start_account(self, account_id: AccountId) -> None:
        """Beforehand: what lies outside of the tables of an account that was begun goes."""
        ...

    async def start_system(self) -> None:
        """Likewise, of the queue."""
        ...

    async def finish(self) -> None:
        """Once all is there."""
        ...
