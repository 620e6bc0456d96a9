"""`mailstack trace`: what became of a mail, step by step."""

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailstack.cli.event_log import moment_ago, node_name, say_where, storage_with_log
from mailstack.cli.lengths import Length
from mailstack.cli.place import state_option
from mailstack.cli.reconciling import format_option
from mailstack.cli.results import printable
from mailstack.cli.screen import EXIT_ERROR, print_json

if TYPE_CHECKING:
    from mailstack.app.story import Found, Story

HELP = """Show what became of a mail: who brought it, what was found of it, where it was put, each attempt, each reply.

WHAT is a trace id (in our replies, in the Received field, in bounces), a Message-ID, an address or a login. Of several
mails there is a line each, and --full has all of each. Each node of several keeps its own log.

\b
Examples:
  mailstack trace mailstack.yaml 3f9c0b17d2a84e65
  mailstack trace mailstack.yaml bob@example.net --since 24h
  mailstack trace mailstack.yaml '<20260101.1@example.net>' --full
  mailstack trace mailstack.yaml alice@example.com --format json | jq '.stories[].outcome'

Exit status: 0 something was found, 1 nothing was, or an error.
"""
COLOURS = {"good": "green", "warn": "yellow", "fault": "red"}


@click.command("trace", help=HELP, short_help="Show what became of a mail.")
@click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("what")
@click.option("--since", type=Length(), default="7d", show_default=True, help="Named how long ago: 1h, 7d.")
@click.option("--limit", type=click.IntRange(1, 1_000), default=50, show_default=True, help="The last so many mails.")
@click.option("--full", is_flag=True, help="All of each, where there are several.")
@state_option
@format_option
@click.pass_context
def command(
    context: click.Context,
    spec: Path,
    what: str,
    since: timedelta,
    limit: int,
    full: bool,
    state: Path | None,
    form: str,
) -> None:
    from mailstack.app.story import stories_of

    storage = storage_with_log(spec, form, state)
    found = stories_of(storage, what, since=moment_ago(since), until=moment_ago(timedelta(seconds=-60)), limit=limit)
    if form == "json":
        print_json({"node": node_name(), **found.document(), "events": [*map(list, found.events)]})
    else:
        _show(found, is_full=full or len(found.stories) == 1)
        if not found.stories:
            click.echo(f"nothing is known of {printable(what)} since then (--since)", err=True)
        say_where(storage)
    if not found.stories:
        context.exit(EXIT_ERROR)


def _show(found: "Found", *, is_full: bool) -> None:
    """The last at the end, where one looks first."""
    for story in reversed(found.stories):
        for line in _lines(story) if is_full else [_line(story)]:
            click.echo(line)
    if found.is_cut:
        click.echo("there are more, older ones (--limit, --since)", err=True)


def _line(story: "Story") -> str:
    ends = f"{story.sender or '<>'} -> {_few(story.recipients)}"
    reason = f": {story.reason}" if story.reason else ""
    return printable(f"{story.at[:19]}Z  {story.trace}  {ends}  {story.outcome}{reason}")


def _lines(story: "Story") -> Iterable[str]:
    yield click.style(printable(f"{story.sender or '<>'} -> {_few(story.recipients)}"), bold=True)
    yield printable(f"  {story.outcome}{': ' + story.reason if story.reason else ''}")
    message_id = f", Message-ID <{story.message_id}>" if story.message_id else ""
    yield printable(f"  trace {story.trace}{message_id}")
    for step in story.steps:
        title = click.style(printable(step.title), fg=COLOURS.get(step.kind))
        yield f"{step.at[:23]}  {title}"
        for name, value in step.facts:
            yield click.style(f"    {name}: {printable(value)}", dim=True)
    yield ""


def _few(recipients: tuple[str, ...]) -> str:
    more = f" and {len(recipients) - 3} more" if len(recipients) > 3 else ""
    return ", ".join(recipients[:3]) + more
