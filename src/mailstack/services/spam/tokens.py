"""What the models make of tokens, by the messages that these stand in: tables know numbers only, not what they mean."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mailstack.spam.features import Features
from mailstack.spam.judge import Models, reasons

_OF_ONE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """points: that it added, over all mails that it stands in."""

    name: str
    points: float
    mails: int


def top_tokens(looked_at: Iterable[Features], models: Models, *, most: int) -> tuple[Sequence[Token], Sequence[Token]]:
    """Those that say most for spam, and for ham, the strongest first."""
    points: dict[str, float] = {}
    mails: dict[str, int] = {}
    for features in looked_at:
        for reason in reasons(features, models, most=_OF_ONE):
            points[reason.name] = points.get(reason.name, 0.0) + reason.points
            mails[reason.name] = mails.get(reason.name, 0) + 1
    tokens = [Token(name=name, points=points[name], mails=mails[name]) for name in points]
    ordered = sorted(tokens, key=lambda token: (-token.points, token.name))
    for_spam = [token for token in ordered[:most] if token.points > 0]
    for_ham = [token for token in reversed(ordered[-most:]) if token.points < 0]
    return for_spam, for_ham
