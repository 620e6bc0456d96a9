"""The change log of one account."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from mailstack.model.changes import Change, LogHead
from mailstack.model.ids import AccountId, MailboxId, ModSeq, Uid
from mailstack.model.instant import Instant


class Changes(Protocol):
    async def mod_seq(self, account_id: AccountId) -> ModSeq:
        """The highest given out."""
        ...

    async def heads(self, account_ids: Collection[AccountId]) -> Mapping[AccountId, LogHead]:
        """Of many accounts in one question. Those that are gone, or hold nothing yet, are left out; none is made."""
        ...

    async def since(
        self, account_id: AccountId, mod_seq: ModSeq, *, mailbox_id: MailboxId | None = None, limit: int = 10_000
    ) -> Sequence[Change]:
        """Rows above mod_seq, ascending; at most `limit`. Conflict when the log no longer reaches back that far.

        The rows of one ModSeq are never parted, for the next call starts above it: when one alone has more than
        `limit`, all of them come.
        """
        ...

    async def compact(self, account_id: AccountId, *, now: Instant) -> int:
        """Forgets what is older than 30 days, remembers how far; returns the number of rows. Once a day is enough."""
        ...

    async def destroyed_since(self, account_id: AccountId, mailbox_id: MailboxId, mod_seq: ModSeq) -> Sequence[Uid]:
        """Of messages that left this mailbox above mod_seq, ascending. Conflict as above."""
        ...
