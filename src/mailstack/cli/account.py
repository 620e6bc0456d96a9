"""`mailstack account`: what accounts hold, and whether what they hold is sound. What accounts there are is the spec's.

All but reindex only look, beside a running server or without one. What they say is cli/account_facts's.
"""

import asyncio
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailstack.cli.account_facts import Facts, described, flaws, measured, of_accounts, show_pairs, show_table, shown
from mailstack.cli.reconciling import format_option, storage_named
from mailstack.cli.screen import EXIT_ERROR, fail, print_json

if TYPE_CHECKING:
    from mailstack.model.principal import Account
    from mailstack.store.sqlite.open import SqliteStore

spec_argument = click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))
address_argument = click.argument("address")
addresses_argument = click.argument("addresses", metavar="[ADDRESS]...", nargs=-1)


@click.group(
    "account",
    help="""Look after accounts. Which accounts there are, and what they may do, is the spec's to say.

\b
Examples:
  mailstack account list mailstack.yaml
  mailstack account show mailstack.yaml alice@example.com
  mailstack account verify mailstack.yaml
""",
    short_help="Look after accounts: list, show, stats, verify, reindex.",
)
def command() -> None:
    pass


@command.command("list")
@spec_argument
@format_option
def list_accounts(spec: Path, form: str) -> None:
    """List the accounts that are applied.

    \b
    Examples:
      mailstack account list mailstack.yaml
      mailstack account list mailstack.yaml --format json | jq -r '.[].login'
    """
    found = asyncio.run(of_accounts(storage_named(spec, form), (), described))
    if form == "json":
        print_json(found)
    else:
        show_table("accounts", ("login", "name", "addresses", "can", "roles", "quota_bytes"), found)


@command.command("show")
@spec_argument
@address_argument
@format_option
def show(spec: Path, address: str, form: str) -> None:
    """Show one account: what it may do, what it holds, mailbox by mailbox. ADDRESS is any of its own.

    \b
    Examples:
      mailstack account show mailstack.yaml alice@example.com
    """
    (found,) = asyncio.run(of_accounts(storage_named(spec, form), (address,), shown))
    if form == "json":
        print_json(found)
        return
    mailboxes = found.pop("mailboxes")
    show_pairs(found)
    show_table("mailboxes", ("path", "messages", "unseen", "size_bytes"), mailboxes)


@command.command("stats")
@spec_argument
@addresses_argument
@format_option
def stats(spec: Path, addresses: tuple[str, ...], form: str) -> None:
    """Show how much accounts hold, the fullest first. Without ADDRESS: all of them, which opens every account's file.

    \b
    Examples:
      mailstack account stats mailstack.yaml
      mailstack account stats mailstack.yaml alice@example.com --format json
    """
    found = asyncio.run(of_accounts(storage_named(spec, form), addresses, measured, label="reading"))
    found.sort(key=lambda one: -(one["used_bytes"] or 0))
    if form == "json":
        print_json(found)
        return
    columns = ("login", "messages", "used_bytes", "quota_bytes", "disk_bytes", "oldest", "newest")
    show_table("what accounts hold", columns, found)
    for one in found:
        if "error" in one:
            click.echo(f"{click.style(one['login'], bold=True)}: {one['error']}", err=True)


@command.command("verify")
@spec_argument
@addresses_argument
@click.option("--quick", is_flag=True, help="Check the rules, but do not read every message.")
@format_option
@click.pass_context
def verify(context: click.Context, spec: Path, addresses: tuple[str, ...], quick: bool, form: str) -> None:
    """Check every rule of the store: counts, UIDs, ModSeqs, quotas, and the bytes of every message by their hash.

    Without ADDRESS: all accounts. It changes nothing and may run beside the server.

    \b
    Examples:
      mailstack account verify mailstack.yaml
      mailstack account verify mailstack.yaml alice@example.com --quick

    Exit status: 0 all is sound, 1 something is not.
    """

    found = asyncio.run(
        of_accounts(storage_named(spec, form), addresses, partial(flaws, quick=quick), label="verifying")
    )
    wrong = [one for one in found if one["flaws"]]
    if form == "json":
        print_json(found)
    else:
        for one in wrong:
            click.echo(click.style(one["login"], bold=True))
            for flaw in one["flaws"]:
                click.echo(f"  {click.style(flaw['rule'], fg='red')}: {flaw['where']}: {flaw['text']}")
        sound = len(found) - len(wrong)
        click.echo(f"{sound} of {len(found)} {'account is' if len(found) == 1 else 'accounts are'} sound")
    if wrong:
        context.exit(EXIT_ERROR)


@command.command("reindex")
@spec_argument
@addresses_argument
@click.option("--all", "every", is_flag=True, help="Every account.")
def reindex(spec: Path, addresses: tuple[str, ...], every: bool) -> None:
    """Build the full-text index of accounts anew. The server may go on meanwhile; searches wait for it.

    \b
    Examples:
      mailstack account reindex mailstack.yaml alice@example.com
      mailstack account reindex mailstack.yaml --all
    """
    if bool(addresses) is every:
        fail("name the accounts to index anew, or say --all")

    from mailstack.services.mailbox import indexing

    async def index(store: "SqliteStore", account: "Account") -> Facts:
        return {"login": account.login, "messages": await indexing.reindex(store.search, account.account_id)}

    for one in asyncio.run(of_accounts(storage_named(spec, "text"), addresses, index, label="indexing", writes=True)):
        click.echo(f"{one['login']}: {one['messages']} messages indexed")
