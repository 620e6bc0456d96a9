"""RFC 5051: i;unicode-casemap."""

import pytest

from mailstack.formats.collation import casemap


@pytest.mark.parametrize(
    ("one", "other"),
    [("a", "A"), ("é", "E\u0301"), ("ﬁ", "fi"), ("ǆ", "Ǆ"), ("ÅNGSTRÖM", "ångström"), ("Ｗｉｄｅ", "wide")],
)
def test_the_same(one: str, other: str) -> None:
    assert casemap(one) == casemap(other) or casemap(one).upper() == casemap(other).upper()


def test_letters_sort_before_what_follows_upper_case() -> None:
    # RFC 5051 §2: titlecase, so "_" comes after all ASCII letters
    assert sorted(["_", "b", "A", "", "é", "1"], key=casemap) == ["", "1", "A", "b", "é", "_"]
