"""What a client that has given NOTIFY watches: groups of events, and its mailboxes as it was last told of them.

RFC 5465 §6. How it is told: servers.imap.watch_news.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from mailstack.model.events import EventName
from mailstack.model.ids import MailboxId, ModSeq
from mailstack.model.mailbox import DELIMITER
from mailstack.model.mailbox_filter import MailboxFilter, Reach
from mailstack.model.rights import Right
from mailstack.services.mailbox.access import all_rights_on
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.paths import above_all, split_path
from mailstack.services.mailbox.places import shown_path
from mailstack.services.mailbox.tree import load_tree
from mailstack.wire.imap.commands.notify import EventGroup

Entries = Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Known:
    """A mailbox as the client was last told of it. path: as the client names it."""

    path: str
    is_subscribed: bool
    has_children: bool


@dataclass(slots=True)
class WatchedAccount:
    """mod_seq: up to where the client is informed. entries, server_entries: annotations; empty where nobody asks."""

    mail: AccountMail
    mod_seq: ModSeq
    known: dict[MailboxId, Known]
    entries: Mapping[MailboxId, Entries]
    server_entries: Entries


@dataclass(frozen=True, slots=True)
class Watch:
    groups: tuple[EventGroup, ...]
    accounts: tuple[WatchedAccount, ...]

    @property
    def of_selected(self) -> EventGroup | None:
        """None, or one without events: RFC 5465 §3.1: nothing is told of the selected mailbox unasked."""
        return next((group for group in self.groups if group.is_of_selected and group.events), None)

    def wants(self, event: EventName) -> bool:
        return any(event in group.events for group in self.groups)

    def events_of(self, known: Known, *, is_own: bool) -> frozenset[EventName]:
        """RFC 5465 §6: several groups may be about one mailbox."""
        groups = (group for group in self.groups if _covers(group.mailboxes, known, is_own=is_own))
        return frozenset().union(*(group.events for group in groups))


NOTHING = Watch((), ())
"""NOTIFY NONE."""


async def begin_watch(mails: Sequence[AccountMail], groups: tuple[EventGroup, ...]) -> Watch:
    watch = Watch(groups, ())
    accounts = []
    for mail in mails:
        account = WatchedAccount(
            mail=mail,
            mod_seq=await mail.changes.mod_seq(mail.account_id),  # before the tree: what comes between is told twice
            known=await known_mailboxes(mail),
            entries=await mailbox_entries(watch, mail),
            server_entries=await server_entries(watch, mail),
        )
        accounts.append(account)
    return replace(watch, accounts=tuple(accounts))


async def mailbox_entries(watch: Watch, mail: AccountMail) -> Mapping[MailboxId, Entries]:
    if not watch.wants(EventName.MAILBOX_METADATA_CHANGE):
        return {}
    return await mail.annotations.read_all(mail.account_id, viewer=mail.viewer.account_id)


async def server_entries(watch: Watch, mail: AccountMail) -> Entries:
    """RFC 5464 §3: of the server: the client's own account's."""
    if not mail.is_own or not watch.wants(EventName.SERVER_METADATA_CHANGE):
        return {}
    return await mail.annotations.read(mail.account_id, None, viewer=mail.viewer.account_id)


async def known_mailboxes(mail: AccountMail) -> dict[MailboxId, Known]:
    """RFC 5465 §5: of others' mailboxes only those that the client may look up and read.

    As it knows them: with its own subscriptions, and those children that it may know of.
    """
    rights = await all_rights_on(mail)
    visible = [(path, mailbox) for path, mailbox in await load_tree(mail) if Right.LOOKUP in rights(mailbox.mailbox_id)]
    parents = above_all(path for path, _ in visible)
    others = await mail.sharing.subscriptions(mail.viewer.account_id) if not mail.is_own else frozenset()
    return {
        mailbox.mailbox_id: Known(
            path=shown_path(mail, split_path(path)),
            is_subscribed=mailbox.is_subscribed if mail.is_own else (mail.account_id, mailbox.mailbox_id) in others,
            has_children=path in parents,
        )
        for path, mailbox in visible
        if Right.READ in rights(mailbox.mailbox_id)
    }


def _covers(choice: MailboxFilter, known: Known, *, is_own: bool) -> bool:
    match choice.reach:
        case Reach.PERSONAL | Reach.INBOXES:
            # RFC 5465 §6.3: filters may deliver anywhere, so any mailbox is an inbox.
            return is_own
        case Reach.SUBSCRIBED:
            return is_own and known.is_subscribed
        case Reach.MAILBOXES:
            return known.path in choice.paths
        case Reach.SUBTREE:
            return any(known.path == path or known.path.startswith(path + DELIMITER) for path in choice.paths)
        case _:
            return False
