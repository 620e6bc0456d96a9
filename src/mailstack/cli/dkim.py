"""`mailstack dkim`: the signing keys, where each is in its life, the next one sooner, and a key for elsewhere.

What is said of them is cli/dkim_facts's. RFC 6376.
"""

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailstack.cli.account_facts import show_table
from mailstack.cli.apply import turn
from mailstack.cli.dkim_facts import held_keys, key_facts
from mailstack.cli.place import place_of, state_option
from mailstack.cli.reconciling import (
    format_option,
    loaded_spec,
    no_dns_option,
    require_applied,
    storage_named,
    store_to_read,
    store_to_write,
)
from mailstack.cli.screen import fail, print_json
from mailstack.model.resource import DkimKeyBody, Kind, Rotation

if TYPE_CHECKING:
    from mailstack.app.store_address import StoreAddress

COLUMNS = ("domain", "selector", "state", "since", "next", "next_at", "dns")
spec_argument = click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))
algorithm_option = click.option(
    "--algorithm", type=click.Choice(["rsa2048", "ed25519"]), help="Only keys of this algorithm."
)


def _domain(_context: click.Context, _parameter: click.Parameter, text: str | None) -> str | None:
    from mailstack.model.address import domain_key

    return None if text is None else domain_key(text)


@click.group(
    "dkim",
    help="""Look after the keys that outgoing mail is signed with. Which domains sign, and how, is the spec's to say.

\b
Examples:
  mailstack dkim list mailstack.yaml
  mailstack dkim rotate mailstack.yaml example.com
  mailstack dkim export mailstack.yaml example.com
""",
    short_help="Look after signing keys: list, rotate, export.",
)
def command() -> None:
    pass


@command.command("list", short_help="List the keys, their state, and what DNS shows.")
@spec_argument
@click.option("--domain", callback=_domain, help="Only keys of this domain.")
@state_option
@format_option
@no_dns_option
def list_keys(spec: Path, domain: str | None, state: Path | None, form: str, no_dns: bool) -> None:
    """List the keys that the server has: their state and since when, what comes next and when, and what the zone's own
    servers show at the selector.

    \b
    Examples:
      mailstack dkim list mailstack.yaml
      mailstack dkim list mailstack.yaml --domain example.com --no-dns
      mailstack dkim list mailstack.yaml --format json | jq -r '.[] | select(.state == "published").selector'
    """
    place = place_of(loaded_spec(spec, form), state)
    found = asyncio.run(key_facts(place, domain, ask_dns=not no_dns))
    if form == "json":
        print_json(found)
    else:
        show_table("DKIM keys", COLUMNS, found)


@command.command("rotate", short_help="Have the next key take over.")
@spec_argument
@click.argument("domain", callback=_domain)
@algorithm_option
@click.option("--now", is_flag=True, help="The keys are not to be trusted any more: they go with the next apply.")
@state_option
def rotate(spec: Path, domain: str, algorithm: str | None, now: bool, state: Path | None) -> None:
    """Ask for the next key of DOMAIN: it is made and published, and signs once it is seen in DNS; the one before goes
    when no mail can need it any more. A running `mailstack serve` begins within two minutes; without it, the next
    `mailstack apply` does.

    With --now, for keys that somebody else may have: they stop signing, and their records go at once, as do those of
    keys that are retired already. Mail that they signed and that is still on its way fails to verify, and mail goes out
    unsigned until the next key is seen.

    \b
    Examples:
      mailstack dkim rotate mailstack.yaml example.com
      mailstack dkim rotate mailstack.yaml example.com --algorithm rsa2048 --now
    """
    storage = storage_named(spec, "text", state)
    require_applied(storage)
    keys = asyncio.run(_ask(storage, domain, (algorithm,) if algorithm else (), at_once=now))
    for key in keys:
        fate = "goes with the next apply" if now else "signs until the next one is seen in DNS"
        click.echo(f"{key.selector}._domainkey.{key.domain}: {fate}")
    click.echo(f"`mailstack serve` goes on by itself; without it: mailstack apply {spec}", err=True)


@command.command("export", short_help="Print the records, or write a private key.")
@spec_argument
@click.argument("domain", callback=_domain)
@click.option("--selector", help="Only this key.")
@click.option(
    "--private",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the private key of --selector to this new file, PEM, readable by you alone.",
)
@state_option
def export(spec: Path, domain: str, selector: str | None, private: Path | None, state: Path | None) -> None:
    """Print the records of DOMAIN's keys, as lines of a zone file. With --private, for signing elsewhere: the key.

    \b
    Examples:
      mailstack dkim export mailstack.yaml example.com
      mailstack dkim export mailstack.yaml example.com --selector rsa2048-1 --private rsa2048-1.pem
    """
    from mailstack.reconcile.dns.kinds.dkim import dkim_record
    from mailstack.reconcile.dns.record_set import zone_file_lines

    storage = storage_named(spec, "text", state)
    keys = [key for key in asyncio.run(held_keys(storage)) if key.domain == domain]
    chosen = [key for key in keys if selector in (None, key.selector)]
    if not chosen:
        known = ", ".join(key.selector for key in keys) or "none"
        fail(f"{domain} has no such key (selectors: {known})")
    if private is None:
        for line in zone_file_lines([dkim_record(key) for key in chosen]):
            click.echo(line)
        return
    if len(chosen) > 1:
        fail(f"which one? --selector {' or --selector '.join(key.selector for key in chosen)}")
    _write_private(private, asyncio.run(_private_pem(storage, chosen[0])))
    click.echo(f"{private}: whoever has this file can sign as {domain}", err=True)


async def _ask(
    storage: "StoreAddress", domain: str, algorithms: tuple[str, ...], *, at_once: bool
) -> tuple[DkimKeyBody, ...]:
    from mailstack.reconcile.providers.rotation import ask_rotation

    async with turn(storage), store_to_write(storage) as store:
        wanted = Rotation.AT_ONCE if at_once else Rotation.ASKED
        return await ask_rotation(store.state, domain, algorithms, wanted)


async def _private_pem(storage: "StoreAddress", key: DkimKeyBody) -> str:
    async with store_to_read(storage) as store:
        secrets = {} if store is None else await store.state.secrets(Kind.DKIM_KEY)
    return secrets[f"{key.selector}._domainkey.{key.domain}"]["private_key"]


def _write_private(path: Path, pem: str) -> None:
    """A new file: a key must not come into one that others can read, or that they made."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        fail(f"{path} is there already; name a new file")
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(pem)
