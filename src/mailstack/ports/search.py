"""The full-text index of one account, and what a store can say of a mailbox's messages without reading them.

The index is behind the mail: messages enter it in the order of their ids, after they were stored, and leave it with
their last placement.
"""

from collections.abc import Sequence
from typing import Protocol

from mailstack.model.ids import AccountId, MailboxId
from mailstack.model.search import Condition, Hits, IndexedMessage, Unindexed


class Search(Protocol):
    async def is_behind(self, account_id: AccountId) -> bool: ...

    async def backlog(self, account_id: AccountId, *, limit: int, limit_bytes: int) -> Sequence[Unindexed]:
        """The first messages that are not in the index; at most `limit`, and but one once limit_bytes are passed."""
        ...

    async def add(self, account_id: AccountId, messages: Sequence[IndexedMessage]) -> None:
        """The whole of one backlog. What somebody else added meanwhile is passed over, and what is gone."""
        ...

    async def reset(self, account_id: AccountId) -> None:
        """Empties the index: every message is backlog."""
        ...

    async def find(self, account_id: AccountId, mailbox_id: MailboxId, condition: Condition) -> Hits:
        """NotFound: no such mailbox. What is still in the backlog is not found by its words."""
        ...
