"""`mailstack storage copy`: a whole server moves from one storage to another, and what has arrived is compared."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailstack.cli.account_facts import Facts, size_text
from mailstack.cli.reconciling import format_option, storage_named
from mailstack.cli.screen import EXIT_ERROR, counted, fail, print_json

if TYPE_CHECKING:
    from mailstack.app.store_address import StoreAddress
    from mailstack.app.store_copy import Outlook
    from mailstack.store.transfer.copying import Outcome


@click.command("copy", short_help="Move a whole server to another storage, and compare.")
@click.argument("old", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("new", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--dry-run", is_flag=True, help="Show what would be copied, and whether it can be; change nothing.")
@format_option
@click.pass_context
def copy(context: click.Context, old: Path, new: Path, dry_run: bool, form: str) -> None:
    """Copy all that the server of the spec OLD holds to the storage of the spec NEW: mail with its UIDs, flags and
    history, the queue, passwords, keys, tokens, the trash. From a folder to a database (with a bucket or without), and
    back. No mail program can tell the difference.

    Stop every server that has either of them first. Every row and every message is compared with the old store, which
    is left as it was. What interrupts the copy does no harm: run it again, and it goes on where it ended; no server
    starts on half a copy. A message that the old store cannot read any more is named, and stops nothing.

    \b
    Examples:
      mailstack storage copy mailstack.yaml postgres.yaml --dry-run
      mailstack storage copy mailstack.yaml postgres.yaml
      mailstack storage copy postgres.yaml folder.yaml --format json | jq .damage

    Exit status: 0 all is there; 1 something could not be read or copied, or nothing was; 2 a spec has faults.
    """
    source, target = storage_named(old, form), storage_named(new, form)
    if dry_run:
        outlook = asyncio.run(_looked(source, target))
        _show_outlook(outlook, source, target, form)
        is_well = not outlook.obstacle
    else:
        try:
            outcome = asyncio.run(_copied(source, target))
        except KeyboardInterrupt:
            fail("interrupted: run it again, and it goes on where it ended; the old store serves until then")
        _show_outcome(outcome, new, target, form)
        is_well = outcome.is_finished and not outcome.damage
    if not is_well:
        context.exit(EXIT_ERROR)


async def _looked(source: "StoreAddress", target: "StoreAddress") -> "Outlook":
    from mailstack.app.log import configure_log
    from mailstack.app.store_copy import look

    configure_log("auto", "warning")
    return await look(source, target)


async def _copied(source: "StoreAddress", target: "StoreAddress") -> "Outcome":
    from mailstack.app.log import configure_log
    from mailstack.app.store_copy import copy as copy_all

    configure_log("auto", "warning")
    with click.progressbar(
        length=0, label="copying", file=sys.stderr, hidden=not sys.stderr.isatty(), item_show_func=_whose
    ) as bar:

        def progress(login: str, done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos, login)

        return await copy_all(source, target, progress=progress)


def _show_outlook(outlook: "Outlook", source: "StoreAddress", target: "StoreAddress", form: str) -> None:
    sizes = outlook.extent.accounts
    messages = sum(size.messages for size in sizes.values())
    used_bytes = sum(size.used_bytes for size in sizes.values())
    if form == "json":
        accounts = [
            {"login": login, "id": account_id, "messages": size.messages, "used_bytes": size.used_bytes}
            for (login, account_id), size in sizes.items()
        ]
        facts = {"messages": messages, "used_bytes": used_bytes, "queued": outlook.extent.queued}
        print_json(
            {"from": str(source), "to": str(target), "obstacle": outlook.obstacle, **facts, "accounts": accounts}
        )
        return
    click.echo(f"from {source}\nto   {target}")
    click.echo(_amounts(len(sizes), messages, used_bytes, outlook.extent.queued))
    if outlook.obstacle:
        click.echo(f"{click.style('cannot be copied:', fg='red')} {outlook.obstacle}")
    else:
        click.echo("can be copied; nothing was changed")


def _show_outcome(outcome: "Outcome", new: Path, target: "StoreAddress", form: str) -> None:
    if form == "json":
        print_json({"to": str(target), **_facts(outcome)})
        return
    for login, found in outcome.damage.items():
        for one in found:
            click.echo(f"{click.style('unreadable', fg='yellow')} {login}: {one.text or one.where}")
    for login, text in outcome.failures.items():
        click.echo(f"{click.style('not copied', fg='red')} {login}: {text}")
    copied = _amounts(outcome.accounts, outcome.messages, outcome.used_bytes, outcome.queued)
    by_earlier = f" ({counted(outcome.kept, 'account')} by an earlier run)" if outcome.kept else ""
    if not outcome.is_finished:
        click.echo(f"not finished: {copied}{by_earlier} are in {target}")
        click.echo(
            "Mend what is said above and run it again: it goes on where it ended. The old store serves until then."
        )
        return
    click.echo(
        f"{click.style('copied', fg='green')} {copied}{by_earlier} to {target}; every row and message was compared"
    )
    if outcome.damage:
        click.echo("What is unreadable above was so in the old store too, and is the same in the new one.")
    click.echo(
        f"The server now starts on the new one: mailstack serve {new}\n"
        "The old store is left as it was; do not serve it any more. Search indexes are made anew by and by."
    )


def _facts(outcome: "Outcome") -> Facts:
    return {
        "finished": outcome.is_finished,
        "accounts": outcome.accounts,
        "kept": outcome.kept,
        "messages": outcome.messages,
        "used_bytes": outcome.used_bytes,
        "queued": outcome.queued,
        "damage": [
            {"account": login, "where": one.where, "text": one.text}
            for login, found in outcome.damage.items()
            for one in found
        ],
        "failures": [{"account": login, "text": text} for login, text in outcome.failures.items()],
    }


def _amounts(accounts: int, messages: int, used_bytes: int, queued: int) -> str:
    return (
        f"{counted(accounts, 'account')}, {counted(messages, 'message')} ({size_text(used_bytes)}),"
        f" {counted(queued, 'queued mail')}"
    )


def _whose(login: str | None) -> str | None:
    return login
