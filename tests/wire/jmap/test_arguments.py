"""Arguments of method calls by name and type, and what is said of those that are wrong."""

from typing import Any

import pytest

from mailstack.wire.jmap.arguments import MAX_INT, Arguments
from mailstack.wire.jmap.faults import MethodFault, MethodFaultType


def test_what_is_given_is_read() -> None:
    found = Arguments(
        {"accountId": "A1", "ids": ["a", "b", "a"], "limit": 5, "position": -1, "calculateTotal": True, "name": "x"}
    )
    assert found.id("accountId") == "A1"
    assert found.ids("ids") == ["a", "b"]
    assert found.optional_unsigned("limit") == 5
    assert found.integer("position", default=0) == -1
    assert found.boolean("calculateTotal", default=False) is True
    assert found.text("name") == "x"
    found.finish()


def test_what_is_not_given_or_null_has_its_default() -> None:
    found = Arguments({"limit": None, "ids": None})
    assert found.optional_unsigned("limit") is None
    assert found.ids("ids") is None
    assert found.integer("position", default=7) == 7
    assert found.boolean("flag", default=True) is True
    assert (found.optional_id("a"), found.optional_text("b"), found.texts("c"), found.array("d")) == (None,) * 4
    assert (found.mapping("e"), found.objects("f")) == (None, None)
    assert not found.has("limit")
    found.finish()


@pytest.mark.parametrize(
    ("read", "value"),
    [
        ("id", None),
        ("id", ""),
        ("id", "a b"),
        ("id", "a" * 256),
        ("id", 1),
        ("text", None),
        ("text", 1),
        ("ids", "a"),
        ("ids", ["a", 1]),
        ("ids", ["a", "é"]),
        ("texts", ["a", None]),
        ("array", {}),
        ("mapping", []),
        ("objects", {"a": 1}),
        ("objects", {"a b": {}}),
        ("optional_unsigned", -1),
        ("optional_unsigned", True),
        ("optional_unsigned", 1.5),
        ("optional_unsigned", MAX_INT + 1),
    ],
)
def test_a_wrong_type_is_told_by_name(read: str, value: Any) -> None:
    with pytest.raises(MethodFault) as raised:
        getattr(Arguments({"x": value}), read)("x")
    assert raised.value.type is MethodFaultType.INVALID_ARGUMENTS
    assert raised.value.as_json()["description"].startswith("x is ")


@pytest.mark.parametrize("value", [1, "true", []])
def test_only_true_and_false_are_booleans(value: object) -> None:
    with pytest.raises(MethodFault, match="x is not a Boolean"):
        Arguments({"x": value}).boolean("x", default=False)


@pytest.mark.parametrize("value", [True, 1.0, "1", -MAX_INT - 1])
def test_integers_are_whole_and_within_what_json_holds(value: object) -> None:
    with pytest.raises(MethodFault, match="x is not an Int"):
        Arguments({"x": value}).integer("x", default=0)


def test_what_nobody_reads_is_unknown() -> None:
    found = Arguments({"accountId": "A1", "idz": [], "more": 1})
    found.id("accountId")
    with pytest.raises(MethodFault, match="unknown: idz, more"):
        found.finish()


def test_references_to_what_was_created_stand_for_ids() -> None:
    found = Arguments({"ids": ["#k", "M1"], "update": {"#k": {}}, "create": {"#k": {}}, "accountId": "#k"})
    assert found.ids("ids") == ["#k", "M1"]
    assert found.updates("update") == {"#k": {}}
    with pytest.raises(MethodFault):
        found.objects("create")
    with pytest.raises(MethodFault):
        found.id("accountId")
