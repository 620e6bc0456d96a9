"""Charsets by any name, right, wrong or unknown, of any octets: text, and never an exception."""

import random
from encodings.aliases import aliases

import pytest

from mailstack.formats.charsets import decode, decode_beginning
from mailstack.formats.digest import digest_message

STARTS = (b"", b"\x1b$B", b"+", b"~{", b"\xff\xfe", b"\x1b$)C", b"\0\0\xfe\xff")


@pytest.mark.parametrize(
    ("charset", "data", "text"),
    [
        ("utf-8", "é".encode(), "é"),
        ("UTF8", "é".encode(), "é"),
        ("us-ascii", "é".encode(), "é"),  # what most who say so mean
        ("iso-8859-1", b"\x93x\x94", "“x”"),
        ("latin1", b"\xe9", "é"),
        ("windows-1252", b"\x80", "€"),
        ("ISO-8859-8-I", b"\xe0", "א"),
        ("x-sjis", b"\x83e", "テ"),
        ("shift_jis", b"\x83e", "テ"),
        ("ks_c_5601-1987", b"\xb0\xa1", "가"),
        ("gb2312", b"\xc4\xe3", "你"),
        ("big5", b"\xa7A", "你"),
        ("koi8-r", b"\xd4", "т"),
        ("iso-2022-jp", b"\x1b$B$F\x1b(B", "て"),
        ("utf-7", b"+AOk-", "é"),
        ("utf-7", b"+2D3eAA-", "\U0001f600"),
        ("utf-16", b"\xfe\xff\0a", "a"),
        ("utf-16be", b"\0a", "a"),
        ("", b"\xe9a", "éa"),
        ("nobody-knows", b"\xe9a", "éa"),
        ("idna", b"abc", "abc"),
        ("x" * 100_000, b"abc", "abc"),
    ],
)
def test_names_and_what_is_meant_by_them(charset: str, data: bytes, text: str) -> None:
    assert decode(data, charset) == text
    assert decode_beginning(data, charset) == text


def test_halves_of_characters_are_no_text() -> None:
    assert decode(b"a+2AA-b", "utf-7") == "a\ufffdb"
    assert decode_beginning(b"a+2AA-b", "utf-7") == "a\ufffdb"


def test_no_charset_raises_on_any_octets() -> None:
    dice = random.Random(1)
    for charset in sorted({*aliases, *aliases.values(), "macintosh", "unknown-8bit"}):
        for start in STARTS:
            data = start + dice.randbytes(dice.randrange(30))
            decode(data, charset).encode()
            decode_beginning(data, charset).encode()


def test_utf16_without_a_mark_of_its_byte_order_is_delivered() -> None:
    raw = b"Content-Type: text/plain; charset=utf-16\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + b"\x18\x95" * 5_000

    assert digest_message(raw).preview
