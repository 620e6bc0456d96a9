"""Regular expressions of users."""

import pytest

from mailstack.formats.expressions import NoExpression, compiled, quoted, why_no_expression


@pytest.mark.parametrize(
    ("expression", "text", "expected"),
    [("b+", "abbb", "bbb"), ("x|xy|xyz", "xyz", "xyz"), ("a.b", "a\nb", "a\nb"), ("B", "abc", None), ("ü", "Ü", None)],
)
def test_the_longest_match_counts(expression: str, text: str, expected: str | None) -> None:
    found = compiled(expression, is_case_blind=False).search(text)
    assert (found and found.group(0)) == expected


def test_without_regard_to_case() -> None:
    assert compiled("ÜBER", is_case_blind=True).search("über") is not None


@pytest.mark.parametrize("expression", ["(a", "[a", "(a{1000}){1000}", "\\1", "*"])
def test_what_is_none(expression: str) -> None:
    assert why_no_expression(expression)
    with pytest.raises(NoExpression):
        compiled(expression, is_case_blind=True)


def test_what_is_one() -> None:
    assert why_no_expression("a|b") == ""


@pytest.mark.parametrize("text", ["a.b*[x]|y", "^$", "\\", "plain"])
def test_quoted_text_is_itself(text: str) -> None:
    found = compiled(quoted(text), is_case_blind=False).search(f"-{text}-")
    assert found is not None
    assert found.group(0) == text
