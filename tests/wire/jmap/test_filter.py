"""Operators over conditions, bounded, and what is said of those that are wrong."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from mailstack.wire.jmap.faults import MethodFault, MethodFaultType
from mailstack.wire.jmap.filter import MAX_CONDITIONS, MAX_DEPTH, Operator, read_filter


def read(given: Mapping[str, Any]) -> str:
    return read_filter(given, condition=lambda each: str(each["name"]), combine=_combine)


def _combine(operator: Operator, terms: Sequence[str]) -> str:
    return f"{operator.value}({' '.join(terms)})"


def deep(levels: int) -> dict[str, Any]:
    found: dict[str, Any] = {"name": "x"}
    for _ in range(levels):
        found = {"operator": "NOT", "conditions": [found]}
    return found


def test_operators_and_conditions() -> None:
    names = [{"name": name} for name in "abc"]
    inner = {"operator": "OR", "conditions": names[1:]}
    assert read(names[0]) == "a"
    assert read({"operator": "AND", "conditions": [names[0], inner]}) == "AND(a OR(b c))"
    assert read({"operator": "NOT", "conditions": []}) == "NOT()"


@pytest.mark.parametrize(
    "given",
    [
        {"operator": "XOR", "conditions": []},
        {"operator": "and", "conditions": []},
        {"operator": None, "conditions": []},
        {"operator": ["AND"], "conditions": []},
        {"operator": "AND"},
        {"operator": "AND", "conditions": {}},
        {"operator": "AND", "conditions": [None]},
        {"operator": "AND", "conditions": ["x"]},
        {"operator": "AND", "conditions": [], "name": "x"},
    ],
)
def test_what_is_no_operator_is_an_invalid_argument(given: Mapping[str, Any]) -> None:
    with pytest.raises(MethodFault) as caught:
        read(given)
    assert caught.value.type is MethodFaultType.INVALID_ARGUMENTS


def test_what_is_too_deep_or_too_much_is_not_supported() -> None:
    assert read(deep(MAX_DEPTH)).count("NOT") == MAX_DEPTH
    many = {"operator": "OR", "conditions": [{"name": "x"}] * (MAX_CONDITIONS + 1)}
    empty = {"operator": "OR", "conditions": [{"operator": "AND", "conditions": []}] * MAX_CONDITIONS}
    for given in (deep(MAX_DEPTH + 1), many, empty):
        with pytest.raises(MethodFault) as caught:
            read(given)
        assert caught.value.type is MethodFaultType.UNSUPPORTED_FILTER
