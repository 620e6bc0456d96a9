"""docs/explain.md has every refusal that SMTP clients hear, and none that there is not."""

import re
from pathlib import Path

from tests.support.refusals import refusals

PAGE = Path(__file__).parent.parent / "docs" / "explain.md"
# | `550 5.1.1` | text | what it means | what helps |
ROW = re.compile(r"^\| `([45][0-9]{2} [45]\.[0-9]+\.[0-9]+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


def rows() -> list[tuple[str, str, str, str]]:
    return ROW.findall(PAGE.read_text(encoding="utf-8"))


def test_every_refusal_is_explained_once_and_nothing_else_is() -> None:
    explained = [f"{code} {text}" for code, text, _, _ in rows()]
    assert sorted(explained) == sorted(refusals())


def test_no_row_was_passed_over() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    assert len(rows()) == sum(re.match(r"\| `[45][0-9]", line) is not None for line in lines)
