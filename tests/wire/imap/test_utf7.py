"""Modified UTF-7. RFC 3501 §5.1.3."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstack.model.errors import Invalid
from mailstack.wire.imap import utf7

PAIRS = [
    (b"INBOX", "INBOX"),
    (b"~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/台北/日本語"),  # RFC 3501 §5.1.3
    (b"Entw&APw-rfe", "Entwürfe"),
    (b"R&-D", "R&D"),
    (b"&2D3eAA-", "😀"),
    (b"", ""),
    (b"a b*%", "a b*%"),
]


@pytest.mark.parametrize(("octets", "text"), PAIRS)
def test_decode(octets: bytes, text: str) -> None:
    assert utf7.decode(octets) == text


@pytest.mark.parametrize(("octets", "text"), PAIRS)
def test_encode(octets: bytes, text: str) -> None:
    assert utf7.encode(text) == octets


@pytest.mark.parametrize(
    "octets",
    [
        b"&",
        b"&AOk",
        b"&AGE-",  # an "a" must not be shifted
        b"&AOk-&AOk-",  # RFC 3501 §5.1.3: no superfluous shifts
        b"&Jj!-",
        b"&AO-",
        b"&2D0-",  # half a surrogate pair
        b"caf\xc3\xa9",
        b"a\x00b",
        b"a\x7fb",
    ],
)
def test_what_is_not_in_shortest_form_is_invalid(octets: bytes) -> None:
    with pytest.raises(Invalid):
        utf7.decode(octets)


@given(st.text())
def test_every_text_comes_back(text: str) -> None:
    assert utf7.decode(utf7.encode(text)) == text
