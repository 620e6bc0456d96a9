"""Keywords as JMAP spells them."""

import pytest

from mailstack.wire.jmap.faults import NotSet
from mailstack.wire.jmap.mail.keywords import read_keyword, read_keywords, write_keywords


def test_flags_have_a_dollar_sign_and_all_is_in_lower_case() -> None:
    keywords = frozenset({"\\Seen", "\\Answered", "\\Flagged", "\\Draft", "$Junk", "Work"})
    written = write_keywords(keywords)
    assert written == dict.fromkeys(("$seen", "$answered", "$flagged", "$draft", "$junk", "work"), True)
    assert read_keywords(written) == keywords - {"Work"} | {"work"}


def test_case_is_no_matter() -> None:
    assert read_keyword("$SEEN") == "\\Seen"
    assert read_keyword("$notjunk") == "$NotJunk"
    assert read_keyword("WORK") == "work"


@pytest.mark.parametrize(
    "value", [[], {"a": False}, {"a": 1}, {"": True}, {"a b": True}, {"\\Seen": True}, {"ü": True}, {"a(": True}]
)
def test_what_is_no_keyword(value: object) -> None:
    with pytest.raises(NotSet) as fault:
        read_keywords(value)
    assert fault.value.fault.properties == ("keywords",)
