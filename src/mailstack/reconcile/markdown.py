"""A plan as Markdown, for a comment on a pull request. Pure. What the text says in words is render's.

Names and values come from outside, so all of them stand in code, where no markup works.
"""

from collections.abc import Iterator
from itertools import chain

from mailstack.model.resource import Operation
from mailstack.reconcile.brake import going_on, reasons_of
from mailstack.reconcile.plan import Change, Plan
from mailstack.reconcile.render import SYMBOLS, field_lines, printable, remark, summary, title

LONGEST = 60_000
"""Of the changes: GitHub takes 65,536 characters in a comment, GitLab a million."""
_HEADINGS = {
    Operation.DESTROY: "To destroy",
    Operation.MOVE: "To move",
    Operation.UPDATE: "To change",
    Operation.CREATE: "To create",
}


def render_markdown(plan: Plan) -> str:
    """Destroyed things first: they are what a reviewer must not miss. Ends with a line end."""
    heading = "No changes" if plan.is_empty else summary(plan).removeprefix("Plan: ").rstrip(".")
    parts = [f"### mailstack: {heading}\n"]
    parts += [f"> **Warning:** {code(warning.subject)}: {code(warning.text)}\n" for warning in plan.warnings]
    parts += [f"> **Apply stops:** {code(reason)}\n" for reason in reasons_of(plan.stops)]
    if plan.stops:
        parts.append(f"> If that is meant: {code(going_on(plan.stops, plan.spec_arguments))}\n")
    left = LONGEST
    for operation in _HEADINGS:
        changes = [change for change in plan.changes if change.operation is operation]
        if changes:
            section, left = _section(operation, changes, left)
            parts.append(section)
    for item in () if plan.is_empty else plan.by_hand:
        why = f" ({item.reason})" if item.reason else ""
        parts.append(_details(f"To publish by hand, zone {code(item.zone or 'none')}{why}", "", item.records))
    parts.append(f"<sub>generation {plan.generation}, plan {code(plan.plan_hash[:12])}</sub>\n")
    return "\n".join(parts)


def _section(operation: Operation, changes: list[Change], left: int) -> tuple[str, int]:
    lines: list[str] = []
    shown = 0
    for change in changes:
        block = list(_change(change))
        left -= sum(len(line) + 1 for line in block)
        if left < 0:
            break
        lines += block
        shown += 1
    if shown < len(changes):
        lines.append(f"… and {len(changes) - shown} more: `mailstack plan` shows them all")
    is_open = operation is Operation.DESTROY or len(changes) <= 10
    return _details(f"{_HEADINGS[operation]}: {len(changes)}", "diff", lines, is_open=is_open), left


def _change(change: Change) -> Iterator[str]:
    # In a block of the language diff, lines are coloured by their first character.
    symbol = SYMBOLS[change.operation].replace("~", "!").replace(">", "!")
    yield f"{symbol} {title(change)}{remark(change)}"
    yield from (f"      {line}" for line in field_lines(change))


def _details(title: str, language: str, lines: "list[str] | tuple[str, ...]", *, is_open: bool = False) -> str:
    fence = "`" * max(3, 1 + max((_longest_run(line) for line in lines), default=0))
    head = f"<details{' open' if is_open else ''}><summary>{title}</summary>\n"
    return "\n".join(chain([head, f"{fence}{language}"], map(printable, lines), [fence, "\n</details>\n"]))


def code(text: str) -> str:
    """As CommonMark's code span: fenced by more backticks than it holds."""
    shown = printable(text)
    fence = "`" * (1 + _longest_run(shown))
    padding = " " if shown.startswith("`") or shown.endswith("`") or not shown else ""
    return f"{fence}{padding}{shown}{padding}{fence}"


def _longest_run(text: str) -> int:
    longest = run = 0
    for letter in text:
        run = run + 1 if letter == "`" else 0
        longest = max(longest, run)
    return longest
