# ruff: noqa: ARG002 - the port names arguments that memory has no use for
"""Mailboxes and messages of accounts in memory, for use cases that put mail in and look at what is there."""

from array import array
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

from mailstack.model.errors import DomainError, NotFound, QuotaExceeded
from mailstack.model.ids import AccountId, BlobId, MailboxId, MessageId, ModSeq, ThreadId, Uid
from mailstack.model.mailbox import STANDARD_MAILBOXES, Mailbox, MailboxRole, MailboxStatus
from mailstack.model.message import (
    Appended,
    Column,
    Copied,
    FlagChange,
    FlagsChanged,
    FlagSet,
    NewMessage,
    Placement,
    PlacementTable,
    StoredMessage,
)
from mailstack.model.numset import NumSet

INBOX_ID = MailboxId(1)


class MemoryMailboxes:
    """Works as ports.mailboxes.Mailboxes: the standard mailboxes, the same for every account, and no others."""

    def __init__(self, messages: "MemoryMessages") -> None:
        self._messages = messages

    async def list(self, account_id: AccountId) -> Sequence[Mailbox]:
        return [self._mailbox(account_id, MailboxId(at), name, role) for at, (name, role) in _STANDARD]

    async def find(self, account_id: AccountId, names: Sequence[str]) -> Mailbox | None:
        return next((one for one in await self.list(account_id) if (one.name,) == tuple(names)), None)

    async def has_children(self, account_id: AccountId, mailbox_id: MailboxId) -> bool:
        return False

    async def status(self, account_id: AccountId, mailbox_id: MailboxId) -> MailboxStatus:
        placed = await self._messages.placements(account_id, mailbox_id)
        return MailboxStatus(
            messages=len(placed),
            unseen=sum("\\Seen" not in place.keywords for place in placed),
            deleted=sum(place.is_deleted for place in placed),
            size_bytes=await self._messages.used_bytes(account_id),
            uid_next=Uid(len(placed) + 1),
            uid_validity=1,
            highest_mod_seq=ModSeq(len(placed) + 1),
        )

    async def keywords(self, account_id: AccountId, mailbox_id: MailboxId) -> Sequence[str]:
        placed = await self._messages.placements(account_id, mailbox_id)
        return sorted({keyword for place in placed for keyword in place.keywords if not keyword.startswith("\\")})

    async def create(
        self, account_id: AccountId, *, parent_id: MailboxId | None, name: str, role: MailboxRole | None = None
    ) -> Mailbox:
        raise NotFound("mailboxes in memory are fixed")

    async def rename(
        self, account_id: AccountId, mailbox_id: MailboxId, *, parent_id: MailboxId | None, name: str
    ) -> None:
        raise NotFound("mailboxes in memory are fixed")

    async def subscribe(self, account_id: AccountId, mailbox_id: MailboxId, *, is_subscribed: bool) -> None:
        raise NotFound("mailboxes in memory are fixed")

    async def absent_subscriptions(self, account_id: AccountId) -> frozenset[str]:
        return frozenset()

    async def subscribe_absent(self, account_id: AccountId, path: str, *, is_subscribed: bool) -> None:
        raise NotFound("mailboxes in memory are fixed")

    async def assign_role(self, account_id: AccountId, mailbox_id: MailboxId, role: MailboxRole | None) -> None:
        raise NotFound("mailboxes in memory are fixed")

    async def destroy(self, account_id: AccountId, mailbox_id: MailboxId) -> None:
        raise NotFound("mailboxes in memory are fixed")

    def _mailbox(self, account_id: AccountId, mailbox_id: MailboxId, name: str, role: MailboxRole) -> Mailbox:
        return Mailbox(
            mailbox_id=mailbox_id,
            parent_id=None,
            name=name,
            role=role,
            is_subscribed=True,
            uid_validity=1,
            uid_next=Uid(1),
            highest_mod_seq=ModSeq(1),
        )


class MemoryMessages:
    """Works as ports.messages.Messages. faults: by account, what the next appends raise."""

    def __init__(self) -> None:
        self.kept: dict[tuple[AccountId, MailboxId], dict[Uid, NewMessage]] = {}
        self.faults: dict[AccountId, DomainError] = {}

    def raws(self, account_id: AccountId) -> list[bytes]:
        """What lies in the INBOX."""
        return [bytes(message.raw) for message in self.kept.get((account_id, INBOX_ID), {}).values()]

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
        size = sum(len(message.raw) for message in messages)
        if quota_bytes is not None and await self.used_bytes(account_id) + size > quota_bytes:
            raise QuotaExceeded("full")
        place = self.kept.setdefault((account_id, mailbox_id), {})
        found = []
        for message in messages:
            uid = Uid(max(place, default=0) + 1)
            # What was given may be a file that is closed as soon as this returns.
            place[uid] = replace(message, raw=bytes(message.raw))
            found.append(Appended(message_id=MessageId(uid), uid=uid, mod_seq=ModSeq(uid)))
        return found

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

    async def placements(
        self, account_id: AccountId, mailbox_id: MailboxId, uids: NumSet | None = None
    ) -> Sequence[Placement]:
        place = self.kept.get((account_id, mailbox_id), {})
        return [
            Placement(uid, MessageId(uid), ModSeq(uid), message.is_deleted, " ".join(sorted(message.keywords)))
            for uid, message in sorted(place.items())
            if uids is None or uid in uids
        ]

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
        place = self.kept.get((account_id, INBOX_ID), {})
        return [_stored(message_id, place[Uid(message_id)]) for message_id in message_ids if Uid(message_id) in place]

    async def columns(
        self, account_id: AccountId, mailbox_id: MailboxId, wanted: Sequence[Column], uids: NumSet | None = None
    ) -> Sequence[tuple[Any, ...]]:
        place = self.kept.get((account_id, mailbox_id), {})
        placed = await self.placements(account_id, mailbox_id, uids)
        return [
            (one.uid, *(_value(_stored(one.message_id, place[one.uid]), column) for column in wanted)) for one in placed
        ]

    async def read(self, account_id: AccountId, message_id: MessageId) -> bytes:
        message = self.kept.get((account_id, INBOX_ID), {}).get(Uid(message_id))
        if message is None:
            raise NotFound("no such message")
        return bytes(message.raw)

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

    async def used_bytes(self, account_id: AccountId) -> int:
        return sum(
            len(message.raw)
            for (owner, _), place in self.kept.items()
            if owner == account_id
            for message in place.values()
        )


_STANDARD = tuple(enumerate(STANDARD_MAILBOXES, start=int(INBOX_ID)))


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
