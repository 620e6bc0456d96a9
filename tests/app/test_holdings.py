"""How much accounts hold, asked of a real store."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mailstack.app.holdings import holders_in
from mailstack.app.silence import Silence
from mailstack.app.store_address import StoreAddress
from mailstack.model.instant import Instant
from mailstack.model.mailbox import MailboxRole
from mailstack.model.upkeep import UNKNOWN_BYTES
from mailstack.store.sqlite.databases import account_folder
from mailstack.store.sqlite.open import SqliteStore, open_store
from tests.support.stores import mailbox_with, make_account, new_message

ALICE, BOB, CAROL = "alice@example.com", "bob@example.com", "carol@example.com"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    opened = await open_store(tmp_path, clock=lambda: Instant(1_790_000_000_000), bus=Silence())
    yield opened
    await opened.close()


async def test_accounts_with_a_message_hold_mail_and_asking_makes_no_file(store: SqliteStore, tmp_path: Path) -> None:
    alice, bob = await make_account(store, ALICE), await make_account(store, BOB)
    await store.messages.append(alice, await mailbox_with(store, alice, MailboxRole.INBOX), [new_message()])
    held = await holders_in(StoreAddress(folder=tmp_path))([ALICE, BOB, CAROL])
    assert held.keys() == {ALICE}
    assert held[ALICE] > UNKNOWN_BYTES
    assert not account_folder(tmp_path, bob).exists()


async def test_mailboxes_alone_are_no_mail(store: SqliteStore, tmp_path: Path) -> None:
    await store.mailboxes.list(await make_account(store, ALICE))
    assert await holders_in(StoreAddress(folder=tmp_path))([ALICE]) == {}


async def test_a_damaged_account_counts_as_holding_mail(store: SqliteStore, tmp_path: Path) -> None:
    folder = account_folder(tmp_path, await make_account(store, ALICE))
    folder.mkdir(parents=True)
    (folder / "mail.db").write_bytes(b"no database at all" * 100)
    assert await holders_in(StoreAddress(folder=tmp_path))([ALICE]) == {ALICE: UNKNOWN_BYTES}
