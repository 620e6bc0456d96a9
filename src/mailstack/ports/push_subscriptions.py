"""Where programs want to be told of changes. RFC 8620 §7.2.

What has ended is not there. Whoever watches PUSH_TOPIC is woken when there is another one, and when one is changed or
removed.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from mailstack.model.ids import AccountId, PushId
from mailstack.model.instant import Instant
from mailstack.model.push import PushChange, PushHead, PushProgress, PushStage, PushSubscription


class PushSubscriptions(Protocol):
    async def add(self, subscription: PushSubscription, *, now: Instant, at_most: int) -> None:
        """at_most: of one account. Raises TooMany, NotFound without the account."""
        ...

    async def of_credential(
        self, account_id: AccountId, credential: str, *, now: Instant
    ) -> Sequence[PushSubscription]:
        """In the order in which they were made."""
        ...

    async def change(self, account_id: AccountId, credential: str, push_id: PushId, change: PushChange) -> None:
        """Raises NotFound: somebody else's is not there."""
        ...

    async def remove(self, account_id: AccountId, credential: str, push_id: PushId) -> None:
        """Raises NotFound as above."""
        ...

    async def has_any(self, *, now: Instant) -> bool: ...

    async def heads(self, *, now: Instant) -> Sequence[PushHead]:
        """Of all accounts."""
        ...

    async def of_account(
        self, account_id: AccountId, *, now: Instant
    ) -> Sequence[tuple[PushSubscription, PushProgress]]:
        """Of all credentials."""
        ...

    async def note(self, notes: Mapping[PushId, tuple[PushStage, PushProgress]]) -> None:
        """How far they have come; a stage never goes back. What is gone stays gone."""
        ...

    async def drop(self, push_ids: Sequence[PushId]) -> None:
        """Whoever made them."""
        ...

    async def forget(self, *, now: Instant) -> int:
        """What has ended; returns how many. Once a day is often enough."""
        ...
