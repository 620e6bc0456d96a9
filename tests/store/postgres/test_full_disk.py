"""A database whose disk is really full: what cannot be stored is not half there, and all goes on afterwards.

The small disk is a tmpfs, which takes root to mount; the continuous check runs as root and never skips.
"""

from pathlib import Path

from mailstack.model.errors import TryAgainLater
from mailstack.model.ids import AccountId, MailboxId
from mailstack.store.postgres.open import PostgresStore
from tests.store.postgres.conftest import open_at
from tests.support.postgres import PostgresServer
from tests.support.small_disk import database_on_small_disk
from tests.support.stores import make_account, new_message

INBOX = MailboxId(1)


async def stored_until_full(store: PostgresStore, account_id: AccountId) -> int:
    for stored in range(2_000):
        try:
            await store.messages.append(account_id, INBOX, [new_message(stored, size_bytes=4000)])
        except TryAgainLater as fault:
            if "the disk that holds it is full" in fault.detail:
                return stored
            raise
    raise AssertionError("the disk never was full")


async def test_a_full_disk_is_told_and_survived(postgres: PostgresServer, tmp_path: Path) -> None:
    with database_on_small_disk(postgres) as disk:
        store = await open_at(disk.url, tmp_path)
        account_id = await make_account(store)
        await store.messages.append(account_id, INBOX, [new_message(0)])
        disk.fill()
        stored = 1 + await stored_until_full(store, account_id)
        assert len(await store.messages.placements(account_id, INBOX)) == stored
        disk.make_room()
        await store.messages.append(account_id, INBOX, [new_message(stored)])
        assert (await store.mailboxes.status(account_id, INBOX)).uid_next == stored + 2
        await store.close()
