"""Who may see whose mailboxes.

The lists in the owner's account are the truth. Who shares with whom is an index over all accounts, written before the
list is: after a crash it may name too much, and whoever then finds nothing behind it says so with `forget`.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from mailstack.model.ids import AccountId, MailboxId, ModSeq
from mailstack.model.rights import Grant, Rights, RightsOperation


class Sharing(Protocol):
    """NotFound: no such account or mailbox."""

    async def grants(self, owner: AccountId, mailbox_id: MailboxId) -> Sequence[Grant]:
        """By identifier."""
        ...

    async def all_grants(self, owner: AccountId) -> Mapping[MailboxId, Sequence[Grant]]:
        """Of the mailboxes that have any."""
        ...

    async def change(
        self,
        owner: AccountId,
        mailbox_id: MailboxId,
        grant: Grant,
        operation: RightsOperation = RightsOperation.SET,
    ) -> Rights:
        """What the identifier has afterwards; an entry without rights is none. An entry of another account, which had
        this login before, is replaced and never added to. TooMany: too many entries.

        One row in the change log for the mailbox, ACCESS, when anything changed.
        """
        ...

    async def inherit(self, owner: AccountId, *, parent: MailboxId, child: MailboxId) -> None:
        """The child, just made, gets the parent's list. One row in the change log, as change."""
        ...

    async def owners(self, account_id: AccountId) -> Sequence[AccountId]:
        """Who may have something for this account, or for anyone; never the account itself."""
        ...

    async def owners_of_many(self, account_ids: Collection[AccountId]) -> Mapping[AccountId, Sequence[AccountId]]:
        """As owners, for each, in one question."""
        ...

    async def forget(self, account_id: AccountId | None, owner: AccountId) -> None:
        """There is nothing of this owner's for the account (None: for anyone) after all. What was noted within the
        last hour is left: a list may be on its way."""
        ...

    async def note_all(self, owner: AccountId) -> int:
        """The index knows again of all lists of the owner; how many entries it lacked, as one does that was restored
        from an older copy."""
        ...

    async def subscriptions(self, account_id: AccountId) -> frozenset[tuple[AccountId, MailboxId]]:
        """Of others' mailboxes."""
        ...

    async def subscribe(
        self, account_id: AccountId, owner: AccountId, mailbox_id: MailboxId, *, is_subscribed: bool
    ) -> ModSeq | None:
        """To another's mailbox; one's own are ports.mailboxes'. One row in the change log of the owner, where it is
        looked for by the viewer's programs; None: nothing changed, or there is no such mailbox."""
        ...
