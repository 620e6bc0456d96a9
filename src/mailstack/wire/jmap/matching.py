"""Filters over objects that are all at hand. RFC 8620 §5.5."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from mailstack.wire.jmap.filter import Operator

_T = TypeVar("_T")
Test = Callable[[_T], bool]


def everything(_: object) -> bool:
    return True


def combined(operator: Operator, terms: Sequence[Test[_T]]) -> Test[_T]:
    match operator:
        case Operator.AND:
            return lambda one: all(term(one) for term in terms)
        case Operator.OR:
            return lambda one: any(term(one) for term in terms)
        case Operator.NOT:
            return lambda one: not any(term(one) for term in terms)
