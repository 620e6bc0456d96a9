"""From one store to another: account by account, then the system, and the end that lets the new store be served.

An account is written in several transactions, and noted as done after it was compared; what was not noted is written
anew when the copy is run again. An account that is done is compared then, and copied again if the old one has changed.
One that cannot be copied stops no other, but the copy is not finished while there is one.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

import orjson

from mailstack.model.errors import Forbidden, NotFound
from mailstack.model.ids import AccountId
from mailstack.store.sql import copy_progress
from mailstack.store.sql.database import Row
from mailstack.store.transfer.carrying import Damage, carry
from mailstack.store.transfer.comparing import ACCOUNT_ROWS, SYSTEM_ROWS, differences, require_same, shared_flaws
from mailstack.store.transfer.pages import Loader, pages
from mailstack.store.transfer.side import Holder, Source, Target
from mailstack.store.transfer.tables import (
    AFTER_QUEUE,
    BEFORE_QUEUE,
    BEGIN_SEARCH_STATE,
    BLOBS,
    CLEAR_SEARCH_STATE,
    HELD,
    INSTALLATION,
    KNOWN_ACCOUNTS,
    LASTS,
    MAILBOX,
    OF_ACCOUNT,
    QUEUE,
    QUEUED,
)

SYSTEM = "the system"


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    messages: int
    used_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """What there is to copy. accounts: by login and id, those that ever had mailboxes."""

    accounts: Mapping[tuple[str, AccountId], Size]
    queued: int


@dataclass(kw_only=True)
class Outcome:
    """kept: accounts that an earlier run had done. damage: of messages that the old store cannot read, by login.
    failures: what could not be copied, by login; then the copy is not finished."""

    accounts: int = 0
    kept: int = 0
    messages: int = 0
    used_bytes: int = 0
    queued: int = 0
    damage: dict[str, list[Damage]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    @property
    def is_finished(self) -> bool:
        return not self.failures


Progress = Callable[[str, int, int], None]
"""Told what is done: whose, how many messages of it all, and how many there are."""


async def extent_of(source: Source) -> Extent:
    accounts: dict[tuple[str, AccountId], Size] = {}
    for account_id, login in await source.system.database.rows(KNOWN_ACCOUNTS):
        try:
            async with source.account(AccountId(account_id)) as holder:
                messages, used_bytes = (await holder.database.rows(HELD))[0]
        except NotFound:
            continue  # it never had mail, and gets its mailboxes when it has
        accounts[login, AccountId(account_id)] = Size(messages=messages, used_bytes=used_bytes)
    ((queued,),) = await source.system.database.rows(QUEUED)
    return Extent(accounts=accounts, queued=queued)


async def copy_store(source: Source, target: Target, *, progress: Progress) -> Outcome:
    """Raises Forbidden (a target that is not empty and not this copy's own), and what the engines raise."""
    done = await _begin(source, target)
    extent = await extent_of(source)
    await _forget_gone(target, done, {account_id for _, account_id in extent.accounts})
    outcome, total = Outcome(), sum(size.messages for size in extent.accounts.values())
    for (login, account_id), size in extent.accounts.items():
        try:
            await _account(source, target, account_id, login, done, outcome)
        except Exception as fault:  # noqa: BLE001 - one account that cannot be copied stops no other
            await _require_answers(source, target)
            outcome.failures[login] = getattr(fault, "detail", "") or repr(fault)
            continue
        outcome.accounts += 1
        outcome.messages += size.messages
        outcome.used_bytes += size.used_bytes
        progress(login, outcome.messages, total)
    if outcome.is_finished:
        await _system(source, target, outcome)
        outcome.queued = extent.queued
        await source.require_held()
        await copy_progress.end(target.system.database)
        await target.finish()
    return outcome


async def _require_answers(source: Source, target: Target) -> None:
    """Of the stores themselves: without them nobody's account can be copied."""
    for system in (source.system, target.system):
        await system.database.rows(INSTALLATION)


async def _begin(source: Source, target: Target) -> dict[str, str]:
    """What was done before, by account."""
    key = await source.system.database.row(INSTALLATION)
    if key is None:
        raise NotFound(f"there is nothing to copy in {source.name}: nothing was ever applied there")
    own = hashlib.sha256(b"mailstack storage copy" + key[0]).hexdigest()
    system = target.system.database
    if not target.is_begun:
        if await system.row(INSTALLATION) is not None:
            raise Forbidden(f"{target.name} holds a store already: a copy wants an empty one; nothing was changed")
        await copy_progress.begin(system, own)
        return {}
    done = await copy_progress.read(system)
    if done.pop(copy_progress.SOURCE, own) != own:
        raise Forbidden(f"{target.name} holds an unfinished copy of another store; nothing was changed")
    return done


async def _forget_gone(target: Target, done: Mapping[str, str], there: set[AccountId]) -> None:
    """Accounts that left the old store since the copy was begun."""
    for account_id in [AccountId(one) for one in done if one not in there]:
        await target.start_account(account_id)
        async with target.account(account_id) as holder:
            loader = Loader(holder.database, holder.held)
            loader.first(*_clearing())
            await loader.flush()
        await target.start_account(account_id)
        await copy_progress.forget(target.system.database, account_id)


async def _account(
    source: Source, target: Target, account_id: AccountId, login: str, done: Mapping[str, str], outcome: Outcome
) -> None:
    async with source.account(account_id) as old:
        if account_id in done:
            async with target.account(account_id) as new:
                if not await differences(old, new, ACCOUNT_ROWS):
                    outcome.kept += 1
                    _remember(outcome, login, [Damage(**one) for one in orjson.loads(done[account_id])])
                    return
        await target.start_account(account_id)
        async with target.account(account_id) as new:
            damage = await _fill_account(old, new)
            await require_same(old, new, ACCOUNT_ROWS, BLOBS, damage)
            damage += await shared_flaws(old, new)
    said = orjson.dumps([asdict(one) for one in damage]).decode()
    await copy_progress.note(target.system.database, account_id, said)
    _remember(outcome, login, damage)


async def _fill_account(old: Holder, new: Holder) -> list[Damage]:
    loader = Loader(new.database, new.held)
    loader.first(*_clearing())
    for table in OF_ACCOUNT:
        if table is MAILBOX:
            rows = [row async for page in pages(old.database, table) for row in page]
            await loader.add(table.insert, _parents_first(rows))
            continue
        async for page in pages(old.database, table):
            await loader.add(table.insert, page)
    damage = await carry(old, new, loader, BLOBS)
    await loader.add(BEGIN_SEARCH_STATE, [()])
    await loader.flush()
    return damage


def _clearing() -> tuple[str, ...]:
    tables = (BLOBS.table, *reversed(OF_ACCOUNT))
    return (CLEAR_SEARCH_STATE, *(table.clear for table in tables))


def _parents_first(rows: Sequence[Row]) -> list[Row]:
    """Mailboxes, none before the one that it lies in. What hangs below nothing comes last, and is refused there."""
    ordered: list[Row] = []
    waiting, placed = list(rows), {None}
    while ready := [row for row in waiting if row[1] in placed]:
        ordered += ready
        placed |= {row[0] for row in ready}
        waiting = [row for row in waiting if row[0] not in placed]
    return [*ordered, *waiting]


async def _system(source: Source, target: Target, outcome: Outcome) -> None:
    old, new = source.system, target.system
    await target.start_system()
    loader = Loader(new.database, new.held)
    loader.first(*(table.clear for table in reversed((*BEFORE_QUEUE, QUEUE.table, *AFTER_QUEUE))))
    for last, set_last in LASTS:
        for row in await old.database.rows(last):
            if row[0]:
                await loader.add(set_last, [row])
    for table in BEFORE_QUEUE:
        async for page in pages(old.database, table):
            await loader.add(table.insert, page)
    damage = await carry(old, new, loader, QUEUE)
    for table in AFTER_QUEUE:
        async for page in pages(old.database, table):
            await loader.add(table.insert, page)
    await loader.flush()
    await require_same(old, new, SYSTEM_ROWS, QUEUE, damage)
    _remember(outcome, SYSTEM, damage)


def _remember(outcome: Outcome, whose: str, damage: Sequence[Damage]) -> None:
    if damage:
        outcome.damage.setdefault(whose, []).extend(damage)  # a destroyed account may have had the same login
