"""New messages made ready and written: compressed outside the transaction, for that takes longer than writing."""

from collections.abc import Callable, Sequence
from functools import partial

from mailstack.model.ids import AccountId
from mailstack.model.message import NewMessage
from mailstack.store.sql.blobs import INLINE_LIMIT_BYTES, Blobs, HeldBlobs
from mailstack.store.sql.compress import Codec
from mailstack.store.sql.database import Database, Result, Transaction
from mailstack.store.sql.listing import PackedMessage, pack_forms
from mailstack.store.sql.packing import discard, pack_each, write_packed

INLINE_WRITES = 20
"""More messages than this are too long for the loop."""


async def write_messages(
    database: Database,
    blobs: Blobs,
    account_id: AccountId,
    messages: Sequence[NewMessage],
    work: Callable[[Transaction, Sequence[PackedMessage]], Result],
) -> Result:
    held = blobs.of_account(account_id)
    return await write_packed(
        database,
        held,
        lambda: pack_each(held, messages, partial(_pack, held, blobs.codec)),
        work,
        is_large=sum(len(message.raw) for message in messages) > INLINE_LIMIT_BYTES,
        is_long=len(messages) > INLINE_WRITES,
    )


def tidy(transaction: Transaction, held: HeldBlobs, files: Sequence[str]) -> None:
    """files: which no row names any more."""
    if files:
        transaction.after_commit(partial(discard, held, files))


def _pack(held: HeldBlobs, codec: Codec, message: NewMessage) -> PackedMessage:
    return PackedMessage(message=message, blob=held.pack(message.raw), forms=pack_forms(message.digest, codec))
