"""Annotations of mailboxes and of the account: RFC 5464's entries. Private ones are each viewer's own."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from mailstack.model.ids import AccountId, MailboxId


class Annotations(Protocol):
    """mailbox_id None: the account's own entries, which RFC 5464 calls the server's. NotFound: no such mailbox.

    viewer: whose private entries; shared ones are the same for all. Names are lower-case.
    """

    async def read(self, owner: AccountId, mailbox_id: MailboxId | None, *, viewer: AccountId) -> Mapping[str, bytes]:
        """All, by name."""
        ...

    async def read_all(self, owner: AccountId, *, viewer: AccountId) -> Mapping[MailboxId, Mapping[str, bytes]]:
        """Of all mailboxes that have any."""
        ...

    async def values(self, owner: AccountId, entry: str, *, viewer: AccountId) -> Mapping[MailboxId, bytes]:
        """Of one entry, by the mailboxes that have it."""
        ...

    async def change(
        self,
        owner: AccountId,
        mailbox_id: MailboxId | None,
        entries: Sequence[tuple[str, bytes | None]],
        *,
        viewer: AccountId,
        limit: int,
    ) -> None:
        """None: removed. All or none; TooMany when the mailbox would have more than `limit` shared entries, or as many
        private ones of this viewer, or the account more than model.annotation allows altogether.

        One row in the change log for the mailbox, when anything changed; none for the account's own.
        """
        ...
