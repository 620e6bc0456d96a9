"""xtext. RFC 3461 §4."""

import pytest

from mailstack.formats.xtext import decode_xtext, encode_xtext
from mailstack.model.errors import Invalid


@pytest.mark.parametrize(
    ("text", "plain"),
    [("", ""), ("QQ314159", "QQ314159"), ("a+2Bb", "a+b"), ("a+3Db", "a=b"), ("a+20b", "a b"), ("+2B2B", "+2B")],
)
def test_hexadecimal_pairs_become_characters(text: str, plain: str) -> None:
    assert decode_xtext(text) == plain
    assert encode_xtext(plain) == text


@pytest.mark.parametrize("text", ["+", "+2", "+2b", "+ZZ", "a=b", "a b", "+C3+A9", "+0D+0A", "+00", "+7F"])
def test_what_is_no_xtext_or_does_not_print_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        decode_xtext(text)
