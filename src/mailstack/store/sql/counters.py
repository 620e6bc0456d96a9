"""The numbers that one account counts up, each in the transaction that uses it."""

from collections.abc import Sequence

from mailstack.model.errors import NotFound
from mailstack.model.ids import ModSeq
from mailstack.store.sql.database import Row, Transaction

NEXT_MOD_SEQ = "UPDATE counter SET mod_seq = mod_seq + 1 WHERE /*of*/ is_closed = 0 RETURNING mod_seq"
ADD_USED = "UPDATE counter SET used_bytes = used_bytes + ? /*whole*/"
MAILBOX_EXISTS = "SELECT uid_validity FROM mailbox WHERE /*of*/ mailbox_id = ?"
COUNT_MAILBOX = """UPDATE mailbox SET mod_seq = ?, messages = messages + ?, unseen = unseen + ?, deleted = deleted + ?,
    size_bytes = size_bytes + ? WHERE /*of*/ mailbox_id = ?"""


def next_mod_seq(transaction: Transaction) -> ModSeq:
    """Once for each request: all its changes share it. Raises NotFound."""
    return taken_mod_seq(transaction.rows(NEXT_MOD_SEQ))


def taken_mod_seq(answer: Sequence[Row]) -> ModSeq:
    """answer: to NEXT_MOD_SEQ, asked together with something else. Raises NotFound."""
    if not answer:
        raise NotFound("the account is in the trash")
    return ModSeq(answer[0][0])
