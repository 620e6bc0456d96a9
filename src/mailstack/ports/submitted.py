"""How much accounts have submitted of late, for all nodes."""

from collections.abc import Sequence
from typing import Protocol

from mailstack.model.ids import AccountId
from mailstack.model.instant import Instant
from mailstack.model.sending_limits import Span


class Submitted(Protocol):
    async def spans(self, account_id: AccountId, *, since: Instant) -> Sequence[Span]:
        """Those that began then or later, ascending."""
        ...

    async def add(self, account_id: AccountId, *, began_at: Instant, recipients: int) -> None:
        """One message more, in the span that began then. Durable when it returns."""
        ...

    async def forget(self, *, before: Instant) -> int:
        """Spans of whichever account; returns how many."""
        ...
