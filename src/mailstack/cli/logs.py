"""`mailstack logs`: what this node has told, looked through, and as it comes."""

import time
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailstack.cli.event_log import moment_ago, say_where, storage_with_log
from mailstack.cli.lengths import Length
from mailstack.cli.place import state_option
from mailstack.cli.reconciling import format_option
from mailstack.cli.results import printable
from mailstack.model.event_log import LEVELS

if TYPE_CHECKING:
    from mailstack.model.event_log import EventFilter

HELP = """Show what this node has told: mail, logins, attempts, changes. Oldest first.

Beside a running server or without one. Each node of several keeps its own log, for as long as `log.keep` in
the spec says.

\b
Examples:
  mailstack logs mailstack.yaml
  mailstack logs mailstack.yaml --since 24h --event transaction --grep refused
  mailstack logs mailstack.yaml --level warning --since 7d
  mailstack logs mailstack.yaml --follow --grep alice@example.com
  mailstack logs mailstack.yaml --since 24h --event sent --format json --limit 1000000 | jq -r .host | sort | uniq -c

With --format json each line is one event, as docs/operations.md has them.
"""
LOOK_EVERY_S = 0.3


@click.command("logs", help=HELP, short_help="Show what this node has told, and follow it.")
@click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--since", type=Length(), default="1h", show_default=True, help="How far back: 30m, 24h, 7d.")
@click.option("--event", "names", multiple=True, help="Of this name alone: transaction, sent. Can be repeated.")
@click.option("--level", type=click.Choice(LEVELS[1:4]), help="The least: warning has errors too.")
@click.option("--trace", default="", help="About this mail alone.")
@click.option("--grep", "text", default="", help="Lines with this text somewhere, in letters of either case.")
@click.option("--limit", type=click.IntRange(min=1), default=10_000, show_default=True, help="The last so many.")
@click.option("--follow", "-f", is_flag=True, help="Go on with what comes, until Ctrl-C.")
@state_option
@format_option
def command(
    spec: Path,
    since: timedelta,
    names: tuple[str, ...],
    level: str | None,
    trace: str,
    text: str,
    limit: int,
    follow: bool,
    state: Path | None,
    form: str,
) -> None:
    from mailstack.model.event_log import EventFilter

    storage = storage_with_log(spec, form, state)
    wanted = EventFilter(
        since=moment_ago(since),
        until=moment_ago(timedelta(seconds=-60)),
        names=names,
        level=level or LEVELS[0],
        trace=trace,
        text=text,
    )
    _show(storage, wanted, limit, form, follow=follow)


def _show(storage: Path, wanted: "EventFilter", limit: int, form: str, *, follow: bool) -> None:
    from mailstack.store.event_log.following import Follower
    from mailstack.store.event_log.parts import log_folder
    from mailstack.store.event_log.reading import EventLog

    folder = log_folder(storage)
    follower = Follower(folder)  # first, so that nothing comes between
    found = EventLog(folder).last_lines(wanted, limit)
    _print(found, form)
    if len(found) == limit:
        click.echo(f"the last {limit}; there may be more before them (--limit)", err=True)
    if not follow:
        say_where(storage)
        return
    shown = frozenset(found)
    while True:
        _print((line for line in follower.lines() if line not in shown and _is_wanted(line, wanted)), form)
        time.sleep(LOOK_EVERY_S)


def _is_wanted(line: str, wanted: "EventFilter") -> bool:
    import orjson

    try:
        event = orjson.loads(line)
    except ValueError:  # torn, where a disk was full
        return False
    return isinstance(event, dict) and wanted.takes(event, line)


def _print(lines: Iterable[str], form: str) -> None:
    import orjson

    from mailstack.app.log import as_line

    for line in lines:
        if form == "json":
            click.echo(line)
        else:
            click.echo("\n".join(map(printable, as_line(orjson.loads(line)).split("\n"))))
