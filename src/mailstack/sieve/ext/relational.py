"""`:count` and `:value`: how many values there are, and in which order they stand to others. RFC 5231."""

import operator
from collections.abc import Callable, Sequence
from typing import Any

from mailstack.sieve.arguments import Arguments
from mailstack.sieve.faults import Misplaced
from mailstack.sieve.language import Comparator, Extension, Kind, Matcher, MatchType
from mailstack.sieve.run import Run

# RFC 5231 §4: relational-match = DQUOTE ("gt" / "ge" / "lt" / "le" / "eq" / "ne") DQUOTE
Relation = Callable[[Any, Any], bool]  # of two of the same kind, whichever it is
_RELATIONS: dict[str, Relation] = {
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
    "eq": operator.eq,
    "ne": operator.ne,
}


def _relation(arguments: Arguments, tag: str) -> Relation:
    name = arguments.constant(tag)
    if name.lower() not in _RELATIONS:
        raise Misplaced(arguments.place(tag), f"{name!r} is no relation", f"one of {', '.join(_RELATIONS)}")
    return _RELATIONS[name.lower()]


def _value(arguments: Arguments, comparator: Comparator) -> Matcher:
    relation = _relation(arguments, "value")
    order = comparator.order
    keys = arguments.texts("key list")

    def compare(run: Run, values: Sequence[str]) -> bool:
        wanted = [order(key) for key in keys.of(run)]
        run.spend(len(values) * len(wanted) >> 2)
        for value in values:
            ordered = order(value)
            if any(relation(ordered, key) for key in wanted):
                return True
        return False

    return compare


def _count(arguments: Arguments, comparator: Comparator) -> Matcher:
    relation = _relation(arguments, "count")
    order = comparator.order
    keys = arguments.texts("key list")

    def compare(run: Run, values: Sequence[str]) -> bool:
        # RFC 5231 §4.2: the number is made a string, and compared by the comparator.
        found = order(str(len(values)))
        return any(relation(found, order(key)) for key in keys.of(run))

    return compare


EXTENSION = Extension(
    name="relational",
    match_types=(
        MatchType(name="count", compile=_count, value=Kind.CONSTANT),
        MatchType(name="value", compile=_value, value=Kind.CONSTANT),
    ),
)
