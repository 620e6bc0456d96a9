"""What of a message is looked at: texts, links, attachments and oddities; hostile ones in bounds."""

import base64

import pytest

from mailstack.spam.limits import LIMITS, Limits
from mailstack.spam.seen import Attachment, look_at


def part(content_type: bytes, body: bytes, more: bytes = b"") -> bytes:
    return b"Content-Type: " + content_type + b"\r\n" + more + b"\r\n" + body + b"\r\n"


def mixed(*parts: bytes) -> bytes:
    return (
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n"
        + b"".join(b"--x\r\n" + one for one in parts)
        + b"--x--\r\n"
    )


def test_plain_text_with_links() -> None:
    seen = look_at(b"\r\nsee http://a.example/b and HTTPS://c.example, or ftp://d.example\r\n")
    assert seen.texts == ["see http://a.example/b and HTTPS://c.example, or ftp://d.example\r\n"]
    assert seen.links == ["http://a.example/b", "https://c.example,"]


def test_markup_as_it_is_shown() -> None:
    seen = look_at(
        part(b"text/html", b"<p>a<b hidden>b</b><img src=x><form method=post><a href=http://c.example>c</a>")
    )
    assert [text.split() for text in seen.texts] == [["a", "c"]]
    assert seen.hidden == ["b"]
    assert seen.links == ["http://c.example"]
    assert (seen.image_count, seen.images) == (1, ["x"])
    assert seen.notes == ["asks for input in a form"]


def test_attachments_by_type_and_name() -> None:
    seen = look_at(
        mixed(
            part(b"text/plain", b"hello"),
            part(b"application/zip; name=a.zip", b"UEs=", b"Content-Transfer-Encoding: base64\r\n"),
            part(b"text/html", b"<p>", b'Content-Disposition: attachment; filename="order.html"\r\n'),
        )
    )
    assert seen.attachments == [
        Attachment(media_type="application/zip", name="a.zip"),
        Attachment(media_type="text/html", name="order.html"),
    ]
    assert [text.strip() for text in seen.texts] == ["hello"]


def test_a_message_inside_is_read_too() -> None:
    assert look_at(part(b"message/rfc822", b"Subject: x\r\n\r\ninner")).texts == ["inner\r\n"]


@pytest.mark.parametrize("charset", [b"no-such-charset", b"utf-7-of-mine", b"\xff\xfe"])
def test_an_unknown_charset_is_noticed_and_read_all_the_same(charset: bytes) -> None:
    seen = look_at(part(b"text/plain; charset=" + charset, b"caf\xc3\xa9"))
    assert (seen.texts, seen.notes) == (["café\r\n"], ["unknown charset"])


def test_base64_that_lies_is_read_as_it_stands() -> None:
    seen = look_at(part(b"text/plain", b"Buy this now!", b"Content-Transfer-Encoding: base64\r\n"))
    assert seen.notes == ["base64 that is none"]
    assert any("Buy this now!" in text for text in seen.texts)


def test_base64_that_is_honest_is_not_noticed() -> None:
    body = base64.encodebytes(b"Hello, world. " * 50).replace(b"\n", b"\r\n")
    seen = look_at(part(b"text/plain", body, b"Content-Transfer-Encoding: base64\r\n"))
    assert (seen.texts, seen.notes) == (["Hello, world. " * 50], [])


def test_very_many_parts_are_noticed() -> None:
    seen = look_at(mixed(*[part(b"text/plain", b"x")] * (LIMITS.parts + 1)))
    assert len(seen.texts) == LIMITS.parts
    assert seen.notes == ["very many parts"]


def test_of_large_texts_the_beginning_is_read() -> None:
    limits = Limits(part_octets=8, text_octets=12)
    seen = look_at(mixed(*[part(b"text/plain", b"0123456789")] * 3), limits=limits)
    assert seen.texts == ["01234567", "0123"]


@pytest.mark.parametrize(
    "body",
    [
        b"<div>" * 200_000,
        b"http://a.example " * 100_000,
        b"<a href=http://a.example>x</a>" * 100_000,
        b"\xe2\x80\x8b" * 300_000,
        b"=" * 1_000_000,
    ],
)
def test_bombs_are_bounded(body: bytes) -> None:
    for kind in (b"text/plain", b"text/html"):
        seen = look_at(part(kind, body))
        assert sum(map(len, seen.texts)) <= LIMITS.text_octets
        assert len(seen.links) <= LIMITS.links


def test_deep_nesting_is_bounded() -> None:
    message = b"deep"
    for number in range(200):
        message = b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n%b\r\n" % (number, number, message)
    assert len(look_at(message).texts) <= LIMITS.parts


def test_links_that_show_an_address() -> None:
    assert look_at(part(b"text/html", b"<a href=http://b.example>a.example</a>")).named_links == [
        ("a.example", "http://b.example")
    ]
