"""`mailstack account`: what accounts hold, and whether what they hold is sound. What accounts there are is the spec's.

All but password and reindex only look, beside a running server or without one. What they say is cli/account_facts's.
"""

import asyncio
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click

from mailstack.cli.account_facts import (
    Facts,
    described,
    flaws,
    indexed,
    measured,
    of_accounts,
    set_password,
    show_pairs,
    show_table,
    shown,
)
from mailstack.cli.place import state_option
from mailstack.cli.reconciling import format_option, loaded_spec, sandbox_at, storage_named, storage_of
from mailstack.cli.screen import EXIT_ERROR, counted, fail, print_json
from mailstack.model.password import SHORTEST_PASSWORD

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
  mailstack account password mailstack.yaml alice@example.com
  mailstack account verify mailstack.yaml
""",
    short_help="Look after accounts: list, show, password, stats, verify, reindex.",
)
def command() -> None:
    pass


@command.command("list")
@spec_argument
@state_option
@format_option
def list_accounts(spec: Path, state: Path | None, form: str) -> None:
    """List the accounts that are applied.

    \b
    Examples:
      mailstack account list mailstack.yaml
      mailstack account list mailstack.yaml --format json | jq -r '.[].login'
    """
    found = asyncio.run(of_accounts(storage_named(spec, form, state), (), described))
    if form == "json":
        print_json(found)
    else:
        show_table("accounts", ("login", "name", "addresses", "can", "roles", "quota_bytes"), found)


@command.command("show", short_help="Show one account, mailbox by mailbox.")
@spec_argument
@address_argument
@state_option
@format_option
def show(spec: Path, state: Path | None, address: str, form: str) -> None:
    """Show one account: what it may do, what it holds, mailbox by mailbox, and who says so: the spec, with the line
    where it does, or the user, and since when. ADDRESS is any of its own.

    \b
    Examples:
      mailstack account show mailstack.yaml alice@example.com
      mailstack account show mailstack.yaml alice@example.com --format json | jq .owners.password
    """
    from mailstack.app.account_owners import SPEC_KEYS

    loaded = loaded_spec(spec, form)
    storage = storage_of(loaded) if state is None else sandbox_at(state)
    (found,) = asyncio.run(of_accounts(storage, (address,), partial(shown, loaded=loaded)))
    if form == "json":
        print_json(found)
        return
    mailboxes, owners = found.pop("mailboxes"), found.pop("owners")
    limits, submitted = found.pop("limits"), found.pop("submitted")
    show_pairs(found)
    show_table(
        "submitted",
        ("per", "so far", "limit"),
        [{"per": key, "so far": submitted[key], "limit": limits[key]} for key in limits],
    )
    show_table(
        "who says so",
        ("field", "owner", "where", "since"),
        [{"field": SPEC_KEYS[key], **owners[key]} for key in owners],
    )
    show_table("mailboxes", ("path", "messages", "unseen", "size_bytes"), mailboxes)


@command.command("password", short_help="Give an account a password of its user's own.")
@spec_argument
@address_argument
@click.option("--stdin", "from_stdin", is_flag=True, help="Read it from standard input, one line, without asking.")
@state_option
def password(spec: Path, address: str, from_stdin: bool, state: Path | None) -> None:
    """Change the password of an account as its user would: asks twice, and shows nothing.

    It stays when SPEC is applied again, until SPEC gives the account another password than it gives now. Accounts that
    have no password in SPEC have only this one. The old one is worth nothing at once: who is logged in with it is sent
    away by a server that runs.

    \b
    Examples:
      mailstack account password mailstack.yaml alice@example.com
      pwgen -s 20 1 | mailstack account password mailstack.yaml alice@example.com --stdin
    """
    storage = storage_named(spec, "text", state)
    login = asyncio.run(set_password(storage, address, partial(_new_password, from_stdin=from_stdin)))
    click.echo(f"{click.style('changed', fg='green')} the password of {login}; it is its user's own now")


def _new_password(*, from_stdin: bool) -> str:
    if not from_stdin and not sys.stdin.isatty():
        fail("nobody can be asked here, and nothing was changed; --stdin reads the password from standard input")
    given: str = (
        sys.stdin.readline().rstrip("\r\n")
        if from_stdin
        else click.prompt("New password", hide_input=True, confirmation_prompt="Once more", err=True)
    )
    if len(given) < SHORTEST_PASSWORD:
        fail(f"nothing was changed: a password has at least {SHORTEST_PASSWORD} characters")
    return given


@command.command("stats", short_help="Show how much accounts hold, the fullest first.")
@spec_argument
@addresses_argument
@state_option
@format_option
def stats(spec: Path, state: Path | None, addresses: tuple[str, ...], form: str) -> None:
    """Show how much accounts hold, the fullest first. Without ADDRESS: all of them, which opens every account's file.

    \b
    Examples:
      mailstack account stats mailstack.yaml
      mailstack account stats mailstack.yaml alice@example.com --format json
    """
    found = asyncio.run(of_accounts(storage_named(spec, form, state), addresses, measured, label="reading"))
    found.sort(key=lambda one: -(one["used_bytes"] or 0))
    if form == "json":
        print_json(found)
        return
    columns = ("login", "messages", "used_bytes", "quota_bytes", "disk_bytes", "oldest", "newest")
    show_table("what accounts hold", columns, found)
    _show_errors([one for one in found if "error" in one])


@command.command("verify", short_help="Check every rule of the store, and every message.")
@spec_argument
@addresses_argument
@click.option("--quick", is_flag=True, help="Check the rules, but do not read every message.")
@state_option
@format_option
@click.pass_context
def verify(
    context: click.Context, spec: Path, state: Path | None, addresses: tuple[str, ...], quick: bool, form: str
) -> None:
    """Check every rule of the store: counts, UIDs, ModSeqs, quotas, and the bytes of every message by their hash.

    Without ADDRESS: all accounts. It changes nothing and may run beside the server.

    \b
    Examples:
      mailstack account verify mailstack.yaml
      mailstack account verify mailstack.yaml alice@example.com --quick
      mailstack account verify mailstack.yaml --format json | jq '.[] | select(.flaws != [])'

    Exit status: 0 all is sound, 1 something is not, 2 the spec or the call has faults.
    """

    found = asyncio.run(
        of_accounts(storage_named(spec, form, state), addresses, partial(flaws, quick=quick), label="verifying")
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


@command.command("reindex", short_help="Build the search index anew.")
@spec_argument
@addresses_argument
@click.option("--all", "every", is_flag=True, help="Every account.")
@state_option
@format_option
@click.pass_context
def reindex(
    context: click.Context, spec: Path, addresses: tuple[str, ...], every: bool, state: Path | None, form: str
) -> None:
    """Build the full-text index of accounts anew. The server may go on meanwhile; searches wait for it.

    Whatever interrupts it, no mail is at stake: the next search indexes what is missing.

    \b
    Examples:
      mailstack account reindex mailstack.yaml alice@example.com
      mailstack account reindex mailstack.yaml --all

    Exit status: 0 done, 1 an account could not be indexed; the others were. 2 the spec or the call has faults.
    """
    if bool(addresses) is every:
        fail("name the accounts to index anew, or say --all")
    found = asyncio.run(
        of_accounts(storage_named(spec, form, state), addresses, indexed, label="indexing", writes=True)
    )
    failed = [one for one in found if "error" in one]
    if form == "json":
        print_json(found)
    else:
        for one in found:
            if one["messages"] is not None:
                click.echo(f"{one['login']}: {counted(one['messages'], 'message')} indexed")
        _show_errors(failed)
    if failed:
        context.exit(EXIT_ERROR)


def _show_errors(found: Sequence[Facts]) -> None:
    for one in found:
        click.echo(f"{click.style(one['login'], bold=True)}: {one['error']}", err=True)
