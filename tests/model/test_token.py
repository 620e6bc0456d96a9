"""The text of a token: recognisable, checkable without a server, and never shown by accident."""

import re

import pytest

from mailstack.model.errors import Invalid
from mailstack.model.ids import TokenId
from mailstack.model.instant import Instant
from mailstack.model.token import RANDOM_OCTETS, Scope, Token, hash_of, token_id_of, token_text

TEXT = token_text(bytes(range(RANDOM_OCTETS)))


def test_a_scanner_can_recognise_it_by_one_pattern() -> None:
    assert re.fullmatch(r"mst_[0-9A-Za-z]{48}", TEXT)


def test_the_id_is_in_the_text_and_other_octets_make_another_one() -> None:
    assert TEXT[4:14] == token_id_of(TEXT)
    other = token_text(bytes(RANDOM_OCTETS))
    assert token_id_of(other) != token_id_of(TEXT)
    assert hash_of(other) != hash_of(TEXT)


@pytest.mark.parametrize("at", range(4, 52))
def test_one_wrong_letter_is_noticed(at: int) -> None:
    wrong = "z" if TEXT[at] != "z" else "y"
    with pytest.raises(Invalid):
        token_id_of(TEXT[:at] + wrong + TEXT[at + 1 :])


@pytest.mark.parametrize(
    "text", ["", "mst_", TEXT[:-1], f"{TEXT}a", f" {TEXT}", f"{TEXT}\n", TEXT.upper(), "mst_é" * 20]
)
def test_what_is_no_token_is_said_to_be_none(text: str) -> None:
    with pytest.raises(Invalid) as fault:
        token_id_of(text)
    assert text.strip() == "" or text not in str(fault.value)


def test_a_stored_token_does_not_show_its_hash() -> None:
    token = Token(
        token_id=TokenId("a"),
        name="ci",
        secret_hash=hash_of(TEXT),
        scopes=frozenset({Scope.PLAN}),
        maker=TokenId(""),
        created_at=Instant(1),
        expires_at=None,
    )
    assert "secret_hash" not in repr(token)
