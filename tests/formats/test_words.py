"""RFC 2047 §8 and RFC 2231 §3-§4: the RFCs' own examples, and the habits of real senders."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailstack.formats.words import decode_base64, decode_words, encode_words, parameter


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"=?US-ASCII?Q?Keith_Moore?= <moore@cs.utk.edu>", "Keith Moore <moore@cs.utk.edu>"),  # RFC 2047 §8
        (b"=?ISO-8859-1?Q?Keld_J=F8rn_Simonsen?=", "Keld Jørn Simonsen"),
        (b"=?ISO-8859-1?Q?Andr=E9?= Pirard", "André Pirard"),
        (
            b"=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?= =?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?=",
            "If you can read this you understand the example.",
        ),
        (b"(=?ISO-8859-1?Q?a?=)", "(a)"),
        (b"(=?ISO-8859-1?Q?a?= b)", "(a b)"),
        (b"(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)", "(ab)"),
        (b"(=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=)", "(ab)"),
        (b"(=?ISO-8859-1?Q?a_b?=)", "(a b)"),
        (b"(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)", "(a b)"),
        (b"=?US-ASCII*EN?Q?Keith_Moore?=", "Keith Moore"),  # RFC 2231 §5
        (b"=?utf-8?q?=C3?= =?utf-8?q?=A9?=", "é"),  # a character cut in two
        (b"=?x-nobody?q?abc?=", "abc"),
        (b"=?utf-8?b?!!!?=", ""),
        (b"=?utf-8?b?w6k?=", "é"),  # padding forgotten
        (b"=?utf-8?q?open", "=?utf-8?q?open"),
        (b"=?idna?q?abc?=", "abc"),  # a codec that is no charset
        ("raw é".encode(), "raw é"),  # RFC 6532 §3.2
        (b"raw \xe9", "raw é"),
        (b"", ""),
        (b"plain", "plain"),
    ],
)
def test_words_are_decoded(value: bytes, text: str) -> None:
    assert decode_words(value) == text


@settings(derandomize=True)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=200).map(lambda text: " ".join(text.split())))
def test_what_is_encoded_decodes_back(text: str) -> None:
    encoded = encode_words(text)
    assert encoded.isascii()
    assert decode_words(encoded) == text
    # RFC 2047 §2: an encoded-word may not be more than 75 characters long.
    assert encoded == text.encode() or all(len(word) <= 75 for word in encoded.split())


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ([(b"url*0", b"ftp://"), (b"url*1", b"cs.utk.edu/pub")], "ftp://cs.utk.edu/pub"),  # RFC 2231 §3
        ([(b"url*1", b"cs.utk.edu/pub"), (b"url*0", b"ftp://")], "ftp://cs.utk.edu/pub"),
        ([(b"url*", b"us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A")], "This is ***fun***"),  # §4
        (
            [
                (b"url*0*", b"us-ascii'en'This%20is%20even%20more%20"),
                (b"url*1*", b"%2A%2A%2Afun%2A%2A%2A%20"),
                (b"url*2", b"isn't it!"),
            ],
            "This is even more ***fun*** isn't it!",
        ),  # §4.1
        ([(b"url*0*", b"utf-8''%C3"), (b"url*1*", b"%A9")], "é"),
        ([(b"url", b"a"), (b"url", b"b")], "a"),
        ([(b"url", b"=?utf-8?q?=C3=A9?=")], "é"),
        ([(b"url*", b"no quotes")], "no quotes"),
        ([(b"url*1", b"lost beginning")], None),
        ([(b"url*0", b"a"), (b"url*2", b"gap")], "a"),
        ([(b"url*x", b"a")], None),
        ([(b"other", b"a")], None),
    ],
)
def test_parameters_are_joined_and_decoded(parameters: list[tuple[bytes, bytes]], text: str | None) -> None:
    assert parameter(parameters, b"url") == text


def test_base64_is_read_whatever_stands_between() -> None:
    assert decode_base64(b"YW\r\nJj\x00!ZA==\r\nZWY=") == b"abcdef"
    assert decode_base64(b"A") == b""


def test_a_header_of_words_takes_linear_time() -> None:
    assert decode_words(b"=?utf-8?q?a?= " * 20_000).strip() == "a" * 20_000
