"""Who is enough to teach the shared model, and how often."""

import pytest

from mailstack.model.ids import AccountId
from mailstack.model.spam_lesson import Said, Vote
from mailstack.services.spam.agreement import is_agreed

ME = AccountId("me")


def votes(*others: str, said: Said = Said.SPAM, bands: int = 8) -> list[Vote]:
    return [Vote(account_id=AccountId(other), said=said, bands=bands) for other in others]


@pytest.mark.parametrize(
    ("before", "by_anybody", "by_admin"),
    [
        (votes(), False, True),
        (votes("a"), False, True),
        (votes("a", "b"), True, True),
        (votes("a", "b", bands=2), True, True),
        (votes("a", "b", bands=1), False, True),
        (votes("a", "b") + votes("c", said=Said.HAM), False, False),
        (votes("a", "b") + votes("c", said=Said.HAM, bands=1), True, True),
        (votes("a", "b") + votes("me", said=Said.HAM), True, True),
        (votes("a", "b", "me"), False, False),
        (votes(*"abcde"), True, False),
        (votes(*"abcdef"), True, False),
        (votes(*"abcdefg"), False, False),
    ],
)
def test_is_agreed(before: list[Vote], by_anybody: bool, by_admin: bool) -> None:
    assert is_agreed(Said.SPAM, before, ME, is_admin=False) == by_anybody
    assert is_agreed(Said.SPAM, before, ME, is_admin=True) == by_admin
