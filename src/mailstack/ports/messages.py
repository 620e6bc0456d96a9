"""Messages of one account and their placements. Every write is one transaction, durable when the call returns,
with its rows in the change log under one new ModSeq."""

from collections.abc import Sequence
from typing import Any, Protocol

from mailstack.model.ids import AccountId, MailboxId, MessageId, Uid
from mailstack.model.message import (
    Appended,
    Column,
    Copied,
    FlagChange,
    FlagsChanged,
    NewMessage,
    Placement,
    PlacementTable,
    StoredMessage,
)
from mailstack.model.numset import NumSet


class Intake(Protocol):
    """What takes mail in, and shows what it took. NotFound: no such mailbox. TryAgainLater: disk full, database busy.

    QuotaExceeded from append when quota_bytes would be passed.
    """

    async def append(
        self,
        account_id: AccountId,
        mailbox_id: MailboxId,
        messages: Sequence[NewMessage],
        *,
        quota_bytes: int | None = None,
    ) -> Sequence[Appended]:
        """All or none."""
        ...

    async def placements(
        self, account_id: AccountId, mailbox_id: MailboxId, uids: NumSet | None = None
    ) -> Sequence[Placement]:
        """By ascending UID; None: all."""
        ...

    async def read(self, account_id: AccountId, message_id: MessageId) -> bytes:
        """The whole message. NotFound, or Damaged when the blob does not match."""
        ...

    async def used_bytes(self, account_id: AccountId) -> int:
        """The sum of the sizes of all messages, for quotas."""
        ...


class Messages(Intake, Protocol):
    """uids are resolved NumSets; numbers that are not there are passed over. Raises as Intake does."""

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
        """A new message into target in place of one of source, which goes as if expunged: both or neither. The quota is
        that of afterwards. Conflict when the old one is gone.
        """
        ...

    async def table(self, account_id: AccountId, mailbox_id: MailboxId, uids: NumSet | None = None) -> PlacementTable:
        """As placements, in columns."""
        ...

    async def stored(self, account_id: AccountId, message_ids: Sequence[MessageId]) -> Sequence[StoredMessage]:
        """In the order asked, without those that are gone."""
        ...

    async def columns(
        self, account_id: AccountId, mailbox_id: MailboxId, wanted: Sequence[Column], uids: NumSet | None = None
    ) -> Sequence[tuple[Any, ...]]:
        """For lists, sorting and threads: (uid, then one value for each of `wanted`), by ascending UID; None: all.

        A message whose forms are damaged has None where bytes would be.
        """
        ...

    async def read_range(self, account_id: AccountId, message_id: MessageId, start: int, stop: int) -> bytes:
        """Octets [start, stop) of it, fewer past its end. Piece after piece costs no more than the whole.

        Raises as read.
        """
        ...

    async def change_flags(
        self, account_id: AccountId, mailbox_id: MailboxId, uids: NumSet, change: FlagChange
    ) -> FlagsChanged: ...

    async def copy(
        self,
        account_id: AccountId,
        source: MailboxId,
        uids: NumSet,
        target: MailboxId,
        *,
        quota_bytes: int | None = None,
    ) -> Copied:
        """A message that already lies in the target gets a second message with the same blob."""
        ...

    async def move(self, account_id: AccountId, source: MailboxId, uids: NumSet, target: MailboxId) -> Copied: ...

    async def expunge(self, account_id: AccountId, mailbox_id: MailboxId, uids: NumSet | None = None) -> Sequence[Uid]:
        """Destroys placements with \\Deleted (of `uids` where given), and messages that then lie nowhere."""
        ...
