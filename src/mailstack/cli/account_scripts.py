"""`mailstack sieve show`, `list`, `put`, `activate`, `delete`: the scripts of one account, where the server keeps them.

They work beside a running server, which runs what is written here with the next mail.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailstack.cli.account_facts import Facts, account_at, show_table
from mailstack.cli.place import state_option
from mailstack.cli.reconciling import (
    faults_reported,
    format_option,
    loaded_spec,
    require_applied,
    storage_named,
    store_to_read,
    store_to_write,
)
from mailstack.cli.screen import EXIT_FAULTS, fail, print_json

if TYPE_CHECKING:
    from mailstack.app.store_address import StoreAddress
    from mailstack.model.principal import Account
    from mailstack.ports.store import Store
    from mailstack.services.inbound.filter.shelf import OnShelf
    from mailstack.services.scripts import AccountScripts

spec_argument = click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))
address_argument = click.argument("address")
name_argument = click.argument("name")
ORIGINS = {
    "before": "the server's, before the account's own",
    "spec": "the account's, kept in the spec",
    "own": "the account's own",
    "vacation": "the answer of its user, who is away",
    "after": "the server's, after the account's own",
}


@click.command("show", short_help="Show what runs for an account, in order.")
@spec_argument
@address_argument
@click.option("--unapplied", is_flag=True, help="As SPEC says, applied or not; scripts of the user are not looked at.")
@state_option
@format_option
def show(spec: Path, address: str, unapplied: bool, state: Path | None, form: str) -> None:
    """Show the scripts that run over each mail of an account, in their order: those of the server, and between them the
    one that SPEC has for the account, rules as Sieve, or else the user's active one. ADDRESS is any of its own.

    \b
    Examples:
      mailstack sieve show mailstack.yaml alice@example.com
      mailstack sieve show mailstack.yaml alice@example.com --unapplied
      mailstack sieve show mailstack.yaml alice@example.com --format json | jq -r '.[].content'
    """
    found = asyncio.run(
        _of_spec(spec, address, form) if unapplied else _of_server(storage_named(spec, form, state), address)
    )
    if form == "json":
        print_json([{"name": one.name, "origin": one.origin.value, "content": one.content.decode()} for one in found])
        return
    for one in found:
        click.echo(click.style(f"# {one.name}: {ORIGINS[one.origin.value]}", bold=True))
        click.echo(_lines(one.content.decode()))
    if not found:
        click.echo("nothing: mail goes into INBOX")


def _lines(text: str) -> str:
    """Whatever could steer a terminal is shown instead."""
    lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n")
    return "\n".join(
        "".join(letter if letter.isprintable() or letter == "\t" else "\N{REPLACEMENT CHARACTER}" for letter in line)
        for line in lines
    )


@click.command("list", short_help="List the scripts of an account.")
@spec_argument
@address_argument
@state_option
@format_option
def list_scripts(spec: Path, address: str, state: Path | None, form: str) -> None:
    """List the scripts of an account, and which is active. Where SPEC has one for it, that is the only one.

    \b
    Examples:
      mailstack sieve list mailstack.yaml alice@example.com
      mailstack sieve list mailstack.yaml alice@example.com --format json | jq -r '.[] | select(.active).name'
    """
    found = asyncio.run(_listed(storage_named(spec, form, state), address))
    if form == "json":
        print_json(found)
    else:
        show_table("scripts", ("name", "size_bytes", "active"), found)


@click.command("put", short_help="Give an account a script.")
@spec_argument
@address_argument
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--name", help="What it is called; without it as FILE is, without .sieve.")
@click.option("--activate", "activates", is_flag=True, help="It runs from now on.")
@state_option
def put(spec: Path, address: str, file: Path, name: str | None, activates: bool, state: Path | None) -> None:
    """Give an account the script in FILE, as its user would. One of the same name is replaced, and stays active if it
    was. Nothing is done where it does not compile.

    \b
    Examples:
      mailstack sieve put mailstack.yaml alice@example.com filters/alice.sieve --activate
      mailstack sieve put mailstack.yaml alice@example.com new.sieve --name holidays

    \b
    Exit status: 0 done, 1 error, 2 the script or the spec has faults.
    """
    from mailstack.app.spec_tests.letter import why_unreadable
    from mailstack.sieve.faults import Broken

    storage = storage_named(spec, "text", state)
    if reason := why_unreadable(file):
        fail(reason, code=EXIT_FAULTS)
    name = file.name.removesuffix(".sieve") if name is None else name
    try:
        login = asyncio.run(_put(storage, address, name, file.read_bytes(), activates=activates))
    except Broken as broken:
        for fault in broken.faults:
            hint = f" ({fault.hint})" if fault.hint else ""
            click.echo(f"{file}:{fault.line}:{fault.column}: {fault.text}{hint}", err=True)
        fail("the script does not compile; nothing was changed", code=EXIT_FAULTS)
    click.echo(f"{click.style('stored', fg='green')} {name} for {login}{', and it is active' if activates else ''}")


@click.command("activate", short_help="Choose which script of an account runs.")
@spec_argument
@address_argument
@click.argument("name", required=False)
@click.option("--none", "nothing", is_flag=True, help="None of them is to run.")
@state_option
def activate(spec: Path, address: str, name: str | None, nothing: bool, state: Path | None) -> None:
    """Choose which of an account's scripts runs, in place of the one that did.

    \b
    Examples:
      mailstack sieve activate mailstack.yaml alice@example.com holidays
      mailstack sieve activate mailstack.yaml alice@example.com --none
    """
    if (name is None) is not nothing:
        raise click.UsageError("either NAME or --none")
    login = asyncio.run(_activated(storage_named(spec, "text", state), address, name))
    click.echo(f"{name} is active for {login}" if name is not None else f"no script of {login} is active")


@click.command("delete", short_help="Delete a script of an account.")
@spec_argument
@address_argument
@name_argument
@state_option
def delete(spec: Path, address: str, name: str, state: Path | None) -> None:
    """Delete one of an account's scripts, which must not be the active one.

    \b
    Examples:
      mailstack sieve delete mailstack.yaml alice@example.com holidays
    """
    login = asyncio.run(_deleted(storage_named(spec, "text", state), address, name))
    click.echo(f"{click.style('deleted', fg='green')} {name} of {login}")


COMMANDS = (show, list_scripts, put, activate, delete)


async def _of_server(storage: "StoreAddress", address: str) -> "Sequence[OnShelf]":
    from mailstack.app.blueprint import read_blueprint
    from mailstack.app.filtering import server_scripts
    from mailstack.services.inbound.filter.shelf import Shelf

    require_applied(storage)
    async with store_to_read(storage) as store:
        if store is None:
            return ()
        server = server_scripts((await read_blueprint(store.state)).sieve)
        shelf = Shelf(scripts=store.scripts, accounts=store.accounts, server=server)
        return await shelf.scripts_of(await account_at(store.accounts, address))


async def _of_spec(spec: Path, address: str, form: str) -> "Sequence[OnShelf]":
    from mailstack.app.filtering import server_scripts
    from mailstack.app.spec_tests.bed import make_bed
    from mailstack.app.spec_tests.filtering import NobodysScripts
    from mailstack.services.inbound.filter.shelf import Shelf

    loaded = loaded_spec(spec, form)
    with faults_reported(form):
        bed = await make_bed(loaded)
    shelf = Shelf(scripts=NobodysScripts(), accounts=bed.accounts, server=server_scripts(bed.blueprint.sieve))
    return await shelf.scripts_of(await account_at(bed.accounts, address))


async def _listed(storage: "StoreAddress", address: str) -> list[Facts]:
    require_applied(storage)
    async with store_to_read(storage) as store:
        if store is None:
            return []
        account = await account_at(store.accounts, address)
        return [
            {"name": one.name, "size_bytes": one.size_octets, "active": one.is_active}
            for one in await _scripts(store).all(account.account_id)
        ]


async def _put(storage: "StoreAddress", address: str, name: str, content: bytes, *, activates: bool) -> str:
    async with _to_change(storage, address) as (scripts, account):
        await scripts.put(account.account_id, name, content)
        if activates:
            await scripts.activate(account.account_id, name)
        return account.login


async def _activated(storage: "StoreAddress", address: str, name: str | None) -> str:
    async with _to_change(storage, address) as (scripts, account):
        await scripts.activate(account.account_id, name)
        return account.login


async def _deleted(storage: "StoreAddress", address: str, name: str) -> str:
    async with _to_change(storage, address) as (scripts, account):
        await scripts.remove(account.account_id, name)
        return account.login


@asynccontextmanager
async def _to_change(storage: "StoreAddress", address: str) -> AsyncIterator[tuple["AccountScripts", "Account"]]:
    require_applied(storage)
    async with store_to_write(storage) as store:
        yield _scripts(store), await account_at(store.accounts, address)


def _scripts(store: "Store") -> "AccountScripts":
    from mailstack.services.scripts import AccountScripts
    from mailstack.sieve.extensions import EXTENSIONS

    return AccountScripts(store.scripts, store.accounts, EXTENSIONS)
