"""`mailstack token`: who may use the API of a server. The machine's own shell may make any token, and revoke any.

The secret is printed once, when it is made; what is kept of it is a hash.
"""

import asyncio
import secrets
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailstack.cli.account_facts import Facts, show_table, when_text
from mailstack.cli.lengths import NEVER, Lifetime, end_of
from mailstack.cli.place import state_option
from mailstack.cli.reconciling import format_option, require_applied, storage_named, store_to_read, store_to_write
from mailstack.cli.screen import print_json
from mailstack.model.ids import TokenId
from mailstack.model.token import RANDOM_OCTETS, Scope

if TYPE_CHECKING:
    from mailstack.app.store_address import StoreAddress
    from mailstack.model.token import Token

spec_argument = click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))


@click.group(
    "token",
    help="""Make, list and revoke the tokens that `--server` and other programs show the API of a server.

\b
Examples:
  mailstack token create mailstack.yaml --can plan --name pull-requests
  mailstack token create mailstack.yaml --can plan --can apply --can state --name deploy --expires 30d
  mailstack token list mailstack.yaml
  mailstack token revoke mailstack.yaml 4Hc0aVdK2p
""",
    short_help="Make, list and revoke tokens for the API.",
)
def command() -> None:
    pass


@command.command("create")
@spec_argument
@click.option(
    "--can",
    "scopes",
    type=click.Choice([scope.value for scope in Scope]),
    multiple=True,
    required=True,
    help="state: read what is applied; plan: see what a spec would change; apply: change it; tokens: make tokens that"
    " hold no more than itself. Repeatable.",
)
@click.option("--name", default="", help="What it is for, shown in lists and logs.")
@click.option("--expires", type=Lifetime(), default="90d", show_default=True, help=f"When it ends: 30d, 12h, {NEVER}.")
@state_option
@format_option
def create(
    spec: Path, scopes: tuple[str, ...], name: str, expires: timedelta | None, state: Path | None, form: str
) -> None:
    """Make a token and print it, once: it cannot be shown again.

    \b
    Examples:
      mailstack token create mailstack.yaml --can plan --name pull-requests
      mailstack token create mailstack.yaml --can apply --format json | jq -r .secret
    """
    token, text = asyncio.run(_created(storage_named(spec, form, state), name, scopes, expires))
    if form == "json":
        print_json({**facts_of(token), "secret": text})
        return
    ends = "never ends" if token.expires_at is None else f"ends on {when_text(token.expires_at)}"
    click.echo(
        f"token {token.token_id} may {', '.join(sorted(token.scopes))} and {ends}; it is shown this once:", err=True
    )
    click.echo(text)


@command.command("list")
@spec_argument
@state_option
@format_option
def list_tokens(spec: Path, state: Path | None, form: str) -> None:
    """List all tokens, also those that have ended.

    \b
    Examples:
      mailstack token list mailstack.yaml
      mailstack token list mailstack.yaml --format json | jq '.[] | select(.revoked_at == null)'
    """
    found = [facts_of(token) for token in asyncio.run(_listed(storage_named(spec, form, state)))]
    if form == "json":
        print_json(found)
    else:
        show_table("tokens", ("id", "name", "can", "maker", "created_at", "expires_at", "used_at", "revoked_at"), found)


@command.command("revoke", short_help="End a token, and all that were made with it.")
@spec_argument
@click.argument("token_id", metavar="ID")
@state_option
def revoke_token(spec: Path, token_id: str, state: Path | None) -> None:
    """End the token ID, as `mailstack token list` names it, and all tokens that were made with it. At once.

    \b
    Examples:
      mailstack token revoke mailstack.yaml 4Hc0aVdK2p
    """
    for gone in asyncio.run(_revoked(storage_named(spec, "text", state), TokenId(token_id))):
        click.echo(f"{click.style('revoked', fg='green')} {gone}")


def facts_of(token: "Token") -> Facts:
    return {
        "id": token.token_id,
        "name": token.name,
        "can": sorted(token.scopes),
        "maker": token.maker,
        "created_at": when_text(token.created_at),
        "expires_at": when_text(token.expires_at),
        "used_at": when_text(token.used_at),
        "revoked_at": when_text(token.revoked_at),
    }


async def _created(
    storage: "StoreAddress", name: str, scopes: tuple[str, ...], expires: timedelta | None
) -> "tuple[Token, str]":
    from mailstack.app.clock import system_clock
    from mailstack.services.identity.tokens import Order, issue

    require_applied(storage)
    now = system_clock()
    order = Order(name=name, scopes=frozenset(map(Scope, scopes)), expires_at=end_of(now, expires))
    async with store_to_write(storage) as store:
        return await issue(store.tokens, order, maker=None, now=now, random=secrets.token_bytes(RANDOM_OCTETS))


async def _listed(storage: "StoreAddress") -> "list[Token]":
    async with store_to_read(storage) as store:
        return [] if store is None else list(await store.tokens.list())


async def _revoked(storage: "StoreAddress", token_id: TokenId) -> list[TokenId]:
    from mailstack.app.clock import system_clock
    from mailstack.services.identity.tokens import revoke

    require_applied(storage)
    async with store_to_write(storage) as store:
        return list(await revoke(store.tokens, token_id, by=None, now=system_clock()))
