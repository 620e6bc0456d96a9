"""Lessons are taught by themselves, and every worker sees what came of them."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from mailstack.app import learned as knowing
from mailstack.app.build import Adapters, RunSettings, open_adapters
from mailstack.app.learned import Learned
from mailstack.app.messages import Job
from mailstack.app.store_address import StoreAddress
from mailstack.app.trainer import Trainer
from mailstack.model.errors import TryAgainLater
from mailstack.model.ids import AccountId
from mailstack.model.instant import Instant
from mailstack.model.mailbox import MailboxRole
from mailstack.model.spam_lesson import Said
from mailstack.ports.spam_tables import SpamTables
from mailstack.services.spam.correspondents import arrived_in
from mailstack.services.spam.training import Training
from mailstack.services.spam.turn import LEASE, LEASE_MS
from tests.support.running import until
from tests.support.spam_mail import campaign_mail, stored
from tests.support.stores import mailbox_with, make_account


@pytest.fixture
async def adapters(tmp_path: Path) -> AsyncIterator[Adapters]:
    opened = await open_adapters(
        RunSettings(storage=StoreAddress(folder=tmp_path), job=Job(spec=""), trust_loopback=False, hold_outbound=False)
    )
    yield opened
    await opened.close()


@pytest.fixture
async def account_id(adapters: Adapters) -> AccountId:
    return await make_account(adapters.store)


@pytest.fixture
async def learned(adapters: Adapters, tmp_path: Path) -> AsyncIterator[Learned]:
    learned = Learned(adapters.store.spam_tables, adapters.bus, tmp_path)
    yield learned
    await learned.end()


def trainer_of(adapters: Adapters, learned: Learned) -> Trainer:
    store = adapters.store
    training = Training(
        lessons=store.spam_lessons,
        tables=store.spam_tables,
        messages=store.messages,
        accounts=store.accounts,
        shared=lambda: learned.models.shared,
        experience=adapters.experience,
        arrived_in=lambda raw: arrived_in(raw, "mail.example.com"),
        clock=adapters.clock,
    )
    return Trainer(adapters, training, gather_s=0.01)


async def say(adapters: Adapters, account_id: AccountId, number: int = 1) -> None:
    inbox = await mailbox_with(adapters.store, account_id, MailboxRole.INBOX)
    (appended,) = await adapters.store.messages.append(account_id, inbox, [stored(campaign_mail(number, number))])
    await adapters.store.spam_lessons.note(account_id, [appended.message_id], Said.SPAM)


async def until_known(learned: Learned, account_id: AccountId, count: int) -> None:
    """To its own model, and, for it is an administrator's, to the shared one."""

    async def is_known() -> bool:
        own = await learned.models.of_account(account_id)
        return own is not None and own.spam == count == learned.models.shared.spam

    await until(is_known)


async def test_what_people_say_is_known_a_moment_later(
    adapters: Adapters, learned: Learned, account_id: AccountId
) -> None:
    trainer = trainer_of(adapters, learned)
    for number in (1, 2):
        await say(adapters, account_id, number)
        await until_known(learned, account_id, number)
    await trainer.end()


async def test_what_waited_when_the_last_one_ended_is_taught(
    adapters: Adapters, learned: Learned, account_id: AccountId
) -> None:
    await say(adapters, account_id)
    trainer = trainer_of(adapters, learned)
    await until_known(learned, account_id, 1)
    await trainer.end()


async def test_while_another_teaches_this_one_waits_and_then_looks(
    adapters: Adapters, learned: Learned, account_id: AccountId
) -> None:
    now, locks = adapters.clock(), adapters.store.locks
    assert await locks.acquire(LEASE, "another", now=now, until=Instant(now + LEASE_MS))
    trainer = trainer_of(adapters, learned)
    await say(adapters, account_id)
    await asyncio.sleep(0.1)  # time enough to take it, for one that does not ask for the lease
    assert len(await adapters.store.spam_lessons.open(limit=2)) == 1
    await locks.release(LEASE, "another")
    await until_known(learned, account_id, 1)
    await trainer.end()


async def test_a_database_that_is_away_ends_no_training(
    adapters: Adapters, learned: Learned, account_id: AccountId
) -> None:
    failures = [TryAgainLater("the database is away"), IndexError("a bug")]

    class Failing:
        def __getattr__(self, name: str) -> object:
            if failures:
                raise failures.pop(0)
            return getattr(adapters.store.spam_lessons, name)

    trainer = trainer_of(adapters, learned)
    trainer._training = replace(trainer._training, lessons=Failing())  # type: ignore[arg-type]  # it works as the port
    await say(adapters, account_id)

    async def has_failed() -> bool:
        trainer._wake.set()
        return not failures

    await until(has_failed)
    trainer._wake.set()
    await until_known(learned, account_id, 1)
    await trainer.end()


async def test_who_cannot_look_looks_again(
    adapters: Adapters, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, account_id: AccountId
) -> None:
    monkeypatch.setattr(knowing, "LOOK_EVERY_S", 0.01)
    failures = [TryAgainLater("the database is away")] * 2 + [IndexError("a bug")]

    class Failing:
        def __getattr__(self, name: str) -> object:
            if failures:
                raise failures.pop(0)
            return getattr(adapters.store.spam_tables, name)

    tables: SpamTables = Failing()  # type: ignore[assignment]  # it works as the port
    learned = Learned(tables, adapters.bus, tmp_path)
    trainer = trainer_of(adapters, learned)
    await say(adapters, account_id)
    await until_known(learned, account_id, 1)
    assert not failures
    await trainer.end()
    await learned.end()
