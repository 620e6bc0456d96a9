"""Places in a tree of several files."""

import pytest

from mailstack.spec.document import Document, merge
from mailstack.spec.faults import Path
from mailstack.spec.yaml_text import compose

MAIN = """\
server:
  hostname: mail.example.com
  workers:
domains: {example.com: {dkim: {algorithms: [rsa2048, ed25519]}}}
"""


def document(*texts: str) -> Document:
    return Document(merge([compose(text.encode(), f"{name}.yaml") for name, text in zip("abc", texts, strict=False)]))


@pytest.mark.parametrize(
    ("path", "at_key", "place"),
    [
        ((), False, "a.yaml:1:1"),
        (("server", "hostname"), False, "a.yaml:2:13"),
        (("server", "hostname"), True, "a.yaml:2:3"),
        (("server", "workers"), False, "a.yaml:3:3"),  # nothing behind the colon: its key
        (("domains", "example.com", "dkim", "algorithms", 1), False, "a.yaml:4:54"),
        (("server", "role"), False, "a.yaml:1:1"),  # not there: the nearest thing above
        (("domains", "example.com", "spf", "all"), False, "a.yaml:4:11"),
        (("domains", "example.com", "dkim", "algorithms", 7), False, "a.yaml:4:32"),
        (("server", "hostname", "x"), False, "a.yaml:2:3"),
        (("nowhere",), True, "a.yaml:1:1"),
    ],
)
def test_place(path: Path, at_key: bool, place: str) -> None:
    assert str(document(MAIN).place(path, at_key=at_key)) == place


def test_sections_of_several_files_are_added_up() -> None:
    whole = document(
        "accounts: {a: 1}\ndns: {zones: {x: 1}}\nserver: {hostname: h}",
        "accounts: {b: 2}\ndns: {zones: {y: 2}, providers: {p: 3}}",
        "accounts: {c: 3}\nserver: {workers: 2}\nrelays: {r: 1}",
    )
    assert whole.values == {
        "accounts": {"a": 1, "b": 2, "c": 3},
        "dns": {"zones": {"x": 1, "y": 2}, "providers": {"p": 3}},
        "server": {"hostname": "h", "workers": 2},
        "relays": {"r": 1},
    }
    assert not whole.faults
    assert str(whole.place(("accounts", "c"), at_key=True)) == "c.yaml:1:12"
    assert str(whole.place(("dns", "zones", "y"))) == "b.yaml:2:18"


def test_tests_of_several_files_are_one_list() -> None:
    whole = document("tests: [1, 2]", "server: {a: 1}", "tests: [3]")
    assert whole.values == {"tests": (1, 2, 3), "server": {"a": 1}}
    assert str(whole.place(("tests", 2))) == "c.yaml:1:9"


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (
            "accounts: {a: {name: x}}",
            "accounts: {a: {quota: y}}",
            "b.yaml:1:12: accounts.a: duplicate key (first at a.yaml:1:12)",
        ),
        ("tests: [1]", "tests: {a: 1}", "b.yaml:1:1: tests: duplicate key (first at a.yaml:1:1)"),
        ("tests: {a: 1}", "tests: [1]", "b.yaml:1:1: tests: duplicate key (first at a.yaml:1:1)"),
        ("routes: [1]", "routes: [2]", "b.yaml:1:1: routes: duplicate key (first at a.yaml:1:1)"),
        (
            "server: {limits: {a: 1}}",
            "server: {limits: {b: 1}}",
            "b.yaml:1:10: server.limits: duplicate key (first at a.yaml:1:10)",
        ),
        ("accounts:", "accounts: {a: }", "b.yaml:1:1: accounts: duplicate key (first at a.yaml:1:1)"),
        ("a: 1\ndomains: {x: 1}\ndomains: {y: 1}", "b: 1", "a.yaml:3:1: domains: duplicate key (first at a.yaml:2:1)"),
    ],
)
def test_the_same_key_in_two_files(first: str, second: str, message: str) -> None:
    assert [str(fault) for fault in document(first, second).faults] == [message]


def test_the_first_of_duplicates_counts() -> None:
    twice = document("a: 1\na: 2")
    assert twice.values == {"a": 1}
    assert str(twice.place(("a",))) == "a.yaml:1:4"
