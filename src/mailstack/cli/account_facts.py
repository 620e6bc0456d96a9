"""What `mailstack account` says of accounts: the values that JSON shows, and tables of them for people."""

import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from mailstack.cli.reconciling import require_applied, store_to_read, store_to_write
from mailstack.cli.screen import console, fail
from mailstack.model.errors import DomainError, NotFound

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

    from mailstack.app.store_address import StoreAddress
    from mailstack.model.instant import Instant
    from mailstack.model.principal import Account
    from mailstack.model.upkeep import AccountSizes
    from mailstack.ports.accounts import Accounts
    from mailstack.ports.store import Store
    from mailstack.ports.upkeep import Progress
    from mailstack.spec.load import LoadedSpec

Facts = dict[str, Any]
Look = Callable[["Store", "Account", "Progress"], Awaitable[Facts]]


async def of_accounts(
    storage: "StoreAddress", addresses: Sequence[str], look: Look, *, label: str | None = None, writes: bool = False
) -> list[Facts]:
    """look: asked of each of the accounts, all of them where no address is named. label: what the progress bar says: it
    counts accounts, or the messages of a single one.
    """
    require_applied(storage)
    async with (store_to_write if writes else store_to_read)(storage) as store:
        if store is None:
            return []
        accounts = await _accounts(store, addresses)
        is_hidden = label is None or not sys.stderr.isatty()
        if len(accounts) == 1:
            with click.progressbar(length=0, label=label, file=sys.stderr, hidden=is_hidden) as bar:
                return [await look(store, accounts[0], partial(_tell, bar))]
        with click.progressbar(
            accounts, label=label, file=sys.stderr, hidden=is_hidden, item_show_func=_login_of
        ) as each:
            return [await look(store, account, _tell_nobody) for account in each]


async def _accounts(store: "Store", addresses: Sequence[str]) -> list["Account"]:
    from mailstack.model.resource import Kind

    if not addresses:
        snapshot = await store.state.snapshot([Kind.ACCOUNT])
        addresses = [name for _, name in sorted(snapshot.resources)]
    return [await account_at(store.accounts, address) for address in addresses]


async def account_at(accounts: "Accounts", address: str) -> "Account":
    """What is no account's address ends the command."""
    from mailstack.model.address import parse_address
    from mailstack.model.principal import Account

    try:
        account = await accounts.find(parse_address(address).key)
    except DomainError as fault:
        fail(f"{address} is no address: {fault.detail}")
    if not isinstance(account, Account):
        fail(f"{address} is an alias, not an account" if account else f"there is no account {address}")
    return account


async def described(_store: "Store", account: "Account", _progress: "Progress") -> Facts:
    return {
        "login": account.login,
        "id": account.account_id,
        "name": account.name,
        "addresses": list(account.addresses),
        "can": sorted(account.abilities),
        "forward": {"to": list(account.forward.targets), "keep": account.forward.keep} if account.forward else None,
        "roles": sorted(account.roles),
        "quota_bytes": account.quota_bytes,
        "limits": asdict(account.limits),
        "has_password": bool(account.password_hash),
    }


async def measured(store: "Store", account: "Account", _progress: "Progress") -> Facts:
    """error: why the account's file cannot be read; then all that it holds is unknown."""
    try:
        sizes = await _sizes(store, account)
    except DomainError as fault:
        unknown = dict.fromkeys(("messages", "used_bytes", "disk_bytes", "oldest", "newest"))
        return {"login": account.login, **unknown, "quota_bytes": account.quota_bytes, "error": fault.detail}
    return {
        "login": account.login,
        "messages": sizes.messages if sizes else 0,
        "used_bytes": sizes.used_bytes if sizes else 0,
        "quota_bytes": account.quota_bytes,
        "disk_bytes": sizes.disk_bytes if sizes else 0,
        "oldest": when_text(sizes.oldest) if sizes else None,
        "newest": when_text(sizes.newest) if sizes else None,
    }


async def shown(store: "Store", account: "Account", progress: "Progress", *, loaded: "LoadedSpec") -> Facts:
    """Raises what reading the account's file raises."""
    sizes = await _sizes(store, account)
    mailboxes = [
        {"path": one.path, "messages": one.messages, "unseen": one.unseen, "size_bytes": one.size_bytes}
        for one in (sizes.mailboxes if sizes else ())
    ]
    known = {**await described(store, account, progress), **await measured(store, account, progress)}
    owners = await _owners(store, account, loaded)
    return {
        **known,
        "submitted": await _submitted(store, account),
        "indexed": await _is_indexed(store, account),
        "owners": owners,
        "mailboxes": mailboxes,
    }


