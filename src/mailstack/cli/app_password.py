"""`mailstack app-password`: further passwords of an account, each for one device or program, which can be ended alone.

They are the user's own: no plan sees them, and no apply touches them. The secret is printed once, when it is made; what
is kept of it is a hash.
"""

import asyncio
import secrets
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailstack.cli.account_facts import Facts, account_at, of_accounts, show_table, when_text
from mailstack.cli.lengths import NEVER, Lifetime, end_of
from mailstack.cli.place import state_option
from mailstack.cli.reconciling import format_option, require_applied, storage_named, store_to_write
from mailstack.cli.screen import fail, print_json
from mailstack.model.app_password import ALL_SERVICES, RANDOM_OCTETS, AppService
from mailstack.model.ids import AppPasswordId

if TYPE_CHECKING:
    from mailstack.app.store_address import StoreAddress
    from mailstack.model.app_password import AppPassword
    from mailstack.model.principal import Account
    from mailstack.ports.store import Store
    from mailstack.ports.upkeep import Progress

spec_argument = click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))
address_argument = click.argument("address")
COLUMNS = ("account", "id", "name", "for", "created_at", "expires_at", "used_at")


@click.group(
    "app-password",
    help="""Make, list and revoke app passwords: further passwords of an account, one for each device or program.

\b
Examples:
  mailstack app-password create mailstack.yaml alice@example.com --name phone
  mailstack app-password create mailstack.yaml alice@example.com --name backup --for jmap --expires 30d
  mailstack app-password list mailstack.yaml alice@example.com
  mailstack app-password revoke mailstack.yaml alice@example.com k3f9x2m7
""",
    short_help="Make, list and revoke app passwords of accounts.",
)
def command() -> None:
    pass


@command.command("create", short_help="Make an app password and print it, once.")
@spec_argument
@address_argument
@click.option("--name", required=True, help="Of the device or program, shown in lists.")
@click.option(
    "--for",
    "services",
    type=click.Choice([service.value for service in AppService]),
    multiple=True,
    help="What it may be used for; everything unless said. Repeatable.",
)
@click.option("--expires", type=Lifetime(), default=NEVER, show_default=True, help="When it ends: 30d, 12h.")
@state_option
@format_option
def create(
    spec: Path,
    address: str,
    name: str,
    services: tuple[str, ...],
    expires: timedelta | None,
    state: Path | None,
    form: str,
) -> None:
    """Make an app password and print it, once: it cannot be shown again. ADDRESS is any of the account's own.

    It is typed where the account's password would be, beside the same name; as `Authorization: Bearer …`, JMAP takes it
    alone. A program that proves passwords without sending them (SCRAM) wants ADDRESS/ID as its login.

    \b
    Examples:
      mailstack app-password create mailstack.yaml alice@example.com --name phone
      mailstack app-password create mailstack.yaml alice@example.com --name printer --for submission
      mailstack app-password create mailstack.yaml alice@example.com --name script --for jmap --expires 90d \\
        --format json | jq -r .secret
    """
    chosen = frozenset(map(AppService, services)) or ALL_SERVICES
    account, made, text = asyncio.run(_created(storage_named(spec, form, state), address, name, chosen, expires))
    if form == "json":
        print_json({**_facts(account, made), "secret": text})
        return
    ends = "never ends" if made.expires_at is None else f"ends on {when_text(made.expires_at)}"
    click.echo(
        f"app password {made.app_password_id} of {account.login} is for {', '.join(sorted(made.services))} and {ends};"
        " it is shown this once:",
        err=True,
    )
    click.echo(text)


@command.command("list", short_help="List app passwords, and when each was last used.")
@spec_argument
@click.argument("addresses", metavar="[ADDRESS]...", nargs=-1)
@state_option
@format_option
def list_app_passwords(spec: Path, addresses: tuple[str, ...], state: Path | None, form: str) -> None:
    """List the app passwords of accounts, all of them where no ADDRESS is named. When each was last used is noted once
    an hour; those that have expired are gone.

    \b
    Examples:
      mailstack app-password list mailstack.yaml
      mailstack app-password list mailstack.yaml alice@example.com --format json | jq '.[] | select(.used_at == null)'
    """
    per_account = asyncio.run(of_accounts(storage_named(spec, form, state), addresses, _held))
    found = [one for each in per_account for one in each["app_passwords"]]
    if form == "json":
        print_json(found)
    else:
        show_table("app passwords", COLUMNS, found)


@command.command("revoke", short_help="End an app password, and who is logged in by it.")
@spec_argument
@address_argument
@click.argument("app_password_id", metavar="ID")
@state_option
def revoke(spec: Path, address: str, app_password_id: str, state: Path | None) -> None:
    """End the app password ID of an account, as `mailstack app-password list` names it. At once: who is logged in by it
    is sent away by a server that runs.

    \b
    Examples:
      mailstack app-password revoke mailstack.yaml alice@example.com k3f9x2m7
    """
    account, gone = asyncio.run(_revoked(storage_named(spec, "text", state), address, AppPasswordId(app_password_id)))
    click.echo(f"{click.style('revoked', fg='green')} {gone.app_password_id} ({gone.name}) of {account.login}")


def _facts(account: "Account", one: "AppPassword") -> Facts:
    return {
        "account": account.login,
        "id": one.app_password_id,
        "name": one.name,
        "for": sorted(one.services),
        "created_at": when_text(one.created_at),
        "expires_at": when_text(one.expires_at),
        "used_at": when_text(one.used_at),
    }


async def _created(
    storage: "StoreAddress", address: str, name: str, services: frozenset[AppService], expires: timedelta | None
) -> "tuple[Account, AppPassword, str]":
    from mailstack.services.identity.app_passwords import Order, issue

    require_applied(storage)
    async with store_to_write(storage) as store:
        account = await account_at(store.accounts, address)
        if not account.password_hash:
            fail(f"{account.login} has no password, so nobody logs in to it; `mailstack account password` gives it one")
        now = store.clock()
        order = Order(name=name, services=services, expires_at=end_of(now, expires))
        random = secrets.token_bytes(RANDOM_OCTETS)
        made, text = await issue(store.app_passwords, account.account_id, order, now=now, random=random)
        return account, made, text


async def _held(store: "Store", account: "Account", _progress: "Progress") -> Facts:
    found = await store.app_passwords.of_account(account.account_id)
    return {"app_passwords": [_facts(account, one) for one in found]}


async def _revoked(
    storage: "StoreAddress", address: str, app_password_id: AppPasswordId
) -> "tuple[Account, AppPassword]":
    require_applied(storage)
    async with store_to_write(storage) as store:
        account = await account_at(store.accounts, address)
        return account, await store.app_passwords.revoke(account.account_id, app_password_id)
