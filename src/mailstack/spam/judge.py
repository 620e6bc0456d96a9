"""What the models say of a message: a score, points for the rules, and why, in words.

The shared model says what spam looks like to most; an account's own model learns what that one gets wrong for it, and
is added. So a model counts for as much as it has learned: nothing at first.
"""

from dataclasses import dataclass

from mailstack.spam.features import Features, names_of
from mailstack.spam.model import Model, Update, probability

# From log-odds as they are learned to those that hold for mail that was not learned from; docs/spam.md has the figures.
_SHARED_SLOPE = 1.0
# Of weights alone, without the counts that nobody believes at first.
_ACCOUNT_SLOPE = 2.0
# What one person says of few messages is to be seen in the next: an account's model learns on longer than the shared.
_ACCOUNT_SURE = 0.01
MAX_POINTS = 8.0
"""Words alone never say more than this: 1 in 3,000."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """score: how likely it is spam, 0.5 where nothing is known. points: its log-odds, at most MAX_POINTS and at least
    -MAX_POINTS; what else speaks for or against spam can be added to them."""

    score: float
    points: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """name: a feature in words. points: what it adds."""

    name: str
    points: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """shared: what a server has learned. account: what one of its accounts was taught, None for nothing or nobody."""

    shared: Model
    account: Model | None = None


def judge(features: Features, models: Models) -> Judgement:
    points = _SHARED_SLOPE * _shared_log_odds(features, models.shared)
    if models.account is not None:
        points += _ACCOUNT_SLOPE * models.account.log_odds(features)
    points = max(-MAX_POINTS, min(MAX_POINTS, points))
    return Judgement(score=probability(points), points=points)


def account_lesson(features: Features, account: Model, shared: Model, *, is_spam: bool) -> Update:
    """What an account's model has to learn of a message that the shared one knows something of."""
    return account.lesson(features, is_spam=is_spam, known=_shared_log_odds(features, shared), sure=_ACCOUNT_SURE)


def reasons(features: Features, models: Models, *, most: int) -> tuple[Reason, ...]:
    """The features that say most, for or against spam, the strongest first. All together they are the points, as long
    as those are within their bounds."""
    points = models.shared.points(features, share=_SHARED_SLOPE * models.shared.belief)
    if models.account is not None:
        for number, added in models.account.points(features, share=_ACCOUNT_SLOPE).items():
            points[number] += added
    # Of some hundred the few that matter are found first: to order all of them takes longer than to judge.
    least = min(sorted(map(abs, points.values()), reverse=True)[:most], default=0.0)
    strong = [number for number, added in points.items() if abs(added) >= least]
    top = sorted(strong, key=lambda number: -abs(points[number]))[:most]
    names = names_of(features, set(top))
    return tuple(Reason(name=names[number], points=points[number]) for number in top if points[number])


def _shared_log_odds(features: Features, shared: Model) -> float:
    """A server that was shown spam alone takes everything for spam: then it is not believed."""
    return shared.belief * shared.log_odds(features)
