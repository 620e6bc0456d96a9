"""The mailbox tree of one account. Names are leaves; paths and their rules are services.mailbox.tree's."""

from collections.abc import Sequence
from typing import Protocol

from mailstack.model.ids import AccountId, MailboxId
from mailstack.model.mailbox import Mailbox, MailboxRole, MailboxStatus


class DeliveryMailboxes(Protocol):
    """As delivery walks it. An account's standard mailboxes exist from its first use. NotFound for an id that is none,
    AlreadyExists for a leaf name (INBOX in any case) or a role that is taken."""

    async def list(self, account_id: AccountId) -> Sequence[Mailbox]: ...

    async def find(self, account_id: AccountId, names: Sequence[str]) -> Mailbox | None:
        """By its path, from the top down. Costs the depth, however many mailboxes there are."""
        ...

    async def create(
        self, account_id: AccountId, *, parent_id: MailboxId | None, name: str, role: MailboxRole | None = None
    ) -> Mailbox: ...

    async def subscribe(self, account_id: AccountId, mailbox_id: MailboxId, *, is_subscribed: bool) -> None: ...


class Mailboxes(DeliveryMailboxes, Protocol):
    """Raises as DeliveryMailboxes does."""

    async def has_children(self, account_id: AccountId, mailbox_id: MailboxId) -> bool: ...

    async def status(self, account_id: AccountId, mailbox_id: MailboxId) -> MailboxStatus: ...

    async def keywords(self, account_id: AccountId, mailbox_id: MailboxId) -> Sequence[str]:
        """All that messages there ever had, sorted; no system flags."""
        ...

    async def rename(
        self, account_id: AccountId, mailbox_id: MailboxId, *, parent_id: MailboxId | None, name: str
    ) -> None: ...

    async def absent_subscriptions(self, account_id: AccountId) -> frozenset[str]:
        """Paths that are subscribed to and have no mailbox."""
        ...

    async def subscribe_absent(self, account_id: AccountId, path: str, *, is_subscribed: bool) -> None:
        """There is an end to what is remembered; past it the call does nothing."""
        ...

    async def assign_role(self, account_id: AccountId, mailbox_id: MailboxId, role: MailboxRole | None) -> None:
        """The mailbox that had the role loses it. Forbidden for the inbox, and for its role."""
        ...

    async def destroy(self, account_id: AccountId, mailbox_id: MailboxId) -> None:
        """With its placements, and the messages that lie nowhere else. Conflict while it has children."""
        ...
