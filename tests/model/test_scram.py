"""Verifiers as text, and what they are made of. RFC 5802, RFC 7677."""

import pytest

from mailstack.model.errors import Invalid
from mailstack.model.scram import ScramVerifier, derive_verifier, is_password_of, parse_verifier

# As PostgreSQL writes it of the password "pencil" with the salt of RFC 7677 §3.
TEXT = (
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY="
    ":wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
)
SALT = b"\x5b\x6d\x99\x68\x9d\x12\x35\x8e\xec\xa0\x4b\x14\x12\x36\xfa\x81"


def test_a_verifier_is_made_as_postgresql_makes_it() -> None:
    assert str(derive_verifier(b"pencil", salt=SALT, iterations=4096)) == TEXT


def test_text_and_back() -> None:
    assert str(parse_verifier(TEXT)) == TEXT


def test_only_its_own_password_fits() -> None:
    assert is_password_of(parse_verifier(TEXT), b"pencil")
    assert not is_password_of(parse_verifier(TEXT), b"pencils")


def test_no_key_is_shown() -> None:
    key = ScramVerifier(iterations=4096, salt=b"salty", stored_key=b"stored", server_key=b"server")
    assert repr(key) == "ScramVerifier(iterations=4096)"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SCRAM-SHA-256$",
        TEXT.replace("256", "1"),
        TEXT.replace("4096", "04096"),
        TEXT.replace("4096", ""),
        TEXT.replace("gQ==", "gQ="),
        TEXT.replace("W22ZaJ0SNY7soEsUEjb6gQ==", ""),
        TEXT[:-1],
        TEXT + "\n",
        f" {TEXT}",
        TEXT.replace("=:", ":"),
    ],
)
def test_what_is_no_verifier(text: str) -> None:
    with pytest.raises(Invalid):
        parse_verifier(text)
