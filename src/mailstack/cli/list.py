"""`mailstack list`: mailing lists as they are applied, and who has left them. Beside a running server."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailstack.cli.account_facts import Facts, show_pairs, show_table, when_text
from mailstack.cli.place import state_option
from mailstack.cli.reconciling import format_option, require_applied, storage_named, store_to_read, store_to_write
from mailstack.cli.screen import fail, print_json

if TYPE_CHECKING:
    from mailstack.app.store_address import StoreAddress
    from mailstack.model.instant import Instant
    from mailstack.model.principal import MailingList
    from mailstack.ports.store import Store

spec_argument = click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))
list_argument = click.argument("address", metavar="LIST")


@click.group(
    "list",
    help="""Show mailing lists and who has left them. What lists there are, and their members, is the spec's to say.

\b
Examples:
  mailstack list list mailstack.yaml
  mailstack list show mailstack.yaml team@example.com
  mailstack list resubscribe mailstack.yaml team@example.com bob@elsewhere.example
""",
    short_help="Show mailing lists, and who has left them.",
)
def command() -> None:
    pass


@command.command("list")
@spec_argument
@state_option
@format_option
def list_lists(spec: Path, state: Path | None, form: str) -> None:
    """List the mailing lists that are applied.

    \b
    Examples:
      mailstack list list mailstack.yaml
      mailstack list list mailstack.yaml --format json | jq -r '.[].address'
    """
    found = asyncio.run(_lists(storage_named(spec, form, state)))
    if form == "json":
        print_json(found)
    else:
        show_table("lists", ("address", "name", "members", "unsubscribed", "post"), found)


@command.command("show", short_help="Show one list: its members, and who has left.")
@spec_argument
@list_argument
@state_option
@format_option
def show(spec: Path, address: str, state: Path | None, form: str) -> None:
    """Show one list: what the spec says of it, its members, and who has unsubscribed, and when.

    \b
    Examples:
      mailstack list show mailstack.yaml team@example.com
      mailstack list show mailstack.yaml team@example.com --format json | jq .unsubscribed
    """
    found = asyncio.run(_shown(storage_named(spec, form, state), address))
    if form == "json":
        print_json(found)
        return
    members, left = found.pop("members"), found.pop("unsubscribed")
    show_pairs(found)
    # Who left may be behind an alias, or be no member any more.
    rows = [{"address": each, "unsubscribed": left.get(each, "")} for each in dict.fromkeys((*members, *left))]
    show_table("members", ("address", "unsubscribed"), rows)


@command.command("resubscribe", short_help="Let somebody who left have the list's mail again.")
@spec_argument
@list_argument
@click.argument("member")
@state_option
def resubscribe(spec: Path, address: str, member: str, state: Path | None) -> None:
    """Forget that MEMBER has unsubscribed, at their wish. Exit status 1 where they have not.

    \b
    Examples:
      mailstack list resubscribe mailstack.yaml team@example.com bob@elsewhere.example
    """
    if not asyncio.run(_resubscribed(storage_named(spec, "text", state), address, member)):
        fail(f"{member} has not unsubscribed from {address}")
    click.echo(f"{click.style('resubscribed', fg='green')} {member} to {address}")


async def _lists(storage: "StoreAddress") -> list[Facts]:
    from mailstack.model.principal import MailingList
    from mailstack.model.resource import Kind

    require_applied(storage)
    async with store_to_read(storage) as store:
        if store is None:
            return []
        snapshot = await store.state.snapshot([Kind.LIST])
        found = [await store.accounts.find(name) for _, name in sorted(snapshot.resources)]
        lists = [each for each in found if isinstance(each, MailingList)]
        return [_summary(each, await store.unsubscribed.members(each.address)) for each in lists]


def _summary(mailing_list: "MailingList", left: "Mapping[str, Instant]") -> Facts:
    return {
        "address": mailing_list.address,
        "name": mailing_list.name,
        "members": len(mailing_list.members),
        "unsubscribed": len(left),
        "post": mailing_list.post.value,
    }


async def _shown(storage: "StoreAddress", address: str) -> Facts:
    require_applied(storage)
    async with store_to_read(storage) as store:
        mailing_list = None if store is None else await _named(store, address)
        if store is None or mailing_list is None:
            fail(f"there is no list {address}")
        left = await store.unsubscribed.members(mailing_list.address)
    return {
        "address": mailing_list.address,
        "name": mailing_list.name,
        "description": mailing_list.description,
        "owners": list(mailing_list.owners),
        "post": list(mailing_list.posters) or mailing_list.post.value,
        "subject_prefix": mailing_list.subject_prefix,
        "reply_to": "list" if mailing_list.replies_to_list else "author",
        "unsubscribe": mailing_list.has_unsubscribe,
        "members": list(mailing_list.members),
        "unsubscribed": {member: when_text(since) for member, since in left.items()},
    }


async def _resubscribed(storage: "StoreAddress", address: str, member: str) -> bool:
    from mailstack.model.address import parse_address

    require_applied(storage)
    async with store_to_write(storage) as store:
        mailing_list = await _named(store, address)
        if mailing_list is None:
            fail(f"there is no list {address}")
        return await store.unsubscribed.remove(mailing_list.address, parse_address(member).key)


async def _named(store: "Store", address: str) -> "MailingList | None":
    from mailstack.model.address import parse_address
    from mailstack.model.principal import MailingList

    found = await store.accounts.find(parse_address(address).key)
    return found if isinstance(found, MailingList) else None
