"""Near-duplicates have bands in common, other mails have none."""

import random

import pytest

from mailstack.spam.features import features_of
from mailstack.spam.fingerprint import AGREEING_BANDS, bands_of

WORDS = [f"{one}{two}{three}" for one in "bdfgkl" for two in "aeiou" for three in ("n", "rt", "st", "m")]


def bands(words: list[str]) -> tuple[int, ...]:
    return bands_of(features_of(b"Subject: x\r\n\r\n" + " ".join(words).encode()).words)


def alike(one: tuple[int, ...], two: tuple[int, ...]) -> bool:
    return len({*one} & {*two}) >= AGREEING_BANDS


def text(seed: int, length: int = 80) -> list[str]:
    return random.Random(seed).choices(WORDS, k=length)


def test_the_same_text_has_the_same_bands() -> None:
    assert bands(text(1)) == bands(text(1))
    assert len({*bands(text(1))}) == 8


def test_copies_with_another_name_and_another_link_are_of_one_campaign() -> None:
    found = []
    for seed in range(50):
        words = text(seed)
        found.append(alike(bands(["Dear", "Alice", *words, "shop1"]), bands(["Dear", "Bob", *words, "shop2"])))
    assert sum(found) >= 48


def test_texts_of_the_same_words_in_another_order_are_not() -> None:
    assert not any(alike(bands(text(seed)), bands(text(seed + 1))) for seed in range(50))


def test_a_text_that_stands_in_a_longer_one_is_not_taken_for_it() -> None:
    assert not any(alike(bands(text(seed)), bands(text(seed) + text(seed + 100, 400))) for seed in range(50))


@pytest.mark.parametrize("length", [0, 1, 4])
def test_a_text_of_few_words_has_none(length: int) -> None:
    assert bands(text(1, length)) == ()


def test_a_short_text_has_all() -> None:
    assert len(bands(text(3, 6))) == 8
