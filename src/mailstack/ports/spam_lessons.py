"""What people said of their messages, until the models were taught it, and after that to take it back."""

from collections.abc import Sequence
from typing import Protocol

from mailstack.model.ids import AccountId, MessageId
from mailstack.model.instant import Instant
from mailstack.model.spam_lesson import Lesson, Said, Settled, Vote
from mailstack.ports.locks import Lease


class Noting(Protocol):
    async def note(
        self, account_id: AccountId, message_ids: Sequence[MessageId], said: Said, *, is_move: bool = False
    ) -> None:
        """Durable when it returns, and told on LESSON_TOPIC. is_move: the contrary of what was said before takes that
        back, and says nothing itself."""
        ...

    async def contradict(self, account_id: AccountId, message_ids: Sequence[MessageId], said: Said) -> None:
        """Likewise, of those of which the contrary was said; of all others this says nothing."""
        ...


class SpamLessons(Noting, Protocol):
    async def open(self, *, limit: int) -> Sequence[Lesson]:
        """Those whose models do not hold what is wanted, of whichever account, the oldest first."""
        ...

    async def taught_since(self, account_id: AccountId, since: Instant) -> tuple[int, int]:
        """Lessons that its own model holds, and those that were votes on the shared one."""
        ...

    async def votes(self, bands: Sequence[int]) -> Sequence[Vote]:
        """Of all accounts; each with how many of these bands it voted on, for each of the two kinds."""
        ...

    async def settle(self, settled: Settled, *, lease: Lease | None = None) -> None:
        """All at once; told on SPAM_TOPIC. What was noted of a message meanwhile stays to be taught. lease: None where
        nobody else teaches. Raises Conflict, with nothing written, where it is another's by now."""
        ...

    async def forget(self, *, before: Instant, votes_before: Instant) -> int:
        """What was noted before that, and votes likewise; returns how many lessons."""
        ...
