"""The filter of a query: conditions, and operators over them. RFC 8620 §5.5."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeVar

from mailstack.wire.jmap.faults import MethodFault, MethodFaultType, invalid_arguments

MAX_DEPTH = 20
MAX_CONDITIONS = 200
"""Operators count as well: there may be nothing in them."""

_T = TypeVar("_T")


class Operator(StrEnum):
    AND = "AND"
    OR = "OR"
    NOT = "NOT"  # none of the conditions


def read_filter(
    given: Mapping[str, Any],
    *,
    condition: Callable[[Mapping[str, Any]], _T],
    combine: Callable[[Operator, Sequence[_T]], _T],
) -> _T:
    """condition: of one FilterCondition. combine: of what conditions became. Raises MethodFault."""
    conditions_left = MAX_CONDITIONS

    def read(value: object, depth: int) -> _T:
        nonlocal conditions_left
        if not isinstance(value, Mapping):
            raise invalid_arguments("a filter is an object")
        conditions_left -= 1
        if conditions_left < 0:
            raise unsupported_filter(f"a filter has at most {MAX_CONDITIONS} conditions and operators")
        if "operator" not in value:
            return condition(value)
        if depth == MAX_DEPTH:
            raise unsupported_filter(f"operators lie in each other at most {MAX_DEPTH} deep")
        operator, conditions = _operator(value)
        return combine(operator, [read(each, depth + 1) for each in conditions])

    return read(given, 0)


def unsupported_filter(description: str) -> MethodFault:
    return MethodFault(MethodFaultType.UNSUPPORTED_FILTER, description)


def _operator(value: Mapping[str, Any]) -> tuple[Operator, Sequence[Any]]:
    unknown = value.keys() - {"operator", "conditions"}
    if unknown:
        raise invalid_arguments(f"beside an operator there can be no {', '.join(sorted(unknown))}")
    try:
        operator = Operator(value["operator"])
    except ValueError:
        raise invalid_arguments("an operator is AND, OR or NOT") from None
    conditions = value.get("conditions")
    if not isinstance(conditions, list):
        raise invalid_arguments("conditions is not an array")
    return operator, conditions
