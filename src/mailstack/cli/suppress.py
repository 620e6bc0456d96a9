"""`mailstack suppress`: addresses of elsewhere that get no mail from us, since they refused it or a person said so.

Beside a running server, whose next attempt goes by it, and without one.
"""

import asyncio
import sys
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import click

from mailstack.cli.account_facts import Facts
from mailstack.cli.lengths import Length, Moment
from mailstack.cli.person import name_of_person
from mailstack.cli.place import state_option
from mailstack.cli.reconciling import format_option, require_applied, storage_named, store_to_read, store_to_write
from mailstack.cli.screen import counted, fail, print_json
from mailstack.cli.suppress_facts import (
    SUPPRESSED,
    Options,
    entries,
    facts_of,
    filter_of,
    print_facts,
    print_streamed,
    reading_of,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from mailstack.app.store_address import StoreAddress
    from mailstack.model.bad_address import BadAddress
    from mailstack.ports.store import Store

BATCH = 500
MAX_REASON = 200
spec_argument = click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))


class Outside(click.ParamType["str"]):
    """An address becomes the key under which it is known."""

    name = "address"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from mailstack.model.errors import Invalid
        from mailstack.services.outbound.sender import forward_address

        try:
            address = forward_address(str(value))
        except Invalid as fault:
            self.fail(f"{value!r}: {fault.detail}", param, ctx)
        if not address.domain:
            self.fail(f"{value!r} is an address of this server", param, ctx)
        return address.key


FILTERS = (
    click.option("--like", default="", help='Addresses of this pattern: "info@*".'),
    click.option("--domain", default="", help='Of this domain, or pattern: "*.example.net".'),
    click.option("--reply", default="", help="Part of what their server said last, or of the reason."),
    click.option(
        "--by",
        type=click.Choice(["refusal", "hand"]),
        help="Those whose servers refused, or those that a person added.",
    ),
)


