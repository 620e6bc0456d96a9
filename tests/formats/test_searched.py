"""The text that searching sees: decoded, folded, with the parts in their order."""

import pytest

from mailstack.formats.headers import scan_fields
from mailstack.formats.searched import SearchedText, field_texts, folded, header_text

RAW = (
    b"Subject: =?utf-8?q?=C3=84?= b\r\nX: one\r\nx: TWO\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
    b"--x\r\nContent-Type: text/plain; charset=utf-16le\r\nContent-Transfer-Encoding: base64\r\n\r\nQQBCAEMA\r\n"
    b"--x\r\nContent-Type: message/rfc822\r\n\r\nSubject: embedded\r\n\r\ninside\r\n--x--\r\n"
)


@pytest.mark.parametrize(
    ("one", "other"),
    [("ABC", "abc"), ("STRASSE", "straße"), ("Ä", "a\u0308"), ("ﬁ", "FI"), ("Σ", "ς"), ("", "")],
)
def test_folding_joins_what_people_take_for_the_same(one: str, other: str) -> None:
    assert folded(one) == folded(other)


def test_headers() -> None:
    fields = scan_fields(RAW)
    assert header_text(fields).startswith("subject: ä b\nx: one\nx: two\n")
    assert field_texts(RAW, b"x") == ["one", "two"]
    text = SearchedText(RAW)
    assert text.field_values(b"x") == ["one", "two"]
    assert text.header_has("ä b")
    assert not text.header_has("embedded")


def test_headers_of_parts_and_names_of_files() -> None:
    text = SearchedText(
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: image/png;"
        b" name==?utf-8?q?=C3=84?=.png\r\nContent-Disposition: attachment; filename*=utf-8''Stra%C3%9Fe\r\n\r\n?\r\n"
        b"--x\r\nContent-Type: message/rfc822\r\n\r\nSubject: embedded\r\n\r\ninside\r\n--x--\r\n"
    )
    for there in ("image/png", "ä.png", "strasse", "message/rfc822"):
        assert text.mime_has(there), there
    for elsewhere in ("multipart", "embedded", "inside"):
        assert not text.mime_has(elsewhere), elsewhere


@pytest.mark.parametrize("needle", ["abc", "embedded", "inside", ""])
def test_bodies(needle: str) -> None:
    text = SearchedText(RAW)
    assert text.body_has(needle)
    assert text.body_has(needle)


def test_what_is_not_there_is_not_found() -> None:
    text = SearchedText(RAW)
    assert not text.body_has("one")
    assert not text.body_has("nowhere")
    assert text.body_has("abc")
