"""What a plan shows of scripts; whole plans are in tests/data/plans (scripts_…)."""

import pytest

from mailstack.model.resource import Kind, Operation
from mailstack.reconcile.plan import Change, FieldChange
from mailstack.reconcile.render import field_lines, title


def script(operation: Operation, *fields: FieldChange) -> Change:
    return Change(operation=operation, kind=Kind.SCRIPT.value, name="alice@example.com", fields=fields)


def content(old: str | None, new: str) -> FieldChange:
    return FieldChange(name="content", old=old, new=new)


@pytest.mark.parametrize(("text", "length"), [("keep;\n", "1 line"), ("keep;", "1 line"), ("# a\nkeep;\n", "2 lines")])
def test_a_new_script_says_where_it_is_from_and_how_long_it_is(text: str, length: str) -> None:
    change = script(Operation.CREATE, content(None, text), FieldChange(name="origin", new="rules"))
    assert title(change) == f"script alice@example.com (rules, {length})"
    assert list(field_lines(change)) == []


def test_of_a_changed_script_the_changed_lines_are_shown_and_no_control_characters() -> None:
    change = script(Operation.UPDATE, content("# a\n# b\nkeep;\n", "# a\n# b\x1b[2J\nkeep;\n"))
    assert list(field_lines(change)) == ["@@ -1,3 +1,3 @@", " # a", "-# b", "+# b\\x1b[2J", " keep;"]


@pytest.mark.parametrize(("count", "last"), [(18, "-17"), (19, "… 1 more line"), (30, "… 12 more lines")])
def test_a_long_difference_is_cut(count: int, last: str) -> None:
    change = script(Operation.UPDATE, content("\n".join(map(str, range(count))), "x"))
    lines = list(field_lines(change))
    assert (len(lines), lines[-1]) == ((20, "+x") if count == 18 else (21, last))


def test_line_ends_alone_are_told() -> None:
    assert list(field_lines(script(Operation.UPDATE, content("keep;", "keep;\n")))) == ["only line ends differ"]
