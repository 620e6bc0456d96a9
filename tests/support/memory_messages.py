# ruff: noqa: ARG002 - the port names arguments that memory has no use for
"""Messages of accounts in memory, with what tests ask about them."""

from array import array
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from mailstack.model.errors import DomainError, NotFound
from mailstack.model.ids import AccountId, BlobId, MailboxId, MessageId, ThreadId, Uid
from mailstack.model.message import (
    Appended,
    Column,
    Copied,
    FlagChange,
    FlagsChanged,
    FlagSet,
    NewMessage,
    PlacementTable,
    StoredMessage,
)
from mailstack.model.numset import NumSet
from mailstack.store.memory import messages
from mailstack.store.memory.mailboxes import MemoryMailboxes
from tests.support.recording_bus import RecordingBus

INBOX_ID = MailboxId(1)


class MemoryMessages(messages.MemoryMessages):
    """mailboxes: where they lie. faults: by account, what the next appends raise."""

    def __init__(self) -> None:
        self.mailboxes = MemoryMailboxes(RecordingBus())
        super().__init__(self.mailboxes, RecordingBus())
        self.faults: dict[AccountId, DomainError] = {}

    def kept(self, account_id: AccountId) -> list[NewMessage]:
        return list(self._kept[account_id].values())

    def raws(self, account_id: AccountId) -> list[bytes]:
        return [bytes(message.raw) for message in self.kept(account_id)]

    async def append(
        self,
        account_id: AccountId,
        mailbox_id: MailboxId,
        messages: Sequence[NewMessage],
        *,
        quota_bytes: int | None = None,
    ) -> Sequence[Appended]:
        if account_id in self.faults:
            raise self.faults[account_id]
        return await super().append(account_id, mailbox_id, messages, quota_bytes=quota_bytes)


class ReadableMessages(MemoryMessages):
    """Works as ports.messages.Messages for those who read."""

    async def replace(
        self,
        account_id: AccountId,
        source: MailboxId,
        uid: Uid,
        target: MailboxId,
        message: NewMessage,
        *,
        quota_bytes: int | None = None,
    ) -> Appended:
        raise NotFound("messages in memory stay")

    async def table(self, account_id: AccountId, mailbox_id: MailboxId, uids: NumSet | None = None) -> PlacementTable:
        placed = await self.placements(account_id, mailbox_id, uids)
        sets = sorted({FlagSet(keywords_text=one.keywords_text, is_deleted=one.is_deleted) for one in placed})
        return PlacementTable(
            uids=array("I", [one.uid for one in placed]),
            message_ids=array("q", [one.message_id for one in placed]),
            mod_seqs=array("q", [one.mod_seq for one in placed]),
            flag_numbers=array("I", [sets.index(FlagSet(one.keywords_text, one.is_deleted)) for one in placed]),
            flag_sets=sets,
        )

    async def stored(self, account_id: AccountId, message_ids: Sequence[MessageId]) -> Sequence[StoredMessage]:
        kept = self._kept[account_id]
        return [_stored(message_id, kept[message_id]) for message_id in message_ids if message_id in kept]

    async def columns(
        self, account_id: AccountId, mailbox_id: MailboxId, wanted: Sequence[Column], uids: NumSet | None = None
    ) -> Sequence[tuple[Any, ...]]:
        kept = self._kept[account_id]
        placed = await self.placements(account_id, mailbox_id, uids)
        return [
            (one.uid, *(_value(_stored(one.message_id, kept[one.message_id]), column) for column in wanted))
            for one in placed
        ]

    async def read_range(self, account_id: AccountId, message_id: MessageId, start: int, stop: int) -> bytes:
        return (await self.read(account_id, message_id))[start:stop]

    async def change_flags(
        self, account_id: AccountId, mailbox_id: MailboxId, uids: NumSet, change: FlagChange
    ) -> FlagsChanged:
        raise NotFound("messages in memory keep their flags")

    async def copy(
        self,
        account_id: AccountId,
        source: MailboxId,
        uids: NumSet,
        target: MailboxId,
        *,
        quota_bytes: int | None = None,
    ) -> Copied:
        raise NotFound("messages in memory stay where they are")

    async def move(self, account_id: AccountId, source: MailboxId, uids: NumSet, target: MailboxId) -> Copied:
        raise NotFound("messages in memory stay where they are")

    async def expunge(self, account_id: AccountId, mailbox_id: MailboxId, uids: NumSet | None = None) -> Sequence[Uid]:
        raise NotFound("messages in memory stay")


def _value(stored: StoredMessage, column: Column) -> object:
    match column:
        case Column.SAVED_AT:
            return None
        case Column.HEADER_ID:
            return stored.digest.message_id
        case Column.EMAIL_ID:
            return stored.message_id
        case Column.MESSAGE_ID | Column.THREAD_ID | Column.SIZE_BYTES | Column.RECEIVED_AT:
            return getattr(stored, column.value)
        case _:
            return getattr(stored.digest, column.value)


def _stored(message_id: MessageId, message: NewMessage) -> StoredMessage:
    return StoredMessage(
        message_id=message_id,
        thread_id=ThreadId(message_id),
        blob_id=BlobId(sha256(bytes(message.raw)).hexdigest()),
        size_bytes=len(message.raw),
        received_at=message.received_at,
        digest=message.digest,
    )
