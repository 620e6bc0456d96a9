"""`mailstack ban`: who is banned from the mail services, by themselves or by hand. Beside a running server."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailstack.cli.account_facts import Facts, show_table, when_text
from mailstack.cli.lengths import Length
from mailstack.cli.place import state_option
from mailstack.cli.reconciling import (
    format_option,
    loaded_spec,
    require_applied,
    storage_named,
    store_to_read,
    store_to_write,
)
from mailstack.cli.screen import print_json

if TYPE_CHECKING:
    from mailstack.app.store_address import StoreAddress
    from mailstack.model.conduct import Ban
    from mailstack.spec.model import Spec

spec_argument = click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))


class Peer(click.ParamType["str"]):
    """An address becomes whom a ban of it is for."""

    name = "address"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from mailstack.model.errors import Invalid
        from mailstack.services.bans_by_hand import named_peer

        try:
            return named_peer(str(value))
        except Invalid as fault:
            self.fail(fault.detail, param, ctx)


@click.group(
    "ban",
    help="""Show, add and lift bans of addresses from SMTP, submission, IMAP and ManageSieve.

The server bans by itself who tries passwords or recipients, or abuses the protocol (`server.bans` in the spec).

\b
Examples:
  mailstack ban list mailstack.yaml
  mailstack ban add mailstack.yaml 203.0.113.7 --for 7d --reason "asked to stop"
  mailstack ban lift mailstack.yaml 203.0.113.7
""",
    short_help="Show, add and lift bans of addresses.",
)
def command() -> None:
    pass


@command.command("list")
@spec_argument
@state_option
@format_option
def list_bans(spec: Path, state: Path | None, form: str) -> None:
    """List the bans that are in force, those that last longest first.

    \b
    Examples:
      mailstack ban list mailstack.yaml
      mailstack ban list mailstack.yaml --format json | jq -r '.[].peer'
    """
    found = [facts_of(ban) for ban in asyncio.run(_listed(storage_named(spec, form, state)))]
    if form == "json":
        print_json(found)
    else:
        show_table("bans", ("peer", "reason", "since", "until", "times"), found)


@command.command("add")
@spec_argument
@click.argument("peer", metavar="ADDRESS", type=Peer())
@click.option("--for", "length", type=Length(), default="7d", show_default=True, help="How long: 30m, 12h, 7d.")
@click.option("--reason", default="by hand", show_default=True, help="Shown in the list and the log.")
@state_option
@format_option
def add_ban(spec: Path, peer: str, length: timedelta, reason: str, state: Path | None, form: str) -> None:
    """Ban ADDRESS, of IPv6 its /64. Who is connected already stays. Those whom the spec bans never are refused.

    \b
    Examples:
      mailstack ban add mailstack.yaml 203.0.113.7
      mailstack ban add mailstack.yaml 2001:db8:7::1 --for 30d --reason "tries recipients"
    """
    if why := _why_never(loaded_spec(spec, form).spec, peer):
        raise click.BadParameter(why, param_hint="ADDRESS")
    ban = asyncio.run(_added(storage_named(spec, form, state), peer, length, reason))
    if form == "json":
        print_json(facts_of(ban))
    else:
        click.echo(f"{click.style('banned', fg='red')} {ban.peer} until {when_text(ban.until)}")


@command.command("lift")
@spec_argument
@click.argument("peer", metavar="ADDRESS", type=Peer())
@state_option
def lift_ban(spec: Path, peer: str, state: Path | None) -> None:
    """End the ban of ADDRESS, at once on all nodes. Exit status 1 where there is none.

    \b
    Examples:
      mailstack ban lift mailstack.yaml 203.0.113.7
    """
    if not asyncio.run(_lifted(storage_named(spec, "text", state), peer)):
        raise click.ClickException(f"{peer} is not banned")
    click.echo(f"{click.style('lifted', fg='green')} {peer}")


def facts_of(ban: "Ban") -> Facts:
    return {
        "peer": ban.peer,
        "reason": ban.reason,
        "since": when_text(ban.since),
        "until": when_text(ban.until),
        "times": ban.times,
    }


async def _listed(storage: "StoreAddress") -> "list[Ban]":
    async with store_to_read(storage) as store:
        return [] if store is None else list(await store.bans.in_force(now=await store.now()))


def _why_never(spec: "Spec", peer: str) -> str:
    """ "" where a ban would hold."""
    from mailstack.model.networks import networks_of

    bans = spec.server.bans
    if bans is None:
        return "`server.bans` is null: nobody is banned"
    exempt = {
        "server.bans.never": bans.never,
        "server.proxy_from": spec.server.proxy_from,
        "receiving.trusted_peers": spec.receiving.trusted_peers,
    }
    keys = [key for key, networks in exempt.items() if peer.removesuffix("/64") in networks_of(networks)]
    return f"`{keys[0]}` names it: it is never banned" if keys else ""


async def _added(storage: "StoreAddress", peer: str, length: timedelta, reason: str) -> "Ban":
    from mailstack.model.instant import SECOND_MS
    from mailstack.services.bans_by_hand import ban

    require_applied(storage)
    async with store_to_write(storage) as store:
        length_ms = int(length.total_seconds()) * SECOND_MS
        return await ban(store.bans, peer, reason=reason, length_ms=length_ms, now=await store.now())


async def _lifted(storage: "StoreAddress", peer: str) -> bool:
    require_applied(storage)
    async with store_to_write(storage) as store:
        return await store.bans.lift(peer)
