"""Many messages at once, of which somebody knows what they are: `mailstack spam train`.

A tenth is held back first, to see how well the rest tells it; then it is learned too.
"""

import random
from array import array
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from zlib import crc32

from mailstack.model.message import RawMessage
from mailstack.model.spam import JUNK_AT
from mailstack.spam.features import Features, features_of
from mailstack.spam.judge import Models, account_lesson, judge
from mailstack.spam.model import Model, Update
from mailstack.spam.sender import Sender

SHARED_ROUNDS = 3
"""docs/spam.md has what it was measured with."""
ACCOUNT_ROUNDS = 1
AT_ONCE = 200
HELD_BACK = 10
_SEED = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """is_held: of the tenth that is judged before it is learned."""

    features: Features
    is_spam: bool
    is_held: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """Of those that were held back: how many there were, and how many of each were taken for spam."""

    ham: int
    spam: int
    wrong: int
    caught: int


def example_of(raw: RawMessage, sender: Sender | None, *, is_spam: bool) -> Example:
    """Slim, for a hundred thousand are held in memory."""
    features = features_of(raw, sender)
    slim = Features(words=(), tokens=(), text=array("I", features.text), facts=array("I", features.facts))
    # By what it holds: a message that is there twice is not on both sides.
    return Example(features=slim, is_spam=is_spam, is_held=crc32(raw) % HELD_BACK == 0)


async def teach(
    examples: Sequence[Example], models: Models, *, after_some: Callable[[int, int], Awaitable[None]]
) -> Grade:
    """Into the account's model where there is one, else into the shared one. after_some: hears how many lessons of how
    many were given."""
    rounds = SHARED_ROUNDS if models.account is None else ACCOUNT_ROUNDS
    held = [one for one in examples if one.is_held]
    rest = [one for one in examples if not one.is_held]
    of = len(examples) * rounds
    for given, (one, is_repeated) in enumerate(_lessons(rest, rounds), start=1):
        _learn(one, models, is_repeated=is_repeated)
        if given % AT_ONCE == 0:
            await after_some(given, of)
    grade = _grade(held, models)
    for one, is_repeated in _lessons(held, rounds):
        _learn(one, models, is_repeated=is_repeated)
    await after_some(of, of)
    return grade


def _lessons(examples: Sequence[Example], rounds: int) -> Iterator[tuple[Example, bool]]:
    """And whether it was there before."""
    for number in range(rounds):
        # Nobody gains by knowing the order, and the same mail makes the same model.
        shuffled = random.Random(_SEED + number).sample(examples, len(examples))  # noqa: S311
        for one in shuffled:
            yield one, number > 0


def _learn(example: Example, models: Models, *, is_repeated: bool) -> None:
    if models.account is None:
        lesson = models.shared.lesson(example.features, is_spam=example.is_spam, is_repeated=is_repeated)
        models.shared.learn(lesson)
    else:
        models.account.learn(_own_lesson(example, models.account, models.shared))


def _own_lesson(example: Example, account: Model, shared: Model) -> Update:
    return account_lesson(example.features, account, shared, is_spam=example.is_spam)


def _grade(held: Sequence[Example], models: Models) -> Grade:
    judged = [(one.is_spam, judge(one.features, models).points >= JUNK_AT) for one in held]
    return Grade(
        ham=sum(not is_spam for is_spam, _ in judged),
        spam=sum(is_spam for is_spam, _ in judged),
        wrong=sum(is_junk and not is_spam for is_spam, is_junk in judged),
        caught=sum(is_junk and is_spam for is_spam, is_junk in judged),
    )
