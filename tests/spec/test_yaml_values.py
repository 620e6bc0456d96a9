"""Nodes to values: the core schema of YAML 1.2.2 §10.3.2, and no other."""

import math

import pytest

from mailstack.spec.yaml_text import compose
from mailstack.spec.yaml_values import MAX_VALUES_BY_ALIAS, Value, ValueBuilder


def built(text: str) -> tuple[dict[str, Value], list[str]]:
    builder = ValueBuilder()
    return builder.mapping(compose(text.encode(), "a.yaml")), [str(fault) for fault in builder.faults]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("NULL", None),
        ("nULL", "nULL"),
        ("true", True),
        ("False", False),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("Off", "Off"),
        ("y", "y"),
        ("0", 0),
        ("-7", -7),
        ("+7", 7),
        ("017", 17),
        ("0o17", 15),
        ("0xFf", 255),
        ("0b11", "0b11"),
        ("1_000", "1_000"),
        ("12:30:00", "12:30:00"),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("1.2.3", "1.2.3"),
        ("-.INF", -math.inf),
        ("2026-12-01", "2026-12-01"),
        ("30s", "30s"),
        ("-all", "-all"),
        ("'5'", "5"),
        ('"true"', "true"),
        ("!!str 5", "5"),
        ("|\n  5\n", "5\n"),
        ("=", "="),
        ("[]", ()),
        ("[1, [a]]", (1, ("a",))),
        ("{b: }", {"b": None}),
    ],
)
def test_scalar(text: str, value: Value) -> None:
    values, faults = built(f"a: {text}")
    assert values == {"a": value}
    assert type(values["a"]) is type(value)
    assert not faults


def test_not_a_number() -> None:
    value = built("a: .nan")[0]["a"]
    assert isinstance(value, float)
    assert math.isnan(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3", "a.yaml:3:1: a: duplicate key (first at a.yaml:1:1)"),
        ("a: {b: 1, 'b': 2}", "a.yaml:1:11: a.b: duplicate key (first at a.yaml:1:5)"),
        ("a: {5: 1}", "a.yaml:1:5: a: a key must be text, and 5 is none (put it in quotes)"),
        ("a: {true: 1}", "a.yaml:1:5: a: a key must be text, and true is none (put it in quotes)"),
        ("a: {? : 1}", "a.yaml:1:7: a: a key must be text, and nothing is none (put it in quotes)"),
        ("a: {[x]: 1}", "a.yaml:1:5: a: a key must be text, and a collection is none (put it in quotes)"),
        ("a: &b {}\nc: {<<: *b}", "a.yaml:2:5: c: merge keys (<<) are not part of YAML 1.2 (use defaults)"),
        ("a: !x y", "a.yaml:1:4: a: the tag !x is not supported (leave it out)"),
        ("a: !!int 5", "a.yaml:1:4: a: the tag tag:yaml.org,2002:int is not supported (leave it out)"),
        ("a: !!set {b}", "a.yaml:1:4: a: the tag tag:yaml.org,2002:set is not supported (leave it out)"),
        ("a: &b [*b]", "a.yaml:1:4: a[0]: an alias inside its own anchor never ends"),
        ("a: &b {c: {d: *b}}", "a.yaml:1:4: a.c.d: an alias inside its own anchor never ends"),
        (f"a: {'9' * 41}", "a.yaml:1:4: a: a number has at most 40 characters"),
    ],
)
def test_fault(text: str, message: str) -> None:
    assert built(text)[1] == [message]


def test_an_alias_is_the_same_value_again() -> None:
    assert built("a: &x [1, 2]\nb: *x\nc: *x")[0] == {"a": (1, 2), "b": (1, 2), "c": (1, 2)}


def test_an_alias_bomb_is_one_fault_and_little_work() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 20)]
    faults = built("\n".join(lines))[1]
    assert len(faults) == 1
    assert faults[0].endswith(f"aliases expand to more than {MAX_VALUES_BY_ALIAS} values")
