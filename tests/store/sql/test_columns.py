"""Columns of messages whose kept forms are damaged."""

from collections.abc import Sequence
from pathlib import Path

import apsw
import pytest

from mailstack.model.ids import AccountId
from mailstack.model.mailbox import MailboxRole
from mailstack.model.message import Column
from mailstack.store.sql.columns import FORMS
from mailstack.store.sql.compress import Codec
from mailstack.store.sql.database import Transaction
from mailstack.store.sqlite.databases import account_folder
from mailstack.store.sqlite.open import SqliteStore
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

    await (await store._files.accounts.get(account_id)).write(work)
    after = await store.messages.columns(account_id, inbox, wanted)
    assert (after[0], after[2]) == (before[0], before[2])
    assert after[1][:2] == (2, len(messages[1].raw))
    assert after[1][-1] is None
    one_by_one = [(await store.messages.columns(account_id, inbox, [column], uids(2)))[0][1] for column in wanted[1:]]
    assert one_by_one[-1] is None


async def test_what_is_expunged_meanwhile_is_not_damaged(store: SqliteStore, account_id: AccountId, path: Path) -> None:
    inbox = await mailbox_with(store, account_id, MailboxRole.INBOX)
    await store.messages.append(account_id, inbox, [new_message(number) for number in range(3)])
    other = apsw.Connection(str(account_folder(path, account_id) / "mail.db"))

    def expunge_before_forms(_cursor: object, sql: str, _bindings: object) -> bool:
        if sql == FORMS:
            other.execute("DELETE FROM placement WHERE uid = 2; DELETE FROM message WHERE message_id = 2")
        return True

    reader = (await store._files.accounts.get(account_id)).reader()
    reader._apsw.exec_trace = expunge_before_forms
    rows = await store.messages.columns(account_id, inbox, (Column.SUBJECT,))
    reader._apsw.exec_trace = None
    other.close()
    assert all(subject is not None for _, subject in rows)
    assert [uid for uid, _ in await store.messages.columns(account_id, inbox, (Column.SUBJECT,))] == [1, 3]
