"""New messages into one mailbox, inside one transaction."""

from collections.abc import Sequence

from mailstack.model.errors import NotFound, QuotaExceeded
from mailstack.model.flags import SEEN, keywords_text
from mailstack.model.ids import MailboxId, MessageId, ModSeq, Uid
from mailstack.model.instant import Instant
from mailstack.model.message import Appended, MessageDigest
from mailstack.store.sqlite.listing import COLUMNS, PackedMessage, message_row
from mailstack.store.sqlite.schema_account import CREATED
from mailstack.store.sqlite.writer import Transaction

MAX_REFERENCES = 8

TAKE_IDS = """UPDATE counter SET mod_seq = mod_seq + 1, last_message_id = last_message_id + ?,
    used_bytes = used_bytes + ? WHERE is_closed = 0 RETURNING mod_seq, last_message_id, used_bytes"""
TAKE_UIDS = """UPDATE mailbox SET mod_seq = ?, uid_next = uid_next + ?, messages = messages + ?, unseen = unseen + ?,
    deleted = deleted + ?, size_bytes = size_bytes + ? WHERE mailbox_id = ? RETURNING uid_next"""
INSERT_BLOB = "INSERT INTO blob (blob_key, content, file) VALUES (?, ?, ?)"
INSERT_MESSAGE = f"INSERT INTO message ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
INSERT_PLACEMENT = """INSERT INTO placement (mailbox_id, uid, message_id, mod_seq, is_deleted, keywords)
    VALUES (?, ?, ?, ?, ?, ?)"""
LOG = "INSERT INTO change_log (mod_seq, mailbox_id, uid, message_id, kind, changed_at) VALUES (?, ?, ?, ?, ?, ?)"
THREAD_OF = """SELECT thread_id, COALESCE(base_subject, subject) FROM message
    WHERE header_id = ? AND header_id <> '' LIMIT 1"""


def append(
    transaction: Transaction,
    mailbox_id: MailboxId,
    packed: Sequence[PackedMessage],
    *,
    now: Instant,
    quota_bytes: int | None,
) -> list[Appended]:
    """Raises NotFound, QuotaExceeded."""
    if not packed:
        return []
    count = len(packed)
    size_bytes = sum(len(each.message.raw) for each in packed)
    numbers = transaction.row(TAKE_IDS, (count, size_bytes))
    if numbers is None:
        raise NotFound("the account is in the trash")
    mod_seq, last_id, used_bytes = numbers
    if quota_bytes is not None and used_bytes > quota_bytes:
        raise QuotaExceeded(f"{used_bytes} bytes would be used, {quota_bytes} may be")
    unseen = sum(1 for each in packed if SEEN not in each.message.keywords)
    deleted = sum(each.message.is_deleted for each in packed)
    taken = transaction.row(TAKE_UIDS, (mod_seq, count, count, unseen, deleted, size_bytes, mailbox_id))
    if taken is None:
        raise NotFound(f"there is no mailbox {mailbox_id}")
    appended = []
    for offset, each in enumerate(packed, start=1 - count):
        message_id, uid = last_id + offset, taken[0] - 1 + offset
        _insert(transaction, each, message_id)
        keywords = keywords_text(each.message.keywords)
        transaction.run(INSERT_PLACEMENT, (mailbox_id, uid, message_id, mod_seq, each.message.is_deleted, keywords))
        transaction.run(LOG, (mod_seq, mailbox_id, uid, message_id, CREATED, now))
        appended.append(Appended(message_id=MessageId(message_id), uid=Uid(uid), mod_seq=ModSeq(mod_seq)))
    return appended


def _insert(transaction: Transaction, packed: PackedMessage, message_id: int) -> None:
    transaction.run(INSERT_BLOB, (message_id, packed.blob.content, packed.blob.file))
    thread_id = _thread_of(transaction, packed.message.digest) or message_id
    transaction.run(INSERT_MESSAGE, message_row(packed, message_id=message_id, thread_id=thread_id))


def _thread_of(transaction: Transaction, digest: MessageDigest) -> int | None:
    """RFC 8621 §3: one thread where a header names the other message and the base subjects are the same."""
    for header_id in reversed(digest.references[-MAX_REFERENCES:]):
        found = transaction.row(THREAD_OF, (header_id,))
        if found is not None and found[1] == digest.base_subject:
            return int(found[0])
    return None
