"""What the server knows of senders by its own experience: told by deliveries, submissions and people, asked by scoring.

All who tell are done at once; `flush` makes it durable.
"""

from collections.abc import Collection
from dataclasses import dataclass

from mailstack.model.ids import AccountId
from mailstack.model.instant import Clock
from mailstack.model.spam import Score
from mailstack.ports.acquaintances import Acquaintances
from mailstack.ports.reputation import Reputation
from mailstack.services.spam.acquaintances import Acquainted
from mailstack.services.spam.correspondents import Arrived
from mailstack.services.spam.examined import Examined
from mailstack.services.spam.gathered import GatheredAcquaintances, GatheredReputation
from mailstack.services.spam.keys import SenderKeys
from mailstack.services.spam.reputation import SenderReputation


@dataclass(frozen=True, slots=True, kw_only=True)
class Experience:
    reputation: SenderReputation
    acquainted: Acquainted

    def judged(self, mail: Examined, scores: Collection[Score], *, kept: Collection[AccountId]) -> None:
        """scores: for all who would get it. kept: accounts for which it is no junk."""
        self.reputation.judged(mail, scores)
        sent_by = mail.correspondent
        for account_id in kept:
            self.acquainted.heard(account_id, sent_by)

    def learn(self, whose: AccountId, arrived: Arrived, *, is_spam: bool) -> None:
        """What an account's user says of a message."""
        self.reputation.learn(whose, arrived, is_spam=is_spam)
        if is_spam:
            self.acquainted.fell_out(whose, arrived.sent_by)
        else:
            self.acquainted.heard(whose, arrived.sent_by)

    def unlearn(self, whose: AccountId, arrived: Arrived, *, is_spam: bool) -> None:
        """They take it back, told in the same words."""
        self.reputation.unlearn(whose, arrived, is_spam=is_spam)

    async def flush(self) -> None:
        """Raises TryAgainLater; then nothing is lost."""
        await self.reputation.gathered.flush()
        await self.acquainted.gathered.flush()


def experience_of(reputation: Reputation, acquaintances: Acquaintances, *, secret: bytes, clock: Clock) -> Experience:
    """secret: as SenderKeys has it."""
    keys = SenderKeys(secret)
    return Experience(
        reputation=SenderReputation(gathered=GatheredReputation(reputation, clock=clock), keys=keys),
        acquainted=Acquainted(gathered=GatheredAcquaintances(acquaintances, clock=clock), keys=keys),
    )
