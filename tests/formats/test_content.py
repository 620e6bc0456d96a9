"""RFC 2045 §6.7, §6.8: transfer encodings undone, and the text of parts as people read it."""

import pytest

from mailstack.formats.charsets import decode, decode_beginning, guess
from mailstack.formats.content import decode_transfer, leaves, read_text
from mailstack.formats.mime import scan
from mailstack.formats.part_table import TransferEncoding


@pytest.mark.parametrize(
    ("data", "encoding", "expected"),
    [
        (
            b"Now's the time =\r\nfor all folk to come=\r\n to the aid of their country.",  # RFC 2045 §6.7
            TransferEncoding.QUOTED_PRINTABLE,
            b"Now's the time for all folk to come to the aid of their country.",
        ),
        (b"a=3Db=zz=\n=E9", TransferEncoding.QUOTED_PRINTABLE, b"a=b=zz\xe9"),
        # RFC 2045 §6.7 (3): white space at the end of a line, and behind a soft line break
        (b"hello  \r\nfoo = \t\r\n=62\t=\r\n !\n \n", TransferEncoding.QUOTED_PRINTABLE, b"hello\r\nfoo b\t !\n\n"),
        (b" " * 1_000_000 + b"=20\t", TransferEncoding.QUOTED_PRINTABLE, b" " * 1_000_001),
        (b"aGVs\r\nbG8=\r\n", TransferEncoding.BASE64, b"hello"),
        (b"aGVs*bG8", TransferEncoding.BASE64, b"hello"),
        (b"as is =3D", TransferEncoding.IDENTITY, b"as is =3D"),
        (b"as is =3D", TransferEncoding.UNKNOWN, b"as is =3D"),
    ],
)
def test_transfer_encodings(data: bytes, encoding: TransferEncoding, expected: bytes) -> None:
    assert decode_transfer(data, encoding) == expected


@pytest.mark.parametrize(
    ("data", "charset", "text"),
    [
        (b"\xe9", "iso-8859-1", "é"),
        (b"\xc3\xa9", "UTF-8", "é"),
        (b"\xc3\xa9", "us-ascii", "é"),
        (b"\xe9", "utf-8", "é"),  # a false label
        (b"\x93x\x94", "iso-8859-1", "“x”"),  # what Windows means by it
        (b"\xe9", "koi8-r", "И"),
        (b"\xb0\xa1", "ks_c_5601-1987", "가"),
        (b"\xc4\xe3", "gb2312", "你"),
        (b"\x1b$B4A;z\x1b(B", "iso-2022-jp", "漢字"),
        (b"abc", "x-unknown", "abc"),
        (b"abc", "x" * 1_000, "abc"),
        (b"abc", "punycode", "abc"),
        (b"\\x41", "unicode_escape", "\\x41"),
        (b"abc", "", "abc"),
        (b"abc", "\x00\ud800", "abc"),
    ],
)
def test_charsets(data: bytes, charset: str, text: str) -> None:
    assert decode(data, charset) == text


def test_undecodable_octets_are_replaced_not_refused() -> None:
    assert decode(b"\x81\xff\xff", "shift_jis").startswith("�")
    assert guess(b"\x81") == "�"


def test_the_text_of_a_part_is_decoded_and_bounded() -> None:
    header = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    raw = header + b"a=C3=A9\r\nb=C3=A9\r\n"
    part = scan(raw)
    assert read_text(raw, part, source_limit=1_000) == "aé\r\nbé\r\n"
    # Cut behind the equals sign, inside the escape, inside the character, behind it.
    assert [read_text(raw, part, source_limit=size) for size in (2, 3, 4, 5, 6, 7)] == ["a", "a", "a", "a", "a", "aé"]


def test_html_is_read_without_its_markup() -> None:
    raw = b"Content-Type: text/html\r\n\r\n<b>a</b> &amp; b"
    assert read_text(raw, scan(raw), source_limit=1_000) == "a & b"


def test_leaves_are_those_of_all_levels() -> None:
    raw = (
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: message/rfc822\r\n\r\n"
        b"Content-Type: text/html\r\n\r\n\r\n--x\r\nContent-Type: a/b\r\n\r\n--x--"
    )
    assert [part.subtype for part in leaves(scan(raw))] == [b"html", b"b"]


@pytest.mark.parametrize("charset", ["utf-8", "gb18030", "utf-16", "iso-2022-jp", "cp1252", "x-unknown", "viscii"])
def test_the_beginning_of_a_text_ends_before_a_cut_character(charset: str) -> None:
    known = charset if charset not in ("x-unknown", "viscii") else "utf-8"
    text = "aé" if known == "cp1252" else "a漢字"
    octets = text.encode(known)
    for size in range(len(octets) + 1):
        assert text.startswith(decode_beginning(octets[:size], charset))
    assert decode_beginning(octets, charset) == text


def test_the_beginning_of_a_text_with_a_false_label_is_read_too() -> None:
    assert decode_beginning(b"caf\xe9 x", "utf-8") == "café x"
