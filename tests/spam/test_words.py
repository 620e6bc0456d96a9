"""Words as they are learned: in order, folded, digits alike, and tricks with letters undone and counted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstack.spam.words import words_in


def split(text: str) -> list[str]:
    return [word.decode() for word in words_in(text, most=100, octets=32).words]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Free FREE free!", ["free", "free", "free"]),
        ("only $49.95, 20% off", ["only", "$00", "00", "00%", "off"]),
        ("2002 and 2026", ["0000", "and", "0000"]),
        ("don't e-mail", ["don", "t", "e", "mail"]),
        ("na\u00efve \u00c4RGER", ["na\u00efve", "\u00e4rger"]),
        ("\u201cquoted\u201d \u2013 text\u2026", ["quoted", "text"]),
        ("\u20ac500 \u00a320", ["$000", "$00"]),
        # Full width and mathematical letters are letters.
        ("\uff36\uff29\uff21\uff27\uff32\uff21", ["viagra"]),
        ("\U0001d42f\U0001d422\U0001d41a\U0001d420\U0001d42b\U0001d41a", ["viagra"]),
        ("v\u200bi\u00ada\u2060gra", ["viagra"]),
        # Scripts without spaces: overlapping pairs.
        ("\u514d\u8d39\u8d60 a", ["\u514d\u8d39", "\u8d39\u8d60", "a"]),
        ("\u514d", ["\u514d"]),
        ("x" * 33 + " y", ["y"]),
        ("", []),
        ("\ud800 a", ["a"]),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert split(text) == words


def test_no_more_words_than_asked_for() -> None:
    assert words_in("a b c", most=2, octets=32).words == [b"a", b"b"]
    assert words_in("a b c", most=0, octets=32).words == []


def test_invisible_characters_are_counted() -> None:
    assert words_in("fr\u200bee\u200c", most=9, octets=32).invisible == 2
    assert words_in("free", most=9, octets=32).invisible == 0


def test_two_scripts_in_a_word_are_counted() -> None:
    assert words_in("p\u0430yp\u0430l", most=9, octets=32).mixed == 2  # each \u0430 is Cyrillic
    assert words_in("\u043f\u0440\u0438\u0432\u0435\u0442 hello", most=9, octets=32).mixed == 0


@given(st.text())
def test_any_text_is_words_in_bounds(text: str) -> None:
    words = words_in(text, most=5, octets=8).words
    assert len(words) <= 5
    assert all(0 < len(word) <= 8 and b" " not in word for word in words)
