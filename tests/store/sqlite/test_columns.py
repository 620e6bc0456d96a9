"""Columns of messages whose kept forms are damaged."""

from collections.abc import Sequence

import pytest

from mailstack.model.ids import AccountId
from mailstack.model.mailbox import MailboxRole
from mailstack.model.message import Column
from mailstack.store.sqlite.compress import Codec
from mailstack.store.sqlite.open import SqliteStore
from mailstack.store.sqlite.writer import Transaction
from tests.support.stores import mailbox_with, new_message, uids

DAMAGE_FORMS = "UPDATE blob SET forms = ? WHERE blob_key = ?"
ENVELOPES = (Column.SIZE_BYTES, Column.HEADER_BLOCK, Column.ENVELOPE)
OTHERS = (Column.SIZE_BYTES, Column.BODY, Column.BODY_STRUCTURE, Column.PREVIEW, Column.REFERENCES, Column.SUBJECT)


@pytest.mark.parametrize("garbage", [b"no frame", b"", Codec().compress_quick(b"x"), Codec().compress(b"no NUL")])
@pytest.mark.parametrize("wanted", [ENVELOPES, OTHERS])
async def test_what_is_damaged_is_none_and_takes_no_other_message_with_it(
    store: SqliteStore, account_id: AccountId, garbage: bytes, wanted: Sequence[Column]
) -> None:
    inbox = await mailbox_with(store, account_id, MailboxRole.INBOX)
    messages = [new_message(number) for number in range(3)]
    appended = await store.messages.append(account_id, inbox, messages)
    before = await store.messages.columns(account_id, inbox, wanted)

    def work(transaction: Transaction) -> None:
        transaction.run(DAMAGE_FORMS, (garbage, appended[1].message_id))

    await (await store.messages._databases.get(account_id)).write(work)
    after = await store.messages.columns(account_id, inbox, wanted)
    assert (after[0], after[2]) == (before[0], before[2])
    assert after[1][:2] == (2, len(messages[1].raw))
    assert after[1][-1] is None
    one_by_one = [(await store.messages.columns(account_id, inbox, [column], uids(2)))[0][1] for column in wanted[1:]]
    assert one_by_one[-1] is None
