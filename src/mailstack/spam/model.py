"""What was learned: a table of slots, into which the numbers of features fall.

Two models in one, whose sum errs less than either on mail of senders that were never seen (docs/decisions/0037): online
logistic regression, and the mean of what naive Bayes says of each feature. A table is bytes of a fixed size, so that a
file of it can be mapped and shared by all workers. All in it are integers: what one message adds to the table is taken
away again exactly, whatever was learned in between.
"""

import struct
import sys
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import exp, log, sqrt
from mmap import mmap

from mailstack.model.errors import Damaged
from mailstack.spam.features import VERSION, Features

SHARED_BITS = 20
"""12 MiB: for what a whole server learns."""
ACCOUNT_BITS = 14
"""192 KiB: for what one account knows better."""

Buffer = bytes | bytearray | mmap | memoryview

# Magic, version of the features, bits, messages of ham and spam; the rest of the 64 octets is kept for later. Weights
# follow, then counts, as the machine has them: the magic says which way.
_HEAD = struct.Struct("=8sHHqq36x")
_MAGIC = b"MSspam1\0" if sys.byteorder == "little" else b"MSspam1\1"
_LEARNED = struct.Struct("=qq")
_LEARNED_AT = 12
_WEIGHT_OCTETS = 4
_COUNT_OCTETS = 8
# A weight of one is this many units.
_UNITS = 1 << 16
# How far one message that was judged quite wrong moves the judgement of its like, in log-odds.
_RATE = 4.0
# Facts are few and strong, and differ most from one place to another: they are learned more slowly than words.
_FACTS_RATE = 1.0
# What the counts say of words and of facts, beside the weights.
_COUNTS_SHARE = 3.0
# A message that is judged this well teaches nothing more: else whatever comes often would count for ever more.
_SURE = 0.05
# Of how many messages a feature's counts begin with, in which it was as likely as in all.
_PRIOR = 0.1
# Who has seen little of either kind knows neither by its counts: with this many of both they are half believed.
_HALF_BELIEVED = 20
_MOST = 30.0
# A slot counts ham in its lower half and spam in its upper.
_SPAM = 1 << 32
_HALF = _SPAM - 1
_COUNT_MASK = (1 << 64) - 1
# A count that was taken from more often than added to.
_NEGATIVE = 1 << 31
_MAX_CACHED = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What one message changes: the slots of words and of facts, and what is added to the weight of each; ham, spam:
    what is added to their counts, and to those of the whole table. A slot that stands twice is added to twice.
    """

    text: "array[int]"
    text_delta: int
    facts: "array[int]"
    facts_delta: int
    ham: int
    spam: int

    def inverse(self) -> "Update":
        """What takes it away again."""
        return replace(self, text_delta=-self.text_delta, facts_delta=-self.facts_delta, ham=-self.ham, spam=-self.spam)


def empty(bits: int) -> bytearray:
    """A table that has learned nothing, with 2**bits slots."""
    return bytearray(empty_head(bits)) + bytearray(table_octets(bits) - _HEAD.size)


def empty_head(bits: int) -> bytes:
    """How an empty table begins; all else of it is zero."""
    return _HEAD.pack(_MAGIC, VERSION, bits, 0, 0)


def table_octets(bits: int) -> int:
    return _HEAD.size + ((_WEIGHT_OCTETS + _COUNT_OCTETS) << bits)


class Model:
    """A table, read where it lies. What others write into it is seen."""

    def __init__(self, table: Buffer) -> None:
        """Raises Damaged."""
        if len(table) < _HEAD.size:
            raise Damaged("a spam model is cut short")
        magic, version, bits, *_ = _HEAD.unpack_from(table)
        if magic != _MAGIC or version != VERSION:
            raise Damaged("a spam model of another version or machine")
        if bits > 30 or len(table) != table_octets(bits):
            raise Damaged("a spam model is of another size than it says")
        self._table = memoryview(table)
        counts_at = _HEAD.size + (_WEIGHT_OCTETS << bits)
        self._weights = self._table[_HEAD.size : counts_at].cast("i")
        self._counts = self._table[counts_at:].cast("Q")
        self._mask = (1 << bits) - 1
        self._odds = _Odds(0, 0)

    @property
    def octets(self) -> bytes:
        """The whole table, as it is now."""
        return bytes(self._table)

    @property
    def ham(self) -> int:
        """Messages learned."""
        return self._learned()[0]

    @property
    def spam(self) -> int:
        return self._learned()[1]

    @property
    def belief(self) -> float:
        """Between 0 and 1, for how much it has seen of that kind of which it has seen less."""
        return _belief(*self._learned())

    def log_odds(self, features: Features) -> float:
        """How much speaks for spam, and below 0 against it; 0 where nothing is known."""
        return sum(self.opinions(features))

    def opinions(self, features: Features) -> tuple[float, float]:
        """What the weights say, and what the counts do."""
        text, facts = self._slots(features.text), self._slots(features.facts)
        return self._by_weights(text, facts), self._by_counts(text, facts)

    def points(self, features: Features, *, share: float = 1.0) -> dict[int, float]:
        """What each number adds to the log-odds, times share."""
        points = dict(zip(features.text, self._added(features.text, share), strict=True))
        for number, added in zip(features.facts, self._added(features.facts, share), strict=True):
            points[number] = points.get(number, 0.0) + added
        return points

    def lesson(
        self, features: Features, *, is_spam: bool, known: float = 0.0, sure: float = _SURE, is_repeated: bool = False
    ) -> Update:
        """What is to be learned from a message; known: log-odds that another model adds to this one's. sure: an error
        of the probability that is small enough. is_repeated: it was learned before, and is not counted again.

        Nothing is written: Model.learn does that, with this or its inverse, in any order.
        """
        text, facts = self._slots(features.text), self._slots(features.facts)
        error = is_spam - probability(known + self._by_weights(text, facts))
        if abs(error) < sure:
            error = 0.0
        return Update(
            text=array("I", text),
            text_delta=_delta(error * _RATE, text),
            facts=array("I", facts),
            facts_delta=_delta(error * _FACTS_RATE, facts),
            ham=int(not is_spam and not is_repeated),
            spam=int(is_spam and not is_repeated),
        )

    def learn(self, update: Update) -> None:
        """The table must be writable."""
        weights, counts = self._weights, self._counts
        counted = update.ham + update.spam * _SPAM
        for slots, delta in ((update.text, update.text_delta), (update.facts, update.facts_delta)):
            for slot in slots:
                # Both go round at their ends, far from where they ever are, so that nothing is lost there either.
                weights[slot] = (weights[slot] + delta + _NEGATIVE & _HALF) - _NEGATIVE
                counts[slot] = counts[slot] + counted & _COUNT_MASK
        ham, spam = self._learned()
        _LEARNED.pack_into(self._table, _LEARNED_AT, ham + update.ham, spam + update.spam)

    def _learned(self) -> tuple[int, int]:
        ham, spam = _LEARNED.unpack_from(self._table, _LEARNED_AT)
        return ham, spam

    def _slots(self, numbers: Sequence[int]) -> list[int]:
        mask = self._mask
        return [number & mask for number in numbers]

    def _by_weights(self, text: Sequence[int], facts: Sequence[int]) -> float:
        weights = self._weights
        text_sum = sum([weights[slot] for slot in text])
        facts_sum = sum([weights[slot] for slot in facts])
        return (text_sum / _length(text) + facts_sum / _length(facts)) / _UNITS

    def _by_counts(self, text: Sequence[int], facts: Sequence[int]) -> float:
        odds, counts = self._odds_now(), self._counts
        text_sum = sum([odds[counts[slot]] for slot in text])
        facts_sum = sum([odds[counts[slot]] for slot in facts])
        mean = text_sum / (len(text) or 1) + facts_sum / (len(facts) or 1)
        return mean * _COUNTS_SHARE * self.belief

    def _added(self, numbers: Sequence[int], share: float) -> list[float]:
        weights, counts, odds = self._weights, self._counts, self._odds_now()
        weight_share = share / (_length(numbers) * _UNITS)
        count_share = share * self.belief * _COUNTS_SHARE / (len(numbers) or 1)
        return [weights[slot] * weight_share + odds[counts[slot]] * count_share for slot in self._slots(numbers)]

    def _odds_now(self) -> "_Odds":
        learned = self._learned()
        if self._odds.learned != learned or len(self._odds) > _MAX_CACHED:
            self._odds = _Odds(*learned)
        return self._odds


class _Odds(dict[int, float]):
    """Naive Bayes: log-odds of spam for a feature, by its slot's counts. Most counts are a few small numbers."""

    def __init__(self, ham: int, spam: int) -> None:
        super().__init__()
        self.learned = ham, spam
        ham, spam = max(ham, 1), max(spam, 1)
        self._ham_prior = _PRIOR * ham / (ham + spam)
        self._spam_prior = _PRIOR * spam / (ham + spam)
        self._base = log(ham / spam)

    def __missing__(self, count: int) -> float:
        ham, spam = count & _HALF, count >> 32
        ham, spam = (0 if number >= _NEGATIVE else number for number in (ham, spam))
        self[count] = log((spam + self._spam_prior) / (ham + self._ham_prior)) + self._base
        return self[count]


def probability(log_odds: float) -> float:
    return 1 / (1 + exp(-max(-_MOST, min(_MOST, log_odds))))


def _belief(ham: int, spam: int) -> float:
    least = max(min(ham, spam), 0)
    return least / (least + _HALF_BELIEVED)


def _length(numbers: Sequence[int]) -> float:
    """Of the vector that has a one for each: long messages say no more than short ones."""
    return sqrt(len(numbers) or 1)


def _delta(step: float, numbers: Sequence[int]) -> int:
    return round(step / _length(numbers) * _UNITS)
