"""`mailstack restore`: what was destroyed, and is still in the trash."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailstack.cli.account_facts import Facts, show_table, when_text
from mailstack.cli.reconciling import format_option, require_applied, storage_named, store_to_read, store_to_write
from mailstack.cli.screen import counted, fail, print_json

if TYPE_CHECKING:
    from mailstack.app.store_address import StoreAddress
    from mailstack.model.trash import TrashedAccount
    from mailstack.ports.store import Store

spec_argument = click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))


@click.group(
    "restore",
    help="""Give back what was destroyed. The mail of a destroyed account is kept for 30 days.

\b
Examples:
  mailstack restore list mailstack.yaml
  mailstack restore account mailstack.yaml bob@example.com
""",
    short_help="Give back the mail of a destroyed account.",
)
def command() -> None:
    pass


@command.command("list", short_help="List destroyed accounts whose mail is kept.")
@spec_argument
@format_option
def list_trash(spec: Path, form: str) -> None:
    """List destroyed accounts whose mail is still there, the latest first.

    \b
    Examples:
      mailstack restore list mailstack.yaml
      mailstack restore list mailstack.yaml --format json | jq -r '.[].login'
    """
    found = asyncio.run(_listed(storage_named(spec, form)))
    if form == "json":
        print_json(found)
    else:
        _show(found)


@command.command("account", short_help="Give the mail of a destroyed account back.")
@spec_argument
@click.argument("address")
@click.option(
    "--id", "account_id", help="Which of several, as `mailstack restore list` names them. Default: the latest."
)
@click.option("--to", "login", help="The account that gets the mail. Default: ADDRESS.")
def account(spec: Path, address: str, account_id: str | None, login: str | None) -> None:
    """Give the mail of the destroyed account ADDRESS back, with its mailboxes, flags and UIDs.

    Put the account into SPEC again and apply that first; the account must not hold mail of its own yet. The server may
    run meanwhile.

    \b
    Examples:
      mailstack apply mailstack.yaml
      mailstack restore account mailstack.yaml bob@example.com
      mailstack restore account mailstack.yaml bob@example.com --to robert@example.com
    """
    from mailstack.model.address import parse_address

    key = parse_address(address).key
    target = key if login is None else parse_address(login).key
    restored = asyncio.run(_restored(storage_named(spec, "text"), key, account_id, target))
    click.echo(f"{click.style('restored', fg='green')} {counted(restored.messages, 'message')} to {target}")


async def _listed(storage: "StoreAddress") -> list[Facts]:
    async with store_to_read(storage) as store:
        return [] if store is None else [_facts(one) for one in await store.trash.list()]


def _facts(trashed: "TrashedAccount") -> Facts:
    return {
        "login": trashed.login,
        "id": trashed.account_id,
        "destroyed_at": when_text(trashed.destroyed_at),
        "kept_until": when_text(trashed.kept_until),
        "messages": trashed.messages,
        "size_bytes": trashed.size_bytes,
    }


def _show(found: list[Facts]) -> None:
    show_table("destroyed accounts", ("login", "id", "destroyed_at", "kept_until", "messages", "size_bytes"), found)


async def _restored(storage: "StoreAddress", address: str, account_id: str | None, login: str) -> "TrashedAccount":
    require_applied(storage)
    async with store_to_write(storage) as store:
        chosen = await _chosen(store, address, account_id)
        await store.trash.restore(chosen.account_id, login)
        return chosen


async def _chosen(store: "Store", address: str, account_id: str | None) -> "TrashedAccount":
    fitting = (one for one in await store.trash.list() if one.login == address and account_id in (None, one.account_id))
    latest = next(fitting, None)
    if latest is None:
        which = f" with the id {account_id}" if account_id else ""
        fail(f"the trash holds no mail of {address}{which}; `mailstack restore list` shows what it holds")
    return latest
