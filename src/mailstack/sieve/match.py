"""Comparing: match types, comparators and the fast paths between them. RFC 5228 §2.7, RFC 4790.

No comparison takes longer than the product of what it compares: `:matches` goes through a value once for each of its
stars, and what it costs is counted.
"""

import re
from collections.abc import Callable, Sequence

from mailstack.sieve.arguments import Arguments
from mailstack.sieve.faults import Misplaced
from mailstack.sieve.language import MATCH_TYPE, Comparator, Matcher, MatchType
from mailstack.sieve.run import Run

_UPPER_TO_LOWER = {ord("A") + letter: ord("a") + letter for letter in range(26)}


def casefold_ascii(text: str) -> str:
    """i;ascii-casemap, RFC 4790 §9.2: only the 26 letters, so that nothing changes its length."""
    return text.lower() if text.isascii() else text.translate(_UPPER_TO_LOWER)


def same(text: str) -> str:
    return text


OCTET = Comparator(name="i;octet", fold=same, order=same)
ASCII_CASEMAP = Comparator(name="i;ascii-casemap", fold=casefold_ascii, order=casefold_ascii, is_case_blind=True)
DEFAULT_COMPARATOR = ASCII_CASEMAP
"""RFC 5228 §2.7.3."""


def _cost(values: Sequence[str], keys: int) -> int:
    octets = 0
    for value in values:
        octets += len(value)
    return octets * keys >> 8


def is_(arguments: Arguments, comparator: Comparator) -> Matcher:
    fold = comparator.fold
    keys = arguments.texts("key list")

    if keys.constants is not None:
        known = frozenset(map(fold, keys.constants))
        return lambda _run, values: any(fold(value) in known for value in values)

    def among(run: Run, values: Sequence[str]) -> bool:
        wanted = frozenset(map(fold, keys.of(run)))
        return any(fold(value) in wanted for value in values)

    return among


def for_parts(arguments: Arguments, comparator: Comparator) -> Comparator:
    """Raises Misplaced for a comparator that finds nothing within a value."""
    # RFC 5228 §2.7.1, §2.7.3: it is an error to use one with :contains or :matches.
    if not comparator.has_substrings:
        what = f"{comparator.name} compares whole values, and ':{arguments.one_of(MATCH_TYPE)}' parts"
        raise Misplaced(arguments.place("comparator"), what)
    return comparator


def contains(arguments: Arguments, comparator: Comparator) -> Matcher:
    fold = for_parts(arguments, comparator).fold
    keys = arguments.texts("key list")

    def within(run: Run, values: Sequence[str], wanted: Sequence[str]) -> bool:
        run.spend(_cost(values, len(wanted)))
        for value in values:
            folded = fold(value)
            for key in wanted:
                if key in folded:
                    return True
        return False

    if keys.constants is not None:
        known = tuple(map(fold, keys.constants))
        return lambda run, values: within(run, values, known)
    return lambda run, values: within(run, values, tuple(map(fold, keys.of(run))))


def matches(arguments: Arguments, comparator: Comparator) -> Matcher:
    fold = for_parts(arguments, comparator).fold
    keys = arguments.texts("key list")

    def like(run: Run, values: Sequence[str], globs: Sequence["Glob"]) -> bool:
        run.spend(_cost(values, sum(glob.stars + 1 for glob in globs)))
        for value in values:
            folded = fold(value)
            for glob in globs:
                spans = glob.spans(folded)
                if spans is not None:
                    run.matches = _texts(value, folded, spans, fold)
                    return True
        return False

    if keys.constants is not None:
        known = tuple([Glob(fold(key)) for key in keys.constants])
        return lambda run, values: like(run, values, known)
    return lambda run, values: like(run, values, [Glob(fold(key)) for key in keys.of(run)])


Span = tuple[int, int]


def _texts(value: str, folded: str, spans: Sequence[Span], fold: Callable[[str], str]) -> tuple[str, ...]:
    """What stands in the value where those are in its folded form."""
    if len(folded) == len(value):
        return tuple([value[start:end] for start, end in spans])
    # Where a character became several, the first of them has its place.
    places = [place for one in value for place in (one, *[""] * (len(fold(one)) - 1))]
    return tuple(["".join(places[start:end]) for start, end in spans])


class Glob:
    """A `:matches` pattern. RFC 5228 §2.7.1: `*` is any run of characters, `?` one; a backslash takes both their
    meaning. RFC 5229 §3.2: as few characters as possible, from the left."""

    __slots__ = ("_pieces", "stars")

    def __init__(self, pattern: str) -> None:
        self._pieces = _pieces(pattern)
        self.stars = len(self._pieces) - 1

    def spans(self, folded: str) -> Sequence[Span] | None:
        """Where all of it is and what each wildcard stood for; None where nothing matches."""
        pieces = self._pieces
        first = pieces[0]
        everything = (0, len(folded))
        if not self.stars:
            return (everything, *first.held(0)) if first.is_all_of(folded) else None
        last = pieces[-1]
        end = len(folded) - last.length
        if end < first.length or not first.is_at(folded, 0) or not last.is_at(folded, end):
            return None
        found = [everything, *first.held(0)]
        at = first.length
        for piece in pieces[1:-1]:
            begin = piece.find(folded, at, end)
            if begin < 0:
                return None
            found += [(at, begin), *piece.held(begin)]
            at = begin + piece.length
        return (*found, (at, end), *last.held(end))


class _Piece:
    """What stands between two stars: plain characters, and places for one character each."""

    __slots__ = ("_any", "_expression", "_text", "length")

    def __init__(self, characters: Sequence[str | None]) -> None:
        self.length = len(characters)
        self._any = tuple(at for at, one in enumerate(characters) if one is None)
        self._text = "".join(one or "" for one in characters)
        source = "".join("." if one is None else re.escape(one) for one in characters)
        self._expression = re.compile(source, re.DOTALL) if self._any else None

    def is_all_of(self, folded: str) -> bool:
        return len(folded) == self.length and self.is_at(folded, 0)

    def is_at(self, folded: str, at: int) -> bool:
        if self._expression is None:
            return folded.startswith(self._text, at)
        return self._expression.match(folded, at) is not None

    def find(self, folded: str, start: int, end: int) -> int:
        if self._expression is None:
            return folded.find(self._text, start, end)
        found = self._expression.search(folded, start, end)
        return -1 if found is None else found.start()

    def held(self, at: int) -> list[Span]:
        return [(at + one, at + one + 1) for one in self._any]


def _pieces(pattern: str) -> tuple[_Piece, ...]:
    pieces: list[list[str | None]] = [[]]
    characters = iter(pattern)
    for one in characters:
        if one == "*":
            pieces.append([])
        elif one == "?":
            pieces[-1].append(None)
        else:
            # A backslash at the very end stands for itself.
            pieces[-1].append(next(characters, one) if one == "\\" else one)
    return tuple(map(_Piece, pieces))


MATCH_TYPES = (
    MatchType(name="is", compile=is_),
    MatchType(name="contains", compile=contains),
    MatchType(name="matches", compile=matches),
)
"""Of RFC 5228 §2.7.1."""
