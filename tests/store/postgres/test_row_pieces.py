"""A large message without a bucket, read piece by piece: its row is fetched once, not for each piece."""

from pathlib import Path

from mailstack.model.ids import MessageId
from mailstack.model.mailbox import MailboxRole
from mailstack.store.postgres.link import address_of
from mailstack.store.postgres.open import open_store
from mailstack.store.sql.blobs import Blob
from mailstack.store.sql.row_blobs import RowBlobs
from tests.support.fake_clock import FakeClock
from tests.support.recording_bus import RecordingBus
from tests.support.stores import mailbox_with, make_account, new_message, raw_message

PIECE_BYTES = 10_000
SIZE_BYTES = 300_000


class CountingBlobs(RowBlobs):
    """fetched: bytes of rows that it was given to read a piece of."""

    fetched = 0

    def of_account(self, account_id: object) -> "CountingBlobs":  # noqa: ARG002 - as of RowBlobs
        return self

    def read_range(self, blob: Blob, start: int, stop: int, *, what: str) -> bytes:
        self.fetched += len(blob.content or b"")
        return super().read_range(blob, start, stop, what=what)


async def test_a_large_row_is_fetched_once_for_all_its_pieces(empty_database: str, tmp_path: Path) -> None:
    blobs = CountingBlobs(tmp_path)
    store = await open_store(address_of(empty_database), blobs=blobs, clock=FakeClock(), bus=RecordingBus())
    try:
        account_id = await make_account(store)
        inbox = await mailbox_with(store, account_id, MailboxRole.INBOX)
        await store.messages.append(account_id, inbox, [new_message(0, size_bytes=SIZE_BYTES)])
        raw = raw_message(0, size_bytes=SIZE_BYTES)
        pieces = [
            await store.messages.read_range(account_id, MessageId(1), at, at + PIECE_BYTES)
            for at in range(0, len(raw), PIECE_BYTES)
        ]
        assert b"".join(pieces) == raw
        assert 0 < blobs.fetched < SIZE_BYTES + PIECE_BYTES
    finally:
        await store.close()
