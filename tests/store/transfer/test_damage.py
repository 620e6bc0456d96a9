"""What the old store cannot read is named and stops nothing else; what cannot be copied leaves the copy unfinished."""

from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from mailstack.model.errors import Damaged
from mailstack.model.ids import MessageId
from mailstack.store.postgres.link import address_of
from mailstack.store.postgres.open import open_store as open_postgres_store
from mailstack.store.sql.blobs import Blobs
from mailstack.store.sqlite.open import open_store
from mailstack.store.transfer.copying import SYSTEM, copy_store
from tests.store.transfer.conftest import folder_to_folder, moved, to_postgres, unheard
from tests.support.fake_clock import FakeClock
from tests.support.filled_store import ALICE, BOB, rows_in
from tests.support.recording_bus import RecordingBus
from tests.support.stores import account_of, raw_message


async def account_file(path: Path, login: str) -> Path:
    store = await open_store(path, clock=FakeClock(), bus=RecordingBus(), read_only=True)
    account_id = (await account_of(store, login)).account_id
    await store.close()
    return path / "accounts" / account_id[:2] / account_id / "mail.db"


def change(file: Path, *statements: str) -> None:
    connection = apsw.Connection(str(file))
    for statement in statements:
        connection.execute(statement)
    connection.close()


async def test_damaged_messages_are_named_and_the_rest_is_copied(
    filled: Path, tmp_path: Path, empty_database: str, blobs: Callable[[], Blobs]
) -> None:
    bob = await account_file(filled, BOB)
    change(bob, "UPDATE blob SET content = x'00112233' WHERE content IS NOT NULL")
    for large in bob.parent.glob("blobs/*"):
        large.unlink()
    outcome = await to_postgres(filled, empty_database, blobs())
    assert outcome.is_finished
    assert [one.where for one in outcome.damage[BOB]] == ["message 1", "message 2"]
    assert outcome.damage.keys() == {BOB}
    store = await open_postgres_store(address_of(empty_database), blobs=blobs(), clock=FakeClock(), bus=RecordingBus())
    try:
        alice = (await account_of(store, ALICE)).account_id
        assert await store.messages.read(alice, MessageId(1)) == raw_message(0)
        for number in (1, 2):
            with pytest.raises(Damaged):
                await store.messages.read((await account_of(store, BOB)).account_id, MessageId(number))
    finally:
        await store.close()


async def test_a_queued_mail_that_is_damaged_is_named(filled: Path, tmp_path: Path) -> None:
    change(filled / "system.db", "UPDATE mail SET content = x'00' WHERE content IS NOT NULL")
    async with folder_to_folder(filled, tmp_path / "new") as (source, target):
        outcome = await copy_store(source, target, progress=unheard)
    assert [one.where for one in outcome.damage[SYSTEM]] == ["queued mail 1", "queued mail 2"]
    assert outcome.is_finished


async def test_damage_that_an_earlier_run_found_is_told_again(filled: Path, tmp_path: Path) -> None:
    bob, alice = await account_file(filled, BOB), await account_file(filled, ALICE)
    change(bob, "UPDATE blob SET content = x'00' WHERE content IS NOT NULL")
    parents = rows_in(filled)[f"{alice.parent.name}/mailbox"]
    change(alice, "PRAGMA foreign_keys = OFF", "UPDATE mailbox SET parent_id = 999 WHERE name = 'Old'")
    async with folder_to_folder(filled, tmp_path / "new") as (source, target):
        first = await copy_store(source, target, progress=unheard)
    assert ([*first.failures], first.is_finished, [*first.damage]) == ([ALICE], False, [BOB])
    (parent_id,) = {row[1] for row in parents if row[2] == "Old"}
    change(alice, f"UPDATE mailbox SET parent_id = {parent_id} WHERE name = 'Old'")  # noqa: S608 - a number
    async with folder_to_folder(filled, tmp_path / "new") as (source, target):
        second = await copy_store(source, target, progress=unheard)
    assert (second.failures, second.is_finished, second.kept, [*second.damage]) == ({}, True, 2, [BOB])
    assert moved(rows_in(tmp_path / "new")) == moved(rows_in(filled))
