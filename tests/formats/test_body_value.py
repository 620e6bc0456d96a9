"""The text of parts: decoded, told where it is doubtful, and cut where it does no harm."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailstack.formats.body_value import BodyValue, body_value
from mailstack.formats.mime import scan


def value_of(head: bytes, body: bytes, max_octets: int = 0) -> BodyValue:
    raw = head + b"\r\n\r\n" + body
    return body_value(raw, scan(raw), max_octets=max_octets)


@pytest.mark.parametrize(
    ("head", "body", "text", "is_problem"),
    [
        (b"Content-Type: text/plain", b"a\r\nb\r\n", "a\nb\n", False),
        (b"Content-Type: text/plain; charset=utf-8", "ü".encode(), "ü", False),
        (b"Content-Type: text/plain; charset=utf-8", b"\xfc!", "ü!", True),
        (b"Content-Type: text/plain; charset=iso-8859-1", b"\xfc", "ü", False),
        (b"Content-Type: text/plain; charset=no-such", b"a", "a", True),
        (b"Content-Type: text/plain; charset=utf-7", b"+APw-", "ü", False),
        (b"Content-Type: text/plain; charset=shift_jis", b"\x81", "\ufffd", True),
        (b"Subject: no charset", "ü".encode(), "ü", False),
        (b"Subject: no charset", b"\xfc", "ü", True),
        (b"Content-Transfer-Encoding: base64", b"w7w=", "ü", False),
        (b"Content-Transfer-Encoding: x-unknown", b"w7w=", "w7w=", True),
    ],
)
def test_decoding(head: bytes, body: bytes, text: str, is_problem: bool) -> None:
    assert value_of(head, body) == BodyValue(text, is_problem, is_truncated=False)


@pytest.mark.parametrize(
    ("subtype", "body", "max_octets", "text"),
    [
        ("plain", "abc", 2, "ab"),
        ("plain", "abc", 3, "abc"),
        ("plain", "üü", 3, "ü"),
        ("plain", "üü", 4, "üü"),
        ("plain", "a<b c", 4, "a<b "),
        ("html", 'a <a href="x">b</a>', 6, "a "),
        ("html", 'a <a href="x">b</a>', 3, "a "),
        ("html", 'a <a href="x">b</a>', 15, 'a <a href="x">b'),
        ("html", "1 < 2 and so on", 9, "1 < 2 and"),
    ],
)
def test_cutting(subtype: str, body: str, max_octets: int, text: str) -> None:
    found = value_of(f"Content-Type: text/{subtype}; charset=utf-8".encode(), body.encode(), max_octets)
    assert found == BodyValue(text, is_encoding_problem=False, is_truncated=text != body)


@settings(derandomize=True)
@given(st.text(max_size=60), st.integers(1, 80), st.sampled_from(["plain", "html"]))
def test_what_is_cut_is_a_beginning_that_fits(text: str, max_octets: int, subtype: str) -> None:
    head = f"Content-Type: text/{subtype}; charset=utf-8".encode()
    whole = value_of(head, text.encode())
    found = value_of(head, text.encode(), max_octets)
    assert whole.text.startswith(found.text)
    assert len(found.text.encode()) <= max_octets
    assert found.is_truncated == (found.text != whole.text)
