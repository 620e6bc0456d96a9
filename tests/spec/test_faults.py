"""Faults as lines that an editor can follow."""

import pickle

import pytest

from mailstack.spec.faults import Fault, Path, Place, SpecInvalid, fault_at, path_text, printable


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), ""),
        (("server",), "server"),
        (("server", "listeners", "smtp", 0), "server.listeners.smtp[0]"),
        (("accounts", "alice@example.com", "quota"), "accounts[alice@example.com].quota"),
        (("mta_sts", "max-age"), "mta_sts.max-age"),
        (("a\x1b[31m",), "[a\\x1b[31m]"),
    ],
)
def test_path_text(path: Path, text: str) -> None:
    assert path_text(path) == text


def test_a_fault_is_one_line() -> None:
    assert str(Fault("a.yaml", 3, 7, "server", "is wrong")) == "a.yaml:3:7: server: is wrong"
    assert str(Fault("a.yaml", 3, 7, "", "is wrong")) == "a.yaml:3:7: is wrong"
    assert str(fault_at(Place("a.yaml"), (), "is wrong")) == "a.yaml: is wrong"


def test_lines_are_sorted_as_numbers() -> None:
    faults = [
        Fault("b", 1, 1, "", "x"),
        Fault("a", 10, 1, "", "x"),
        Fault("a", 9, 1, "", "x"),
        Fault("a", 9, 1, "", "x"),
    ]
    assert str(SpecInvalid(faults)) == "a:9:1: x\na:10:1: x\nb:1:1: x"


def test_faults_survive_the_way_between_processes() -> None:
    invalid = SpecInvalid([Fault("a", 1, 1, "", "x")])
    assert pickle.loads(pickle.dumps(invalid)).faults == invalid.faults  # noqa: S301  our own bytes


@pytest.mark.parametrize(
    ("text", "shown"),
    [("plain", "plain"), ("ü字", "ü字"), ("a\nb\x1b\u202e", "a\\nb\\x1b\\u202e"), ("x" * 81, "x" * 79 + "…")],
)
def test_printable(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_a_hundred_are_shown_and_the_rest_is_counted() -> None:
    invalid = SpecInvalid(Fault("a.yaml", line, 1, "", "wrong") for line in range(1, 20_001))
    assert (len(invalid.faults), len(invalid.shown), len(invalid.lines())) == (20_000, 100, 101)
    assert str(invalid).endswith("a.yaml:100:1: wrong\nand 19,900 more")
    assert len(SpecInvalid(invalid.shown).lines()) == 100
