"""`mailstack sandbox outbox`: the outbound mail that a sandbox keeps instead of sending."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailstack.cli.queue_facts import subject_of
from mailstack.cli.reconciling import sandbox_at
from mailstack.cli.screen import console, fail, print_json

if TYPE_CHECKING:
    from mailstack.app.store_address import StoreAddress
    from mailstack.model.delivery import QueueItem

LISTED = 10_000

HELP = """Show the mail that a sandbox keeps instead of sending: all, or the one with ID, whole.

\b
Examples:
  mailstack sandbox outbox                        # of the sandbox that runs now
  mailstack sandbox outbox 3 --state ./sandbox
  mailstack sandbox outbox --format json
"""


@click.command("outbox", help=HELP)
@click.argument("mail_id", metavar="[ID]", type=int, required=False)
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    help="Of the sandbox. Default: the one that runs now in a temporary folder.",
)
@click.option("--format", "output", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(mail_id: int | None, state: Path | None, output: str) -> None:
    from mailstack.app.sandbox_state import running_state
    from mailstack.app.stores import is_made

    folder = state or running_state()
    if folder is None:
        fail("no sandbox runs in a temporary folder; name one with --state")
    storage = sandbox_at(folder)
    if not is_made(storage):
        fail(f"{folder} is no sandbox's state")
    mails = asyncio.run(_read(storage, mail_id))
    if mail_id is not None and not mails:
        fail(f"there is no mail {mail_id} in the outbox")
    if output == "json":
        print_json(mails if mail_id is None else mails[0])
    elif mail_id is not None:
        text = str(mails[0]["message"])
        click.echo(_printable(text.replace("\r\n", "\n")) if sys.stdout.isatty() else text, nl=False)
    else:
        _show(mails)


async def _read(storage: "StoreAddress", mail_id: int | None) -> list[dict[str, object]]:
    from mailstack.app.clock import system_clock
    from mailstack.app.silence import Silence
    from mailstack.app.stores import open_store
    from mailstack.model.delivery import QueueState

    store = await open_store(storage, clock=system_clock, bus=Silence(), read_only=True)
    try:
        by_mail: dict[int, list[QueueItem]] = {}
        for item in await store.queue.items(states=(QueueState.HELD,), limit=LISTED):
            by_mail.setdefault(item.mail_id, []).append(item)
        wanted = [items for number, items in by_mail.items() if mail_id in (None, number)]
        return [
            _entry(items, await store.queue.content(items[0].mail_id), whole=mail_id is not None) for items in wanted
        ]
    finally:
        await store.close()


def _entry(items: Sequence["QueueItem"], content: bytes, *, whole: bool) -> dict[str, object]:
    from mailstack.model.instant import iso

    first = items[0]
    entry: dict[str, object] = {
        "id": first.mail_id,
        "from": first.reverse_path,
        "to": [item.recipient for item in items],
        "subject": subject_of(content),
        "size": len(content),
        "queued_at": iso(first.queued_at),
    }
    if whole:
        entry["message"] = content.decode("utf-8", "replace")
    return entry


def _show(mails: list[dict[str, object]]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(title="outbox", title_justify="left")
    for name in ("id", "queued_at", "from", "to", "subject"):
        table.add_column(name, overflow="fold")
    for mail in mails:
        to = mail["to"]
        cells = (mail["id"], mail["queued_at"], mail["from"] or "<>", ", ".join(to) if isinstance(to, list) else to)
        table.add_row(*(Text(_printable(str(cell))) for cell in (*cells, mail["subject"])))
    console().print(table if mails else "The outbox is empty.")


def _printable(text: str) -> str:
    """Senders choose these words; a terminal must not obey them."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)
