"""Flags and keywords: RFC 9051 §2.3.2."""

import pytest

from mailstack.model.errors import Invalid
from mailstack.model.flags import canonical_flag, keywords_from_text, keywords_text


@pytest.mark.parametrize(
    ("flag", "canonical"),
    [("\\seen", "\\Seen"), ("\\DELETED", "\\Deleted"), ("$Forwarded", "$Forwarded"), ("work", "work")],
)
def test_system_flags_have_one_spelling_and_keywords_their_own(flag: str, canonical: str) -> None:
    assert canonical_flag(flag) == canonical


@pytest.mark.parametrize(
    "flag", ["", "\\Recent", "\\Unknown", "two words", "a(b", 'a"b', "a]b", "ä", "a\x00", "x" * 101]
)
def test_what_is_no_flag_is_refused(flag: str) -> None:
    with pytest.raises(Invalid):
        canonical_flag(flag)


def test_keywords_survive_the_store() -> None:
    keywords = frozenset({"\\Seen", "$Junk", "work"})
    assert keywords_from_text(keywords_text(keywords)) == keywords
    assert keywords_from_text("") == frozenset()
