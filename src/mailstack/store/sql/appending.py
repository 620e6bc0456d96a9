"""New messages into one mailbox, inside one transaction."""

from collections.abc import Sequence

from mailstack.model.errors import NotFound, QuotaExceeded
from mailstack.model.flags import SEEN, SYSTEM_FLAGS, keywords_text
from mailstack.model.ids import MailboxId, MessageId, ModSeq, Uid
from mailstack.model.instant import Instant
from mailstack.model.message import Appended
from mailstack.store.sql.change_log import CREATED, LOG
from mailstack.store.sql.database import Transaction
from mailstack.store.sql.listing import MESSAGE_COLUMNS, PackedMessage, message_row
from mailstack.store.sql.threading import finding, join_thread, keys_of

TAKE_IDS = """UPDATE counter SET mod_seq = mod_seq + 1, last_message_id = last_message_id + ?,
    used_bytes = used_bytes + ? WHERE /*of*/ is_closed = 0 RETURNING mod_seq, last_message_id, used_bytes"""
# The ModSeq that was just taken, so that both can be asked at once.
TAKE_UIDS = """UPDATE mailbox SET mod_seq = (SELECT mod_seq FROM counter /*whole*/), uid_next = uid_next + ?,
    messages = messages + ?, unseen = unseen + ?, deleted = deleted + ?, size_bytes = size_bytes + ?
    WHERE /*of*/ mailbox_id = ? RETURNING uid_next"""
INSERT_BLOB = """INSERT INTO blob (/*key*/ blob_key, blob_id, forms, content, file)
    VALUES (/*value*/ ?, ?, ?, ?, ?)"""
INSERT_MESSAGE = f"""INSERT INTO message (/*key*/ {MESSAGE_COLUMNS})
    VALUES (/*value*/ ?, ?, ?, ?, ?, ?, ?)"""  # noqa: S608
INSERT_PLACEMENT = """INSERT INTO placement
    (/*key*/ mailbox_id, uid, message_id, mod_seq, is_deleted, keywords, saved_at)
    VALUES (/*value*/ ?, ?, ?, ?, ?, ?, ?)"""
INSERT_KEYWORD = """INSERT INTO mailbox_keyword (/*key*/ mailbox_id, keyword)
    VALUES (/*value*/ ?, ?) ON CONFLICT DO NOTHING"""


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
    unseen = sum(1 for each in packed if SEEN not in each.message.keywords)
    deleted = sum(each.message.is_deleted for each in packed)
    keys = [keys_of(each.message.digest) for each in packed]
    numbers, taken, *threads = transaction.ask(
        (TAKE_IDS, (count, size_bytes)),
        (TAKE_UIDS, (count, count, unseen, deleted, size_bytes, mailbox_id)),
        *finding(keys),
    )
    if not numbers:
        raise NotFound("the account is in the trash")
    mod_seq, last_id, used_bytes = numbers[0]
    if quota_bytes is not None and used_bytes > quota_bytes:
        raise QuotaExceeded(f"{used_bytes} bytes would be used, {quota_bytes} may be")
    if not taken:
        raise NotFound(f"there is no mailbox {mailbox_id}")
    known: dict[int, int] = dict(row for rows in threads for row in rows)
    appended = []
    for offset, (each, its_keys) in enumerate(zip(packed, keys, strict=True), start=1 - count):
        message_id, uid = last_id + offset, taken[0][0] - 1 + offset
        _insert(transaction, each, message_id, join_thread(transaction, its_keys, known, message_id))
        keywords = keywords_text(each.message.keywords)
        place = (mailbox_id, uid, message_id, mod_seq, each.message.is_deleted, keywords, now)
        transaction.run(INSERT_PLACEMENT, place)
        transaction.run(LOG, (mod_seq, mailbox_id, uid, message_id, CREATED, False, now))
        appended.append(Appended(message_id=MessageId(message_id), uid=Uid(uid), mod_seq=ModSeq(mod_seq)))
    note_keywords(transaction, mailbox_id, {word for each in packed for word in each.message.keywords})
    return appended


def note_keywords(transaction: Transaction, mailbox_id: MailboxId, keywords: set[str]) -> None:
    """They are in use there from now on."""
    for keyword in keywords.difference(SYSTEM_FLAGS):
        transaction.run(INSERT_KEYWORD, (mailbox_id, keyword))


def _insert(transaction: Transaction, packed: PackedMessage, message_id: int, thread_id: int) -> None:
    blob = packed.blob
    transaction.run(INSERT_BLOB, (message_id, bytes.fromhex(blob.blob_id), packed.forms, blob.content, blob.file))
    transaction.run(INSERT_MESSAGE, message_row(packed, message_id=message_id, thread_id=thread_id))
