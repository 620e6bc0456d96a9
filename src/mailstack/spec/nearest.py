"""Did you mean …? The nearest of the words that are allowed, by the fewest letters changed.

Words are found by what is left of them after one or two deletions, so that ten thousand addresses cost no more than
ten.
"""

from collections import defaultdict
from collections.abc import Iterable

_FEW_WORDS = 200
_MAX_LETTERS = 64
_PREFIX_LETTERS = 3
_LISTED_WORDS = 20


class Vocabulary:
    """Built once for a set of words that faults are compared with."""

    def __init__(self, words: Iterable[str]) -> None:
        self.words = tuple(dict.fromkeys(words))
        self._deletions = 2 if len(self.words) <= _FEW_WORDS else 1
        self._known = frozenset(self.words)
        self._by_rest: dict[str, list[str]] = {}

    def __contains__(self, word: object) -> bool:
        return word in self._known

    def listed(self) -> str:
        """For messages: all of them, or the first and how many more."""
        more = len(self.words) - _LISTED_WORDS
        return ", ".join((*self.words[:_LISTED_WORDS], *((f"and {more:,} more",) if more > 0 else ())))

    def nearest(self, word: str) -> str | None:
        if len(word) > _MAX_LETTERS:
            return None
        if not self._by_rest:
            self._by_rest = self._index()
        folded = word.casefold()
        close = {found for rest in _rests(folded, self._deletions) for found in self._by_rest.get(rest, ())}
        limit = max(1, len(word) // 3)
        ranked = sorted((_distance(folded, found.casefold()), found) for found in close)
        if ranked and ranked[0][0] <= limit:
            return ranked[0][1]
        return self._completion(folded)

    def _index(self) -> dict[str, list[str]]:
        index: dict[str, list[str]] = defaultdict(list)
        for word in self.words:
            if len(word) <= _MAX_LETTERS:
                for rest in _rests(word.casefold(), self._deletions):
                    index[rest].append(word)
        return index

    def _completion(self, folded: str) -> str | None:
        """The only word that goes on where this one stops, or stops where this one goes on."""
        if len(folded) < _PREFIX_LETTERS or len(self.words) > _FEW_WORDS:
            return None
        found = [word for word in self.words if _is_start(folded, word.casefold())]
        return found[0] if len(found) == 1 else None


def did_you_mean(vocabulary: Vocabulary, word: object) -> str:
    """The closing half of a message, "" when nothing is near."""
    nearest = vocabulary.nearest(word) if isinstance(word, str) else None
    return f"; did you mean {nearest}?" if nearest else ""


def _is_start(folded: str, word: str) -> bool:
    return len(word) >= _PREFIX_LETTERS and (word.startswith(folded) or folded.startswith(word))


def _rests(word: str, deletions: int) -> set[str]:
    rests = {word}
    for _ in range(deletions):
        rests |= {rest[:at] + rest[at + 1 :] for rest in rests for at in range(len(rest))}
    return rests


def _distance(left: str, right: str) -> int:
    """Letters inserted, deleted, replaced or swapped with their neighbour."""
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        older, before, row = before, row, [i]
        for j, b in enumerate(right, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if older and j > 1 and a == right[j - 2] and left[i - 2] == b:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
    return row[-1]
