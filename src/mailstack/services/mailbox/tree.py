"""The mailboxes of an account as a tree of paths, and what can be done to it. RFC 9051 §6.3.4-§6.3.9."""

from collections.abc import Iterator, Sequence

from mailstack.model.errors import AlreadyExists, Conflict, Forbidden, Invalid, NotFound, QuotaExceeded
from mailstack.model.ids import MailboxId
from mailstack.model.mailbox import DELIMITER, INBOX, Mailbox
from mailstack.model.numset import numset_of
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.paths import join_path, split_path

MAX_MAILBOXES = 5_000
"""For each account: LIST answers them all, and clients poll them all."""


class MailboxTree:
    """A view of one moment. Not changed by what is done to the mailboxes afterwards."""

    def __init__(self, mailboxes: Sequence[Mailbox]) -> None:
        by_id = {mailbox.mailbox_id: mailbox for mailbox in mailboxes}
        self._parents = {mailbox.parent_id for mailbox in mailboxes}
        self._by_path = {_path(mailbox, by_id): mailbox for mailbox in mailboxes}

    def __len__(self) -> int:
        return len(self._by_path)

    def __iter__(self) -> Iterator[tuple[str, Mailbox]]:
        """Paths and mailboxes, INBOX first, the rest by name, parents before children."""
        return iter(sorted(self._by_path.items(), key=lambda entry: (entry[0] != INBOX, entry[0].split(DELIMITER))))

    def find(self, path: str) -> Mailbox | None:
        try:
            return self._by_path.get(join_path(split_path(path)))
        except Invalid:
            return None

    def get(self, path: str) -> Mailbox:
        """Raises NotFound."""
        mailbox = self.find(path)
        if mailbox is None:
            raise NotFound("no such mailbox")
        return mailbox

    def has_children(self, mailbox_id: MailboxId) -> bool:
        return mailbox_id in self._parents


async def load_tree(mail: AccountMail) -> MailboxTree:
    return MailboxTree(await mail.mailboxes.list(mail.account_id))


async def create(mail: AccountMail, path: str) -> Mailbox:
    """With all parents that are missing. Raises AlreadyExists, Invalid, QuotaExceeded."""
    names = split_path(path)
    tree = await load_tree(mail)
    if tree.find(path) is not None:
        raise AlreadyExists("the mailbox exists")
    if len(tree) + len(names) > MAX_MAILBOXES:
        raise QuotaExceeded(f"an account has at most {MAX_MAILBOXES} mailboxes")
    parent = await _parents(mail, tree, names)
    return await mail.mailboxes.create(mail.account_id, parent_id=parent, name=names[-1])


async def delete(mail: AccountMail, path: str) -> Mailbox:
    """What was deleted, with its messages. Raises NotFound, Forbidden for INBOX, Conflict while it has children."""
    tree = await load_tree(mail)
    mailbox = tree.get(path)
    if mailbox.parent_id is None and mailbox.name == INBOX:
        raise Forbidden("INBOX stays")  # RFC 9051 §6.3.5
    if tree.has_children(mailbox.mailbox_id):
        raise Conflict("the mailbox has children")
    await mail.mailboxes.destroy(mail.account_id, mailbox.mailbox_id)
    return mailbox


async def rename(mail: AccountMail, path: str, new_path: str) -> None:
    """With all that is below it; INBOX gives its messages away and stays. RFC 9051 §6.3.6."""
    names = split_path(new_path)
    tree = await load_tree(mail)
    mailbox = tree.get(path)
    if tree.find(new_path) is not None:
        raise AlreadyExists("the new name is taken")
    if mailbox.parent_id is None and mailbox.name == INBOX:
        target = await create(mail, new_path)
        placements = await mail.messages.placements(mail.account_id, mailbox.mailbox_id)
        everything = numset_of(placement.uid for placement in placements)
        await mail.messages.move(mail.account_id, mailbox.mailbox_id, everything, target.mailbox_id)
        return
    old_names = split_path(path)
    if names[: len(old_names)] == old_names:
        raise Invalid("a mailbox cannot move into itself")
    parent = await _parents(mail, tree, names)
    await mail.mailboxes.rename(mail.account_id, mailbox.mailbox_id, parent_id=parent, name=names[-1])


async def subscribe(mail: AccountMail, path: str, *, is_subscribed: bool) -> None:
    """Raises NotFound: RFC 9051 §6.3.7 lets a server check that the mailbox exists."""
    mailbox = (await load_tree(mail)).get(path)
    await mail.mailboxes.subscribe(mail.account_id, mailbox.mailbox_id, is_subscribed=is_subscribed)


async def _parents(mail: AccountMail, tree: MailboxTree, names: tuple[str, ...]) -> MailboxId | None:
    """The last but one of names, made where it is missing. RFC 9051 §6.3.4: a server should create parents."""
    parent: MailboxId | None = None
    for depth in range(1, len(names)):
        existing = tree.find(join_path(names[:depth]))
        if existing is None:
            existing = await mail.mailboxes.create(mail.account_id, parent_id=parent, name=names[depth - 1])
        parent = existing.mailbox_id
    return parent


def _path(mailbox: Mailbox, by_id: dict[MailboxId, Mailbox]) -> str:
    names = [mailbox.name]
    while mailbox.parent_id is not None:
        mailbox = by_id[mailbox.parent_id]
        names.append(mailbox.name)
    return join_path(tuple(reversed(names)))
