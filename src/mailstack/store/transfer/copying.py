"""From one store to another: the accounts, some at a time, then the system, and the end that lets the new store be
served.

An account is written in several transactions, and noted as done after it was compared; what was not noted is written
anew when the copy is run again. An account that is done is compared then, and copied again if the old one has changed.
One that cannot be copied stops no other, but the copy is not finished while there is one.
"""

import asyncio
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field

import orjson

from mailstack.model.errors import Forbidden, NotFound
from mailstack.model.ids import AccountId
from mailstack.store.sql import copy_progress
from mailstack.store.sql.database import Row
from mailstack.store.transfer.carrying import Damage, carry
from mailstack.store.transfer.comparing import (
    ACCOUNT_ROWS,
    SYSTEM_ROWS,
    is_as_noted,
    require_same,
    shared_flaws,
)
from mailstack.store.transfer.pages import Loader, pages
from mailstack.store.transfer.progress import Gauge, Part, Progress, effort
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
ACCOUNTS_AT_ONCE = 4
"""While one waits for the database, another is read. Each has a few groups of messages in memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    messages: int
    used_bytes: int

    @property
    def effort(self) -> int:
        return effort(self.messages, self.used_bytes)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """done: by an earlier one, with what it said of each account."""

    source: Source
    target: Target
    done: Mapping[str, str]
    gauge: Gauge
    outcome: Outcome


async def copy_store(source: Source, target: Target, *, progress: Progress, at_once: int = ACCOUNTS_AT_ONCE) -> Outcome:
    """Raises Forbidden (a target that is not empty and not this copy's own), and what the engines raise."""
    done = await _begin(source, target)
    extent = await extent_of(source)
    await _forget_gone(target, done, {account_id for _, account_id in extent.accounts})
    gauge = Gauge(progress, total=sum(size.effort for size in extent.accounts.values()))
    run = _Run(source=source, target=target, done=done, gauge=gauge, outcome=Outcome())
    accounts = iter(extent.accounts.items())
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(_accounts(run, accounts))
    except ExceptionGroup as faults:  # without answers from a store, all end alike
        raise faults.exceptions[0] from None
    if run.outcome.is_finished:
        await _system(run)
        run.outcome.queued = extent.queued
        await source.require_held()
        await copy_progress.end(target.system.database)
        await target.finish()
    return run.outcome


async def _accounts(run: _Run, accounts: Iterator[tuple[tuple[str, AccountId], Size]]) -> None:
    """One after the other, for as long as there are any."""
    for (login, account_id), size in accounts:
        part = run.gauge.begin(login, size.effort)
        try:
            await _account(run, account_id, login, part)
        except Exception as fault:  # noqa: BLE001 - one account that cannot be copied stops no other
            await _require_answers(run.source, run.target)
            run.outcome.failures[login] = getattr(fault, "detail", "") or repr(fault)
        else:
            run.outcome.accounts += 1
            run.outcome.messages += size.messages
            run.outcome.used_bytes += size.used_bytes
        part.end()


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


async def _account(run: _Run, account_id: AccountId, login: str, part: Part) -> None:
    async with run.source.account(account_id) as old:
        if account_id in run.done:
            known = [Damage(**one) for one in orjson.loads(run.done[account_id])]
            async with run.target.account(account_id) as new:
                if await is_as_noted(old, new, known, part):
                    run.outcome.kept += 1
                    _remember(run.outcome, login, known)
                    return
        await run.target.start_account(account_id)
        async with run.target.account(account_id) as new:
            damage = await _fill_account(old, new, part)
            await require_same(old, new, (ACCOUNT_ROWS, BLOBS), damage, part)
            damage += await shared_flaws(old, new)
    said = orjson.dumps([asdict(one) for one in damage]).decode()
    await copy_progress.note(run.target.system.database, account_id, said)
    _remember(run.outcome, login, damage)


async def _fill_account(old: Holder, new: Holder, part: Part) -> list[Damage]:
    loader = Loader(new.database, new.held)
    loader.first(*_clearing())
    for table in OF_ACCOUNT:
        if table is MAILBOX:
            rows = [row async for page in pages(old.database, table) for row in page]
            await loader.add(table.insert, _parents_first(rows))
            continue
        async for page in pages(old.database, table):
            await loader.add(table.insert, page)
    damage = await carry(old, new, loader, BLOBS, part)
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


async def _system(run: _Run) -> None:
    old, new = run.source.system, run.target.system
    part = run.gauge.begin(SYSTEM, 1)
    await run.target.start_system()
    loader = Loader(new.database, new.held)
    loader.first(*(table.clear for table in reversed((*BEFORE_QUEUE, QUEUE.table, *AFTER_QUEUE))))
    for last, set_last in LASTS:
        for row in await old.database.rows(last):
            if row[0]:
                await loader.add(set_last, [row])
    for table in BEFORE_QUEUE:
        async for page in pages(old.database, table):
            await loader.add(table.insert, page)
    damage = await carry(old, new, loader, QUEUE, part)
    for table in AFTER_QUEUE:
        async for page in pages(old.database, table):
            await loader.add(table.insert, page)
    await loader.flush()
    await require_same(old, new, (SYSTEM_ROWS, QUEUE), damage, part)
    _remember(run.outcome, SYSTEM, damage)
    part.end()


def _remember(outcome: Outcome, whose: str, damage: Sequence[Damage]) -> None:
    if damage:
        outcome.damage.setdefault(whose, []).extend(damage)  # a destroyed account may have had the same login
