"""RFC 2045 §5.1, RFC 2183 §2: types, dispositions and their parameters as real mail writes them."""

import pytest

from mailstack.formats.mediatype import Parameters, parse_disposition, parse_media_type

Type = tuple[bytes, bytes, Parameters]


@pytest.mark.parametrize(
    ("value", "media_type"),
    [
        (
            b"text/plain; charset=us-ascii (Plain text)",
            (b"text", b"plain", ((b"charset", b"us-ascii"),)),
        ),  # RFC 2045 §5.1
        (b'Text/Plain; Charset="us-ascii"', (b"text", b"plain", ((b"charset", b"us-ascii"),))),
        (
            b'multipart/mixed; boundary="gc0pJq0M:08jU534c0p"',
            (b"multipart", b"mixed", ((b"boundary", b"gc0pJq0M:08jU534c0p"),)),
        ),
        (b"multipart/mixed; boundary=gc0p:08j", (b"multipart", b"mixed", ((b"boundary", b"gc0p:08j"),))),
        (b"multipart/mixed; boundary = a ;x=y", (b"multipart", b"mixed", ((b"boundary", b"a"), (b"x", b"y")))),
        (b'a/b; name="x\\"y;z"', (b"a", b"b", ((b"name", b'x"y;z'),))),
        (b'a/b; name="unclosed', (b"a", b"b", ((b"name", b"unclosed"),))),
        (b"a/b; name=with spaces.txt; c=d", (b"a", b"b", ((b"name", b"with spaces.txt"), (b"c", b"d")))),
        (b"a/b; name*0*=utf-8''x; name*1=y", (b"a", b"b", ((b"name*0*", b"utf-8''x"), (b"name*1", b"y")))),
        (b"a/b;;; ;x=y;", (b"a", b"b", ((b"x", b"y"),))),
        (b"a/b", (b"a", b"b", ())),
        (b"a / b", (b"a", b"b", ())),
        (b"text", None),
        (b"text/", None),
        (b"te\x00xt/plain", None),  # would be written as another type
        (b"text/pl\x00ain", None),
        (b"/plain", None),
        (b"", None),
        (b";x=y", None),
    ],
)
def test_types_are_read(value: bytes, media_type: Type | None) -> None:
    assert parse_media_type(value) == media_type
    # Long values take another way round the cache.
    assert parse_media_type(b" " * 200 + value) == media_type


@pytest.mark.parametrize(
    ("value", "disposition"),
    [
        (b"inline", (b"inline", ())),  # RFC 2183 §3
        (
            b'attachment; filename=genome.jpeg; modification-date="Wed, 12 Feb 1997 16:29:51 -0500"',
            (
                b"attachment",
                ((b"filename", b"genome.jpeg"), (b"modification-date", b"Wed, 12 Feb 1997 16:29:51 -0500")),
            ),
        ),
        (b'"attachment"; filename=x', (b"attachment", ((b"filename", b"x"),))),
        (b"", None),
        (b";filename=x", None),
    ],
)
def test_dispositions_are_read(value: bytes, disposition: tuple[bytes, Parameters] | None) -> None:
    assert parse_disposition(value) == disposition


@pytest.mark.parametrize("piece", [b";", b"=", b'"', b"\\", b";a=", b';a="', b"(", b" ", b'="\\', b"a"])
def test_hostile_values_take_linear_time(piece: bytes) -> None:
    parse_media_type(b"a/b;" + piece * (256 * 1024 // len(piece)))
    parse_disposition(piece * (256 * 1024 // len(piece)))
