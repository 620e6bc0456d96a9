"""Bytes to nodes: what is no YAML, or too much of it."""

import pytest

from mailstack.spec.faults import SpecInvalid
from mailstack.spec.yaml_text import MAX_DEPTH, MAX_FILE_BYTES, compose, place_of


def fault(content: bytes) -> str:
    with pytest.raises(SpecInvalid) as caught:
        compose(content, "a.yaml")
    assert len(caught.value.faults) == 1
    return str(caught.value)


def test_places_count_characters_from_one() -> None:
    key, value = compose("# ü\nkü: v".encode(), "a.yaml").value[0]
    assert str(place_of(key)) == "a.yaml:2:1"
    assert str(place_of(value)) == "a.yaml:2:5"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "a.yaml: the file is empty"),
        (b"# nothing\n", "a.yaml: the file is empty"),
        (b"- a", "a.yaml:1:1: a spec is a mapping of sections (key: value)"),
        (b"just text", "a.yaml:1:1: a spec is a mapping of sections (key: value)"),
        (b"\xef\xbb\xbfa: 1", "a.yaml:1:1: the file starts with a byte order mark (plain UTF-8 has none)"),
        (b"a: 1\nb: \xff", "a.yaml:2:4: not UTF-8: byte 0xff"),
        (b"a: \x00", "a.yaml:1:4: the control character U+0000 is not allowed"),
        (b"a: 1\n--- \nb: 1\n", "a.yaml:2:1: a second document starts here (one file, one document; use include)"),
        (b"a:\n\tb: 1", "a.yaml:2:1: a tab cannot indent YAML (use spaces)"),
        (b"a: b: c", "a.yaml:1:5: not valid YAML: mapping values are not allowed in this context"),
        (b"a: *b", "a.yaml:1:4: not valid YAML: found undefined alias"),
        (b"a: @b", "a.yaml:1:4: not valid YAML: found character that cannot start any token"),
        (b"%YAML 9.9\n---\na: 1", "a.yaml:1:1: not valid YAML: found incompatible YAML document"),
    ],
)
def test_what_is_no_spec(content: bytes, message: str) -> None:
    assert fault(content).startswith(message)


def test_too_deep_is_stopped_early() -> None:
    assert "nested more than" in fault(b"a: " + b"[" * 1_000_000)
    assert "nested more than" in fault(b"\n".join(b" " * depth + b"a:" for depth in range(MAX_DEPTH + 2)))


def test_too_large_is_not_parsed() -> None:
    assert fault(b"a" * (MAX_FILE_BYTES + 1)) == "a.yaml: the file is over 16 MiB; split it with include"
