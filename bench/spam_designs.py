"""Ways to tell spam from ham over the same features: the one of mailstack.spam, its halves, and those not chosen."""

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, repeat
from math import exp, log, sqrt
from typing import Protocol
from zlib import crc32

from bench.spam_corpus import Mail
from mailstack.spam.features import Features
from mailstack.spam.judge import Models, judge
from mailstack.spam.model import SHARED_BITS, Model, empty, probability

ROUNDS = 3
OURS = "mailstack"
POINTS = "points"
_MAX_LOGARITHM = 700

Scores = dict[str, list[float]]
"""By what is to be compared."""


class Design(Protocol):
    def learn(self, mails: Sequence[Mail]) -> None: ...

    def score(self, mails: Sequence[Mail]) -> Scores: ...


class Ours:
    """In a random order, thrice, counted once. Its halves are told apart."""

    def __init__(self) -> None:
        self.model = Model(empty(SHARED_BITS))

    def learn(self, mails: Sequence[Mail]) -> None:
        for number in range(ROUNDS):
            for mail in random.Random(number).sample(mails, len(mails)):
                features = self.features(mail)
                self.model.learn(self.model.lesson(features, is_spam=mail.is_spam, is_repeated=number > 0))

    def score(self, mails: Sequence[Mail]) -> Scores:
        opinions = [self.model.opinions(mail.features) for mail in mails]
        models = Models(shared=self.model)
        return {
            OURS: [sum(opinion) for opinion in opinions],
            "its weights alone (logistic regression)": [opinion[0] for opinion in opinions],
            "its counts alone (naive Bayes, mean)": [opinion[1] for opinion in opinions],
            POINTS: [judge(mail.features, models).points for mail in mails],
        }

    def features(self, mail: Mail) -> Features:
        return mail.features


class WithPairs(Ours):
    """Words in pairs besides, of neighbours and of those with one word in between (sparse bigrams)."""

    def score(self, mails: Sequence[Mail]) -> Scores:
        return {"mailstack, with pairs of words": [self.model.log_odds(self.features(mail)) for mail in mails]}

    def features(self, mail: Mail) -> Features:
        words = mail.features.words
        pairs = (zip(repeat(apart), words, words[apart:], strict=False) for apart in (1, 2))
        numbers = {crc32(b"%d %s %s" % pair) for pair in chain.from_iterable(pairs)}
        return replace(mail.features, text=tuple(numbers.union(mail.features.text)))


class AdaptiveRegression:
    """Logistic regression with a rate for each feature, which falls the more it was moved (AdaGrad)."""

    def __init__(self) -> None:
        self._weights: dict[int, float] = defaultdict(float)
        self._moved: dict[int, float] = defaultdict(lambda: 1.0)

    def learn(self, mails: Sequence[Mail]) -> None:
        for number in range(ROUNDS):
            for mail in random.Random(number).sample(mails, len(mails)):
                self._learn(mail.features, is_spam=mail.is_spam)

    def score(self, mails: Sequence[Mail]) -> Scores:
        return {"logistic regression, adaptive rates": [self._log_odds(mail.features) for mail in mails]}

    def _log_odds(self, features: Features) -> float:
        return sum(
            sum(self._weights.get(number, 0.0) for number in numbers) / sqrt(len(numbers) or 1)
            for numbers in (features.text, features.facts)
        )

    def _learn(self, features: Features, *, is_spam: bool) -> None:
        error = is_spam - probability(self._log_odds(features))
        if abs(error) < 0.1:
            return
        for numbers, rate in ((features.text, 1.0), (features.facts, 0.15)):
            step = error / sqrt(len(numbers) or 1)
            for number in numbers:
                self._moved[number] += 100 * step * step
                self._weights[number] += rate * step / sqrt(self._moved[number])


class _Bayes:
    """Robinson's naive Bayes: the probability of a feature, drawn to the middle the rarer it was."""

    def __init__(self) -> None:
        self._counts: dict[int, list[int]] = {}
        self._learned = [0, 0]

    def learn(self, mails: Sequence[Mail]) -> None:
        for mail in mails:
            self._learned[mail.is_spam] += 1
            for number in (*mail.features.text, *mail.features.facts):
                self._counts.setdefault(number, [0, 0])[mail.is_spam] += 1

    def _probabilities(self, features: Features) -> list[float]:
        """Of those that say something: at least 0.1 from the middle."""
        ham_learned, spam_learned = (max(count, 1) for count in self._learned)
        found = []
        for number in (*features.text, *features.facts):
            ham, spam = self._counts.get(number, (0, 0))
            if ham or spam:
                raw = spam / spam_learned / (spam / spam_learned + ham / ham_learned)
                drawn = (0.3 * 0.5 + (ham + spam) * raw) / (0.3 + ham + spam)
                if abs(drawn - 0.5) >= 0.1:
                    found.append(drawn)
        return found


class ChiSquare(_Bayes):
    """Combined by Fisher's method, as bogofilter and SpamAssassin do."""

    def score(self, mails: Sequence[Mail]) -> Scores:
        return {"naive Bayes, chi-square": [self._indicator(self._probabilities(mail.features)) for mail in mails]}

    def _indicator(self, found: Sequence[float]) -> float:
        spam = _chi_square(-2 * sum(map(log, found)), len(found))
        ham = _chi_square(-2 * sum(log(1 - one) for one in found), len(found))
        return spam - ham


class LogOdds(_Bayes):
    """The sum of the log-odds of the 150 features that say most, as Graham and many after him."""

    def score(self, mails: Sequence[Mail]) -> Scores:
        return {"naive Bayes, sum of log-odds": [self._sum(self._probabilities(mail.features)) for mail in mails]}

    def _sum(self, found: Sequence[float]) -> float:
        most = sorted(found, key=lambda one: -abs(one - 0.5))[:150]
        return sum(log(one / (1 - one)) for one in most)


def _chi_square(value: float, pairs: int) -> float:
    """How likely that much is, by chance, with twice as many degrees of freedom."""
    half = value / 2
    term = exp(-half) if half < _MAX_LOGARITHM else 0.0
    total = term
    for number in range(1, pairs):
        term *= half / number
        total += term
    return min(total, 1.0)


DESIGNS: tuple[type[Design], ...] = (Ours, WithPairs, AdaptiveRegression, ChiSquare, LogOdds)