async def _submitted(store: "Store", account: "Account") -> Facts:
    """What counts for its limits."""
    from mailstack.model.sending_limits import counted, counts_since

    now = store.clock()
    hour, day = counted(await store.submitted.spans(account.account_id, since=counts_since(now)), now=now)
    return {
        "messages_per_hour": hour.messages,
        "messages_per_day": day.messages,
        "recipients_per_hour": hour.recipients,
        "recipients_per_day": day.recipients,
    }


async def _owners(store: "Store", account: "Account", loaded: "LoadedSpec") -> dict[str, Facts]:
    from mailstack.app.account_owners import owners_of
    from mailstack.model.resource import Kind

    snapshot = await store.state.snapshot([Kind.ACCOUNT])
    return owners_of(account.login, snapshot.resources.get((Kind.ACCOUNT, account.login)), loaded)


async def set_password(storage: "StoreAddress", address: str, ask: Callable[[], str]) -> str:
    """The login whose password it now is. ask: only once it is known whose."""
    from mailstack.model.resource import Kind
    from mailstack.services.identity.passwords import HashCost, hash_password

    require_applied(storage)
    async with store_to_write(storage) as store:
        (account,) = await _accounts(store, (address,))
        hashed = hash_password(ask(), cost=HashCost.NORMAL)
        await store.state.write_as_user(Kind.ACCOUNT, account.login, {"password": hashed})
        return account.login


async def flaws(store: "Store", account: "Account", progress: "Progress", *, quick: bool) -> Facts:
    try:
        found = await store.upkeep.verify(account.account_id, reads_messages=not quick, progress=progress)
    except NotFound:
        found = []  # an account that nobody wrote to has no file to be wrong
    listed = [{"rule": flaw.rule, "where": flaw.where, "text": flaw.text} for flaw in found]
    return {"login": account.login, "flaws": listed}


async def indexed(store: "Store", account: "Account", progress: "Progress") -> Facts:
    """error: why its messages could not all be indexed; those that follow are looked for by the next search."""
    from mailstack.services.mailbox import indexing

    try:
        sizes = await _sizes(store, account)
        count = sizes.messages if sizes else 0
        done = await indexing.reindex(
            store.search, account.account_id, progress=lambda done: progress(done, max(done, count))
        )
    except DomainError as fault:
        return {"login": account.login, "messages": None, "error": fault.detail}
    return {"login": account.login, "messages": done}


async def _is_indexed(store: "Store", account: "Account") -> bool:
    """False: the next search, or the background, has messages to index."""
    try:
        return not await store.search.is_behind(account.account_id)
    except NotFound:
        return True


async def _sizes(store: "Store", account: "Account") -> "AccountSizes | None":
    """None: nothing came for it yet."""
    try:
        return await store.upkeep.sizes(account.account_id)
    except NotFound:
        return None


def show_table(title: str, columns: Sequence[str], rows: Sequence[Facts]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left")
    for name in columns:
        is_number = name.endswith("_bytes") or name in ("messages", "unseen")
        table.add_column(name.removesuffix("_bytes"), overflow="fold", justify="right" if is_number else "left")
    for row in rows:
        table.add_row(*(Text(told(name, row[name])) for name in columns))
    console().print(table if rows else f"{title}: none")


def show_pairs(facts: Mapping[str, Any]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    for name, value in facts.items():
        table.add_row(Text(name.removesuffix("_bytes").replace("_", " "), style="bold"), Text(told(name, value)))
    console().print(table)


def told(name: str, value: object) -> str:
    if name == "quota_bytes" and value is None:
        return "unlimited"
    if name.endswith("_bytes") and isinstance(value, int):
        return size_text(value)
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = "–" if value is None or value == "" else str(value)
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def size_text(size_bytes: int) -> str:
    """In the units that specs are written in."""
    amount = float(size_bytes)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TiB"


def when_text(instant: "Instant | None") -> str | None:
    from mailstack.model.instant import iso

    return None if instant is None else iso(instant)


def _tell(bar: "ProgressBar[int]", done: int, count: int) -> None:
    bar.length = count
    bar.update(done - bar.pos)


def _tell_nobody(_done: int, _count: int) -> None:
    """Accounts are what the progress bar counts."""


def _login_of(account: "Account | None") -> str | None:
    return None if account is None else account.login
