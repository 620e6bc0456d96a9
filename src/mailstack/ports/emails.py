"""Messages of one account by their ids, wherever they lie: what JMAP asks of a store beside ports.messages."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from mailstack.model.changes import ChangedIds, LogPoint
from mailstack.model.email import EmailsUpdated, EmailUpdate, PlacedEmail
from mailstack.model.ids import AccountId, MailboxId, MessageId, ModSeq, ThreadId
from mailstack.model.message import NewMessage


class Emails(Protocol):
    """A message with \\Deleted in a mailbox is not seen there (RFC 8621 §4.1.1); one that is seen nowhere is not there.

    within: mailboxes outside of it are passed over, as if nothing lay there; None: there are none such. What they were
    before rights changed, nobody knows: then what has changed since cannot be told, which is Conflict.

    if_mod_seq: Conflict unless it is the highest given out. Every write is one transaction under one new ModSeq, and
    in the change log as ports.messages has it.
    """

    async def placed(
        self, account_id: AccountId, message_ids: Collection[MessageId], *, within: Collection[MailboxId] | None = None
    ) -> Mapping[MessageId, PlacedEmail]:
        """Without those that are seen nowhere."""
        ...

    async def create(
        self,
        account_id: AccountId,
        mailbox_ids: Collection[MailboxId],
        message: NewMessage,
        *,
        quota_bytes: int | None = None,
        if_mod_seq: ModSeq | None = None,
    ) -> PlacedEmail:
        """One message in all of them. Invalid for none of them, NotFound for one that is not there; QuotaExceeded,
        TryAgainLater."""
        ...

    async def update(
        self,
        account_id: AccountId,
        updates: Sequence[EmailUpdate],
        *,
        within: Collection[MailboxId] | None = None,
        if_mod_seq: ModSeq | None = None,
    ) -> EmailsUpdated:
        """Each message wholly or not at all; one update of each at most.

        Refused with NotFound: no such message; Invalid: into a mailbox that is not there, or out of all, or with more
        keywords than a message may have. Into a mailbox where it lies with \\Deleted: that flag goes.
        """
        ...

    async def destroy(
        self,
        account_id: AccountId,
        message_ids: Collection[MessageId],
        *,
        within: Collection[MailboxId] | None = None,
        if_mod_seq: ModSeq | None = None,
    ) -> Sequence[MessageId]:
        """Out of all mailboxes, also where they have \\Deleted; those that were seen anywhere, ascending."""
        ...

    async def of_threads(
        self, account_id: AccountId, thread_ids: Collection[ThreadId], *, within: Collection[MailboxId] | None = None
    ) -> Mapping[ThreadId, Sequence[MessageId]]:
        """The messages of each, as they were received; without those that have none."""
        ...

    async def changed(
        self, account_id: AccountId, since: LogPoint, *, within: Collection[MailboxId] | None = None, limit: int
    ) -> ChangedIds[MessageId]:
        """limit: ids at most, at least 1. Conflict when the log no longer reaches back that far, or has too much."""
        ...

    async def changed_threads(
        self, account_id: AccountId, since: LogPoint, *, within: Collection[MailboxId] | None = None, limit: int
    ) -> ChangedIds[ThreadId]:
        """A thread has changed when a message came to it or went. As changed."""
        ...

    async def changed_mailboxes(
        self,
        account_id: AccountId,
        since: LogPoint,
        *,
        within: Collection[MailboxId] | None = None,
        known: Collection[MailboxId] = (),
        limit: int,
    ) -> ChangedIds[MailboxId]:
        """As changed; nor can it be told within some where a mailbox came or went. known: those besides of which it is
        told what changes in themselves, and not in what lies there."""
        ...