def filter_options(function: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(FILTERS):
        function = option(function)
    return function


@click.group(
    "suppress",
    help="""Look after addresses of elsewhere that get no mail from us: who writes to one has the mail back at once.

The server suppresses by itself who refuses for good on several days (`sending.suppress` in the spec).

\b
Examples:
  mailstack suppress list mailstack.yaml --domain example.net
  mailstack suppress add mailstack.yaml someone@example.net --reason "asked us to stop"
  mailstack suppress remove mailstack.yaml someone@example.net
""",
    short_help="Look after addresses that get no mail from us.",
)
def command() -> None:
    pass


@command.command("list", short_help="List who gets no mail, and why.")
@spec_argument
@filter_options
@click.option(
    "--all", "everything", is_flag=True, help="Also those that refused too seldom so far, or whose time is over."
)
@state_option
@format_option
def list_suppressed(spec: Path, state: Path | None, form: str, **options: Unpack[Options]) -> None:
    """List the addresses that get no mail, until when, and what their servers said.

    \b
    Examples:
      mailstack suppress list mailstack.yaml
      mailstack suppress list mailstack.yaml --by hand
      mailstack suppress list mailstack.yaml --all --format json | jq -r '.[] | select(.refusals > 1).address'
    """
    asyncio.run(_listed(storage_named(spec, form, state), form, options))


@command.command("add", short_help="Send nothing more to an address.")
@spec_argument
@click.argument("address", type=Outside())
@click.option("--for", "length", type=Length(), help="How long: 12h, 30d. Default: until it is removed.")
@click.option("--until", type=Moment(), help="Until then: 2027-01-31, 2027-01-31T12:00:00Z.")
@click.option("--reason", default="by hand", show_default=True, help="For the list; no sender is told.")
@state_option
@format_option
def add(
    spec: Path,
    address: str,
    length: timedelta | None,
    until: datetime | None,
    reason: str,
    state: Path | None,
    form: str,
) -> None:
    """Send nothing more to ADDRESS, whatever the spec says of refusals. What waits for it comes back when it is due.

    \b
    Examples:
      mailstack suppress add mailstack.yaml someone@example.net
      mailstack suppress add mailstack.yaml someone@example.net --for 90d --reason "complained"
    """
    if length is not None and until is not None:
        raise click.UsageError("--for and --until exclude each other")
    if len(reason) > MAX_REASON:
        raise click.BadParameter(f"over {MAX_REASON} characters", param_hint="--reason")
    storage = storage_named(spec, form, state)
    require_applied(storage)
    facts = asyncio.run(_added(storage, address, length, until, reason))
    if form == "json":
        print_json(facts)
    else:
        print_facts(facts)


@command.command("remove", short_help="Send to addresses again.")
@spec_argument
@click.argument("addresses", metavar="[ADDRESS]...", type=Outside(), nargs=-1)
@filter_options
@click.option("--all", "everything", is_flag=True, help="All there are, where no ADDRESS and no filter is given.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask, where several are meant.")
@state_option
@format_option
def remove(spec: Path, state: Path | None, form: str, yes: bool, **options: Unpack[Options]) -> None:
    """Send to addresses again, as if they had never refused. Exit status 1 where one that is named is not known.

    \b
    Examples:
      mailstack suppress remove mailstack.yaml someone@example.net
      mailstack suppress remove mailstack.yaml --domain example.net --by refusal --yes
    """
    given = [name for name, value in options.items() if value]
    if not given:
        raise click.UsageError("say which: an ADDRESS, a filter, or --all")
    if "everything" in given and len(given) > 1:
        raise click.UsageError("--all is each of them: no ADDRESS and no filter goes with it")
    storage = storage_named(spec, form, state)
    require_applied(storage)
    found = asyncio.run(_found(storage, options))
    if given != ["addresses"]:
        _ask(found, form, yes=yes)
    removed = asyncio.run(_removed(storage, found))
    _tell(removed, options.get("addresses", ()), form)


async def _listed(storage: "StoreAddress", form: str, options: Options) -> None:
    async with store_to_read(storage) as store:
        if store is None:
            print_json([]) if form == "json" else click.echo("nothing was applied yet")
            return
        found = _shown(store, options)
        if form == "json":
            await print_streamed(found)
            return
        count = 0
        async for facts in found:
            print_facts(facts)
            count += 1
        click.echo(counted(count, "address") if count else "none")


async def _shown(store: "Store", options: Options) -> "AsyncIterator[Facts]":
    reading = await reading_of(store)
    async for bad in entries(store, filter_of(options)):
        facts = facts_of(bad, reading)
        if options.get("everything") or facts["status"] == SUPPRESSED:
            yield facts


async def _added(
    storage: "StoreAddress", address: str, length: timedelta | None, until: datetime | None, reason: str
) -> Facts:
    from mailstack.model.bad_address import BadAddress
    from mailstack.model.instant import SECOND_MS, Instant, from_datetime

    async with store_to_write(storage) as store:
        if await store.accounts.domain(address.rpartition("@")[2]) is not None:
            fail(f"{address} is received here, and only addresses of elsewhere can be suppressed")
        now = await store.now()
        ends_at = None if until is None else from_datetime(until)
        if length is not None:
            ends_at = Instant(now + int(length.total_seconds()) * SECOND_MS)
        if ends_at is not None and ends_at <= now:
            fail("that time is over")
        bad = BadAddress(
            address=address,
            refusals=0,
            since=now,
            last_at=now,
            reply=reason,
            is_suppressed=True,
            ends_at=ends_at,
            by=name_of_person(),
        )
        await store.bad_addresses.put(bad)
        return facts_of(bad, await reading_of(store))


async def _found(storage: "StoreAddress", options: Options) -> Sequence[str]:
    async with store_to_read(storage) as store:
        return [] if store is None else [bad.address async for bad in entries(store, filter_of(options))]


async def _removed(storage: "StoreAddress", addresses: Sequence[str]) -> "list[BadAddress]":
    async with store_to_write(storage) as store:
        parts = [addresses[at : at + BATCH] for at in range(0, len(addresses), BATCH)]
        return [bad for part in parts for bad in await store.bad_addresses.remove(part)]


def _ask(found: Sequence[str], form: str, *, yes: bool) -> None:
    if yes or not found:
        return
    if form == "json" or not sys.stdin.isatty():
        fail("nobody can be asked here, and nothing was changed; --yes does it without a question")
    click.confirm(f"Send to {counted(len(found), 'address')} again?", abort=True, err=True)


def _tell(removed: "Sequence[BadAddress]", named: Sequence[str], form: str) -> None:
    known = [bad.address for bad in removed]
    if form == "json":
        print_json({"removed": known})
    elif known:
        click.echo(
            f"{counted(len(known), 'address')} removed: mail to {'it' if len(known) == 1 else 'them'} is tried again"
        )
    unknown = sorted(set(named) - set(known))
    if unknown:
        fail(f"nothing is known of {', '.join(unknown)}: mail to it is tried as any other")
    if not known and form != "json":
        click.echo("none")
