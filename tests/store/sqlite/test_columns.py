"""Columns of messages whose kept forms are damaged."""

from mailstack.model.ids import AccountId
from mailstack.model.mailbox import MailboxRole
from mailstack.model.message import Column
from mailstack.store.sqlite.open import SqliteStore
from mailstack.store.sqlite.writer import Transaction
from tests.support.stores import mailbox_with, new_message

DAMAGE = "UPDATE message SET forms = ? WHERE message_id = ?"
FROM_FORMS = (Column.SIZE_BYTES, Column.BODY, Column.BODY_STRUCTURE, Column.HEADER_BLOCK, Column.PREVIEW)


async def test_damaged_forms_are_none_and_take_no_other_message_with_them(
    store: SqliteStore, account_id: AccountId
) -> None:
    inbox = await mailbox_with(store, account_id, MailboxRole.INBOX)
    messages = [new_message(number) for number in range(3)]
    appended = await store.messages.append(account_id, inbox, messages)

    def damage(transaction: Transaction) -> None:
        transaction.run(DAMAGE, (b"no frame", appended[1].message_id))

    await (await store.messages._databases.get(account_id)).write(damage)
    first, second, third = await store.messages.columns(account_id, inbox, FROM_FORMS)
    assert second == (2, len(messages[1].raw), None, None, None, None)
    digests = messages[0].digest, messages[2].digest
    assert [first[2:], third[2:]] == [
        (digest.body, digest.body_structure, digest.header_block, digest.preview) for digest in digests
    ]
