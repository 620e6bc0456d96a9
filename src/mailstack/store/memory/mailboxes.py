"""The mailbox trees of accounts in memory, as far as delivery walks and grows them."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import count

from mailstack.model.errors import AlreadyExists, NotFound
from mailstack.model.ids import AccountId, MailboxId, ModSeq, Uid
from mailstack.model.mailbox import INBOX, STANDARD_MAILBOXES, Mailbox, MailboxRole, MailboxStatus
from mailstack.ports.bus import Bus, account_topic


class MemoryMailboxes:
    """Works as ports.mailboxes.DeliveryMailboxes, for any account."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._trees: dict[AccountId, dict[MailboxId, Mailbox]] = {}
        self._numbers = count(1)

    async def list(self, account_id: AccountId) -> Sequence[Mailbox]:
        return tuple(self._tree(account_id).values())

    async def find(self, account_id: AccountId, names: Sequence[str]) -> Mailbox | None:
        found: Mailbox | None = None
        for name in names:
            parent_id = found.mailbox_id if found else None
            found = self._child(account_id, parent_id, name)
            if found is None:
                return None
        return found

    async def create(
        self, account_id: AccountId, *, parent_id: MailboxId | None, name: str, role: MailboxRole | None = None
    ) -> Mailbox:
        tree = self._tree(account_id)
        if parent_id is not None and parent_id not in tree:
            raise NotFound("no such mailbox to create it below")
        is_inbox = parent_id is None and name.upper() == INBOX
        if is_inbox or self._child(account_id, parent_id, name):
            raise AlreadyExists(f"{name} exists")
        if role is not None and any(mailbox.role is role for mailbox in tree.values()):
            raise AlreadyExists(f"another mailbox has the role {role}")
        made = self._add(tree, name, role, parent_id=parent_id, is_subscribed=False)
        self._bus.publish(account_topic(account_id))
        return made

    async def subscribe(self, account_id: AccountId, mailbox_id: MailboxId, *, is_subscribed: bool) -> None:
        tree = self._tree(account_id)
        if mailbox_id not in tree:
            raise NotFound("no such mailbox")
        tree[mailbox_id] = replace(tree[mailbox_id], is_subscribed=is_subscribed)

    def _tree(self, account_id: AccountId) -> dict[MailboxId, Mailbox]:
        """An account's standard mailboxes exist from its first use."""
        tree = self._trees.get(account_id)
        if tree is None:
            tree = self._trees[account_id] = {}
            for name, role in STANDARD_MAILBOXES:
                self._add(tree, name, role, parent_id=None, is_subscribed=True)
        return tree

    def _child(self, account_id: AccountId, parent_id: MailboxId | None, name: str) -> Mailbox | None:
        for mailbox in self._tree(account_id).values():
            if mailbox.parent_id == parent_id and mailbox.name == name:
                return mailbox
        return None

    def _add(
        self,
        tree: dict[MailboxId, Mailbox],
        name: str,
        role: MailboxRole | None,
        *,
        parent_id: MailboxId | None,
        is_subscribed: bool,
    ) -> Mailbox:
        number = next(self._numbers)
        made = Mailbox(
            mailbox_id=MailboxId(len(tree) + 1),
            parent_id=parent_id,
            name=name,
            role=role,
            is_subscribed=is_subscribed,
            status=MailboxStatus(
                messages=0,
                unseen=0,
                deleted=0,
                size_bytes=0,
                uid_next=Uid(1),
                uid_validity=number,
                highest_mod_seq=ModSeq(number),
            ),
        )
        tree[made.mailbox_id] = made
        return made
