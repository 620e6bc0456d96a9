"""A Mailbox as JSON. RFC 8621 §2."""

from collections.abc import Mapping
from typing import Any

from mailstack.model.ids import AccountId
from mailstack.model.mailbox import INBOX, Mailbox, MailboxRole
from mailstack.model.objectid import mailbox_object_id
from mailstack.model.rights import READING_RIGHTS, Right, Rights
from mailstack.services.mailbox.counts import MailboxCounts
from mailstack.services.mailbox.mailboxes_seen import SeenMailbox

COUNTS = ("totalEmails", "unreadEmails", "totalThreads", "unreadThreads")
PROPERTIES = ("id", "name", "parentId", "role", "sortOrder", *COUNTS, "myRights", "isSubscribed")
SHOWN_INBOX = "Inbox"

_ORDER = {
    role: place
    for place, role in enumerate(
        (
            MailboxRole.INBOX,
            MailboxRole.DRAFTS,
            MailboxRole.SENT,
            MailboxRole.ARCHIVE,
            MailboxRole.JUNK,
            MailboxRole.TRASH,
        ),
        start=1,
    )
}
_BEHIND_ROLES = 10
# RFC 8621 §2: each corresponds to rights of RFC 4314, and takes all that are named there.
_RIGHTS: Mapping[str, Rights] = {
    "mayReadItems": READING_RIGHTS,
    "mayAddItems": frozenset({Right.INSERT}),
    "mayRemoveItems": frozenset({Right.DELETE_MESSAGES, Right.EXPUNGE}),
    "maySetSeen": frozenset({Right.SEEN}),
    "maySetKeywords": frozenset({Right.WRITE}),
    "mayCreateChild": frozenset({Right.CREATE}),
    "mayRename": frozenset({Right.DELETE_MAILBOX}),
    "mayDelete": frozenset({Right.DELETE_MAILBOX}),
    "maySubmit": frozenset({Right.POST}),
}
_NOT_FOR_INBOX = frozenset({"mayRename", "mayDelete"})


def mailbox_object(account_id: AccountId, seen: SeenMailbox, counts: MailboxCounts) -> dict[str, Any]:
    """With all PROPERTIES."""
    mailbox, parent_id = seen.mailbox, seen.mailbox.parent_id
    return {
        "id": mailbox_object_id(account_id, mailbox.mailbox_id),
        "name": shown_name(mailbox),
        "parentId": None if parent_id is None else mailbox_object_id(account_id, parent_id),
        "role": shown_role(seen),
        "sortOrder": sort_order(seen),
        **dict(zip(COUNTS, (counts.emails, counts.unread_emails, counts.threads, counts.unread_threads), strict=True)),
        "myRights": {
            name: needed <= seen.rights and not (mailbox.role is MailboxRole.INBOX and name in _NOT_FOR_INBOX)
            for name, needed in _RIGHTS.items()
        },
        "isSubscribed": seen.is_subscribed,
    }


def shown_name(mailbox: Mailbox) -> str:
    is_inbox = mailbox.parent_id is None and mailbox.name == INBOX
    return SHOWN_INBOX if is_inbox else mailbox.name


def shown_role(seen: SeenMailbox) -> str | None:
    """None where the viewer may not look the mailbox up."""
    role = seen.mailbox.role
    return None if role is None or not seen.rights else role.value


def sort_order(seen: SeenMailbox) -> int:
    """Where the viewer gave none, mailboxes with a role come first, in the order that mail programs have them in."""
    if seen.sort_order is not None:
        return seen.sort_order
    role = seen.mailbox.role
    return _BEHIND_ROLES if role is None or not seen.rights else _ORDER.get(role, _BEHIND_ROLES)
