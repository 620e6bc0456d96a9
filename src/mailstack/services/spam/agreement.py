"""When the shared model learns what one account said: not before several say so of mail of the same campaign, and only
a few times of each, so that nobody who has one account, or a flood of the same mail, bends it for all.
"""

from collections.abc import Sequence

from mailstack.model.ids import AccountId
from mailstack.model.spam_lesson import Said, Vote
from mailstack.spam.fingerprint import AGREEING_BANDS

ENOUGH = 3
"""Accounts; an administrator's word is enough by itself."""
MOST_OF_CAMPAIGN = 5
"""From then on, so many accounts' mails of a campaign are learned."""


def is_agreed(said: Said, votes: Sequence[Vote], account_id: AccountId, *, is_admin: bool) -> bool:
    """votes: on the bands of this mail, before this account says it."""
    alike = [vote for vote in votes if vote.bands >= AGREEING_BANDS]
    if any(vote.said == said and vote.account_id == account_id for vote in alike):
        return False  # it said so of another one of them
    others = [vote for vote in alike if vote.account_id != account_id]
    if any(vote.said != said for vote in others):
        return False
    needed = 1 if is_admin else ENOUGH
    return needed <= len(others) + 1 < needed + MOST_OF_CAMPAIGN
