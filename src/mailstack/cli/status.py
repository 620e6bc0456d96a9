"""`mailstack status`: what is applied, what waits in the queue, and whether a server runs on it."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailstack.cli.reconciling import faults_reported, format_option, storage_of, store_to_read
from mailstack.cli.screen import console, print_json

if TYPE_CHECKING:
    from mailstack.spec.load import LoadedSpec

HELP = """Show what is applied of SPEC, what waits in the queue, and what is running.

\b
Examples:
  mailstack status mailstack.yaml
  mailstack status mailstack.yaml --format json | jq .queue
"""
COUNTED_QUEUE_ITEMS = 100_000


@click.command("status", help=HELP, short_help="Show what is applied and running.")
@click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))
@format_option
def command(spec: Path, form: str) -> None:
    from mailstack.spec.load import load_spec

    with faults_reported(form):
        found = asyncio.run(_status(load_spec(spec)))
    if form == "json":
        print_json(found)
    else:
        _show(found)


async def _status(loaded: "LoadedSpec") -> dict[str, object]:
    from mailstack.app.runfiles import read_status
    from mailstack.model.instant import as_datetime

    storage = storage_of(loaded)
    found: dict[str, object] = {"storage": str(storage), "running": read_status(storage)}
    async with store_to_read(storage) as store:
        if store is None:
            return {**found, "generation": 0, "applied_at": None, "spec": "not applied", "resources": {}, "queue": {}}
        snapshot = await store.state.snapshot()
        items = await store.queue.items(limit=COUNTED_QUEUE_ITEMS)
    kinds = Counter(kind.value for kind, _ in snapshot.resources)
    applied_at = None if snapshot.applied_at is None else as_datetime(snapshot.applied_at)
    return {
        **found,
        "generation": int(snapshot.generation),
        "applied_at": None if applied_at is None else applied_at.isoformat(timespec="seconds"),
        "spec": "as applied" if snapshot.spec_hash == loaded.digest else "changed since the last apply",
        "resources": dict(kinds),
        "queue": dict(Counter(item.state.value for item in items)),
    }


def _show(found: dict[str, object]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    for name in ("running", "storage", "generation", "applied_at", "spec", "resources", "queue"):
        table.add_row(Text(name.replace("_", " "), style="bold"), Text(_told(name, found[name])))
    console().print(table)


def _told(name: str, value: object) -> str:
    if isinstance(value, dict) and name == "running":
        return f"process {value.get('pid')}, generation {value.get('generation')}, since {value.get('started_at')}"
    if isinstance(value, dict):
        return ", ".join(f"{count} {word}" for word, count in value.items()) or "empty"
    return {"running": "no"}.get(name, "never") if value is None else str(value)
