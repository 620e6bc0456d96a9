"""Plans as comments on a pull request. Each case is a file in tests/data/plan/; MAILSTACK_GOLDEN=write renews them."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from mailstack.model.resource import Operation
from mailstack.reconcile.markdown import LONGEST, code, render_markdown
from tests.support.plans import ACCOUNT, CASES, a_plan, change, plain

GOLDEN = Path(__file__).parents[1] / "data" / "plan"


@pytest.mark.parametrize("name", CASES)
def test_a_plan_reads_as_in_its_golden_file(name: str) -> None:
    golden = GOLDEN / f"{name}.md"
    if os.environ.get("MAILSTACK_GOLDEN") == "write":
        golden.write_text(render_markdown(CASES[name]), encoding="utf-8")
    assert render_markdown(CASES[name]) == golden.read_text(encoding="utf-8")


def test_what_is_destroyed_stands_first_and_open() -> None:
    text = render_markdown(CASES["destroy"])
    assert text.index("To destroy: 1") < text.index("To create: 1")
    assert "<details open><summary>To destroy: 1</summary>" in text


def test_a_plan_of_thousands_fits_into_a_comment() -> None:
    changes = [replace(ACCOUNT, name=f"a{number}@example.com") for number in range(5_000)]
    text = render_markdown(a_plan(*changes))
    assert len(text) < LONGEST + 1_000
    assert "more: `mailstack plan` shows them all" in text


def test_foreign_values_cannot_leave_their_code() -> None:
    hostile = "```\n</details><img src=x>@everyone"
    text = render_markdown(
        a_plan(
            change(Operation.UPDATE, "dns_record", "a TXT", plain("values", old=[hostile], new=["b"]), reason=hostile)
        )
    )
    fences = [line for line in text.splitlines() if line.startswith("`")]
    assert fences == ["````diff", "````"]


@pytest.mark.parametrize(
    ("text", "shown"), [("a", "`a`"), ("a`b", "``a`b``"), ("`", "`` ` ``"), ("", "`  `"), ("a\nb", "`a\\nb`")]
)
def test_a_code_span_holds_anything(text: str, shown: str) -> None:
    assert code(text) == shown
