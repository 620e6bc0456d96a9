"""How `mailstack test` shows results to people: a line for each test, and for those that failed, why."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from mailstack.app.spec_tests.result import Result, Step

SLOWEST = 10
WIDTH = 46


def lines_of(result: "Result", *, with_time: bool) -> Iterator[str]:
    """One line of a test that passed; all that there is to know of one that did not."""
    if result.outcome == "passed":
        yield f"{click.style('✓', fg='green')} {printable(result.name)}{_time(result, with_time=with_time)}"
        return
    sign = click.style("✗" if result.outcome == "failed" else "!", fg="red", bold=True)
    place = click.style(str(result.place), dim=True)
    yield f"{sign} {click.style(printable(result.name), bold=True)}{_time(result, with_time=with_time)}  {place}"
    for difference in result.differences:
        if difference.expected:
            yield f"    {difference.what}"
            yield click.style(f"      - expected  {printable(difference.expected)}", fg="green")
            yield click.style(f"      + found     {printable(difference.found or 'nothing')}", fg="red")
        else:
            yield f"    {difference.what}, which was not expected"
            yield click.style(f"      + found     {printable(difference.found)}", fg="red")
    if result.story:
        yield "    what happened"
    for step in result.story:
        yield from _step(step)
    if result.trouble:
        yield "    the test could not be carried out; this is an error in mailstack, or in what the test says:"
        yield from (f"      {printable(line)}" for line in result.trouble.rstrip().splitlines())


def summary(results: Sequence["Result"], *, left: int, duration_s: float) -> str:
    """left: tests that were not run any more."""
    failed = sum(result.outcome == "failed" for result in results)
    errors = sum(result.outcome == "error" for result in results)
    parts = [f"{len(results) - failed - errors} passed"]
    parts += [f"{failed} failed"] * bool(failed) + [f"{errors} could not be carried out"] * bool(errors)
    parts += [f"{left} not run"] * bool(left)
    colour = "red" if failed or errors else "green"
    return f"{click.style(', '.join(parts), fg=colour, bold=True)} in {duration_s:.2f} s"


def slowest(results: Sequence["Result"]) -> Iterator[str]:
    yield "slowest:"
    for result in sorted(results, key=lambda result: -result.duration_s)[:SLOWEST]:
        yield f"  {result.duration_s * 1_000:8.1f} ms  {printable(result.name)}"


def _step(step: "Step") -> Iterator[str]:
    yield f"      {printable(step.said):<{WIDTH}} {printable(step.answer)}"
    for note in step.notes:
        yield click.style(f"        {printable(note)}", dim=True)


def _time(result: "Result", *, with_time: bool) -> str:
    return click.style(f"  {result.duration_s * 1_000:.1f} ms", dim=True) if with_time else ""


def printable(text: str) -> str:
    """Tests hold what mail may hold; a terminal must not obey it."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
