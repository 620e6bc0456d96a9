"""RFC 5051: i;unicode-casemap; RFC 4790 §9: i;ascii-casemap, i;octet."""

import pytest

from mailstack.formats.collation import FOLDS, casemap
from mailstack.model.sorting import Collation


@pytest.mark.parametrize(
    ("one", "other"),
    [("a", "A"), ("é", "E\u0301"), ("ﬁ", "fi"), ("ǆ", "Ǆ"), ("ÅNGSTRÖM", "ångström"), ("Ｗｉｄｅ", "wide")],
)
def test_the_same(one: str, other: str) -> None:
    assert casemap(one) == casemap(other) or casemap(one).upper() == casemap(other).upper()


def test_letters_sort_before_what_follows_upper_case() -> None:
    # RFC 5051 §2: titlecase, so "_" comes after all ASCII letters
    assert sorted(["_", "b", "A", "", "é", "1"], key=casemap) == ["", "1", "A", "b", "é", "_"]


@pytest.mark.parametrize(
    ("collation", "expected"),
    [
        (Collation.UNICODE, ["1", "A", "b", "É", "é", "_"]),
        (Collation.ASCII, ["1", "A", "b", "_", "É", "é"]),
        (Collation.OCTET, ["1", "A", "_", "b", "É", "é"]),
    ],
)
def test_the_order_of_each(collation: Collation, expected: list[str]) -> None:
    assert sorted(["É", "_", "b", "A", "1", "é"], key=FOLDS[collation]) == expected


def test_the_same_but_for_ascii() -> None:
    fold = FOLDS[Collation.ASCII]
    assert fold("aÉz") == fold("AÉZ") != fold("AéZ")
