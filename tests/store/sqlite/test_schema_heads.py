"""A store of the first version opens, and every message is listed as it was."""

import struct
from hashlib import sha256
from pathlib import Path

from mailstack.model.flags import SEEN
from mailstack.model.ids import MailboxId, MessageId, ModSeq, Uid
from mailstack.model.message import Column, Placement
from mailstack.store.sqlite import schema_account
from mailstack.store.sqlite.compress import Codec
from mailstack.store.sqlite.connection import Connection
from mailstack.store.sqlite.databases import account_folder, open_migrated
from mailstack.store.sqlite.open import open_store
from tests.support.fake_clock import FakeClock
from tests.support.recording_bus import RecordingBus
from tests.support.stores import make_account, new_message

BEFORE = schema_account.MIGRATIONS[:3]
INBOX = MailboxId(1)
INSERT_MAILBOX = """INSERT INTO mailbox (mailbox_id, name, is_subscribed, uid_validity, uid_next, mod_seq, messages)
    VALUES (1, 'INBOX', 1, 1, 4, 1, 3)"""
INSERT_MESSAGE = "INSERT INTO message VALUES (?, 7, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
INSERT_BLOB = "INSERT INTO blob (blob_key, content, file) VALUES (?, ?, NULL)"
INSERT_PLACEMENT = "INSERT INTO placement VALUES (1, ?, ?, 1, 0, ?)"
MESSAGES = (
    new_message(1, message_id="one@x.example", subject="Re: A subject", keywords=frozenset({SEEN, "$Label"})),
    new_message(2, references=["one@x.example", "gone@x.example"], subject="a \N{SNOWMAN}"),
    new_message(3),
)
DAMAGED = MessageId(3)


def put(connection: Connection, codec: Codec, number: int) -> None:
    """As the first version wrote it."""
    message = MESSAGES[number - 1]
    digest = message.digest
    octets = (digest.body, digest.body_structure, digest.parts, digest.header_block)
    forms = struct.pack(">IIII", *map(len, octets)) + b"".join(octets) + digest.preview.encode()
    base_subject = None if digest.base_subject == digest.subject else digest.base_subject
    words = (digest.from_, digest.to, digest.cc, digest.message_id, " ".join(digest.references))
    packed = b"damaged" if number == DAMAGED else codec.compress(forms)
    numbers = (number, len(message.raw), message.received_at, digest.sent_at, number)
    kept = (sha256(message.raw).digest(), digest.envelope, packed)
    connection.run(INSERT_MESSAGE, (*numbers, digest.subject, base_subject, *words, *kept))
    connection.run(INSERT_BLOB, (number, codec.compress(bytes(message.raw))))
    connection.run(INSERT_PLACEMENT, (number, number, " ".join(sorted(message.keywords))))


async def test_an_older_store_keeps_its_mail(tmp_path: Path) -> None:
    store = await open_store(tmp_path, clock=FakeClock(), bus=RecordingBus())
    account_id = await make_account(store)
    file = account_folder(tmp_path, account_id) / "mail.db"
    old = open_migrated(file, BEFORE, page_size=schema_account.PAGE_SIZE)
    old.run(INSERT_MAILBOX)
    for number in range(1, 4):
        put(old, Codec(), number)
    old.close()

    stored = await store.messages.stored(account_id, [MessageId(1), MessageId(2)])
    assert [one.digest for one in stored] == [message.digest for message in MESSAGES[:2]]
    assert [await store.messages.read(account_id, MessageId(number)) for number in (1, 2, 3)] == [
        message.raw for message in MESSAGES
    ]
    columns = await store.messages.columns(account_id, INBOX, [Column.SAVED_AT, Column.BASE_SUBJECT, Column.ENVELOPE])
    assert columns == [
        *((uid, None, one.digest.base_subject, one.digest.envelope) for uid, one in enumerate(MESSAGES[:2], start=1)),
        (3, None, None, None),
    ]
    assert (await store.messages.placements(account_id, INBOX))[0] == Placement(
        Uid(1), MessageId(1), ModSeq(1), False, f"$Label {SEEN}"
    )
    assert await store.mailboxes.keywords(account_id, INBOX) == ["$Label"]
    assert file.with_name("mail.db.v3").exists()
    await store.close()
