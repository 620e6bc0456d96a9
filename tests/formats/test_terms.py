"""Words of texts and what needles ask of them."""

import random

import pytest

from mailstack.formats.searched import folded
from mailstack.formats.terms import MAX_NEEDLE_WORDS, MAX_WORD_CHARACTERS, needle_words, prefix_words, words_of
from mailstack.model.search import Word, WordMatch


def word(match: WordMatch, text: str) -> Word:
    return Word(match=match, text=text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", set()),
        ("one two,one", {"one", "two"}),
        ("a@b.example", {"a", "b", "example"}),
        ("foo_bar", {"foo", "bar"}),
        ("naïve żółw", {"naïve", "żółw"}),
        ("हिन्दी", {"हिन्दी"}),
        ("会议室", {"会议", "议室"}),
        ("会", {"会"}),
        ("abc会议", {"abc", "会议"}),
        ("100€ “x”…y", {"100", "x", "y"}),
        ("\ud800x\udfff", {"x"}),
        ("\U0001f600a", {"a"}),
    ],
)
def test_words_of_a_folded_text(text: str, words: set[str]) -> None:
    assert words_of(text) == words


@pytest.mark.parametrize(
    ("needle", "words", "is_exact"),
    [
        ("foo", (word(WordMatch.INFIX, "foo"),), True),
        ("foo bar", (word(WordMatch.SUFFIX, "foo"), word(WordMatch.PREFIX, "bar")), False),
        (
            "a b c",
            (word(WordMatch.SUFFIX, "a"), word(WordMatch.EXACT, "b"), word(WordMatch.PREFIX, "c")),
            False,
        ),
        (" foo", (word(WordMatch.PREFIX, "foo"),), False),
        ("foo@", (word(WordMatch.SUFFIX, "foo"),), False),
        ("@foo.", (word(WordMatch.EXACT, "foo"),), False),
        ("@", (), False),
        ("", (), False),
        ("会", (word(WordMatch.INFIX, "会"),), True),
        ("会议", (word(WordMatch.EXACT, "会议"),), True),
        ("会议室", (word(WordMatch.EXACT, "会议"), word(WordMatch.EXACT, "议室")), False),
        (" 会 ", (word(WordMatch.EXACT, "会"),), False),
    ],
)
def test_what_a_needle_asks_of_the_words(needle: str, words: tuple[Word, ...], is_exact: bool) -> None:
    assert needle_words(needle) == (words, is_exact)


def test_a_needle_of_many_words_asks_for_some_of_them() -> None:
    words, is_exact = needle_words("a b c d " * 100_000)
    assert 1 < len(words) <= MAX_NEEDLE_WORDS
    assert not is_exact


def test_a_needle_longer_than_any_indexed_word_is_not_exact() -> None:
    long = "x" * (MAX_WORD_CHARACTERS + 1)
    words, is_exact = needle_words(long)
    assert not is_exact
    assert words == ()


def test_an_approximate_text_asks_for_beginnings_however_spelt() -> None:
    first, second = prefix_words("re, öre")
    assert (first.match, first.text, second.text) == (WordMatch.PREFIX, "re", "ore")
    assert len(first.spellings) == 2
    assert first.spellings[0][0] == "r"
    assert {"e", "é", "ệ"} <= set(first.spellings[1])
    assert first.spellings == second.spellings[1:]
    assert set("oöó") <= set(second.spellings[0])
    assert prefix_words("--") == ()


def test_a_substring_of_a_text_always_finds_its_words_there() -> None:
    chance = random.Random(5)
    alphabet = "ab é\u0301ß-_@.会议タ\u0e20\u00ad😀\ud800İ"
    for _ in range(3_000):
        text = folded("".join(chance.choices(alphabet, k=12)))
        start = chance.randrange(len(text))
        needle = text[start : start + chance.randint(1, 6)]
        words = words_of(text)
        for asked in needle_words(needle)[0]:
            assert any(_is_met(asked, one) for one in words), (text, needle)


def _is_met(asked: Word, one: str) -> bool:
    match asked.match:
        case WordMatch.EXACT:
            return one == asked.text
        case WordMatch.PREFIX:
            return one.startswith(asked.text)
        case WordMatch.SUFFIX:
            return one.endswith(asked.text)
        case WordMatch.INFIX:
            return asked.text in one
