"""The mailbox tree of one account changed as JMAP changes it: several things of several mailboxes at once."""

from collections.abc import Mapping
from typing import Protocol

from mailstack.model.ids import AccountId, MailboxId, ModSeq
from mailstack.model.mailbox import Mailbox
from mailstack.model.mailbox_changes import Destroyed, MailboxChange, NewMailbox


class TreeChanges(Protocol):
    """Each is one transaction, all or nothing, under one ModSeq. viewer: whose private annotations come with it.

    if_mod_seq: Conflict unless it is the highest given out. NotFound: no such mailbox or parent; AlreadyExists: a name
    or a role that another has; Forbidden: the inbox keeps its name, its place and its role.
    """

    async def create(
        self, account_id: AccountId, new: NewMailbox, *, viewer: AccountId, if_mod_seq: ModSeq | None = None
    ) -> Mailbox: ...

    async def update(
        self,
        account_id: AccountId,
        changes: Mapping[MailboxId, MailboxChange],
        *,
        viewer: AccountId,
        if_mod_seq: ModSeq | None = None,
    ) -> ModSeq | None:
        """Names and roles may go round among them. Invalid: one would lie below itself. None: nothing was changed."""
        ...

    async def destroy(
        self,
        account_id: AccountId,
        mailbox_id: MailboxId,
        *,
        with_messages: bool,
        path: str = "",
        if_mod_seq: ModSeq | None = None,
    ) -> Destroyed:
        """path: what stays subscribed to where the mailbox was, "" for nothing."""
        ...
