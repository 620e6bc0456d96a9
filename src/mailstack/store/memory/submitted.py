"""How much accounts have submitted, in memory."""

from collections.abc import Sequence

from mailstack.model.ids import AccountId
from mailstack.model.instant import Instant
from mailstack.model.sending_limits import Span


class MemorySubmitted:
    """Works as ports.submitted.Submitted."""

    def __init__(self) -> None:
        self._spans: dict[tuple[AccountId, Instant], Span] = {}

    async def spans(self, account_id: AccountId, *, since: Instant) -> Sequence[Span]:
        found = [span for (whose, began_at), span in self._spans.items() if whose == account_id and began_at >= since]
        return sorted(found, key=lambda span: span.began_at)

    async def add(self, account_id: AccountId, *, began_at: Instant, recipients: int) -> None:
        old = self._spans.get((account_id, began_at), Span(began_at=began_at, messages=0, recipients=0))
        self._spans[account_id, began_at] = Span(
            began_at=began_at, messages=old.messages + 1, recipients=old.recipients + recipients
        )

    async def forget(self, *, before: Instant) -> int:
        old = [key for key in self._spans if key[1] < before]
        for key in old:
            del self._spans[key]
        return len(old)
