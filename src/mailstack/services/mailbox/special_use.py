"""Which mailbox serves which purpose: at most one for each. RFC 6154."""

from collections.abc import Mapping, Sequence

from mailstack.model.errors import UseRefused
from mailstack.model.mailbox import MailboxRole
from mailstack.services.mailbox.places import Place

ATTRIBUTES: Mapping[MailboxRole, str] = {
    MailboxRole.ALL: "\\All",
    MailboxRole.ARCHIVE: "\\Archive",
    MailboxRole.DRAFTS: "\\Drafts",
    MailboxRole.FLAGGED: "\\Flagged",
    MailboxRole.JUNK: "\\Junk",
    MailboxRole.SENT: "\\Sent",
    MailboxRole.TRASH: "\\Trash",
}
"""RFC 6154 §2. The inbox needs no mark, it has its name."""

# \All and \Flagged would have to show messages of other mailboxes, and no mailbox here does.
_ASSIGNABLE = {
    text.casefold(): role for role, text in ATTRIBUTES.items() if role not in (MailboxRole.ALL, MailboxRole.FLAGGED)
}


def role_of(attributes: Sequence[str]) -> MailboxRole | None:
    """None for none. Raises UseRefused for several: a mailbox has one purpose here."""
    roles = {_ASSIGNABLE.get(attribute.casefold()) for attribute in attributes}
    if None in roles or len(roles) > 1:
        raise UseRefused("no mailbox here has this use")
    return roles.pop() if roles else None


async def assign(place: Place, role: MailboxRole | None) -> None:
    """The mailbox that had it loses it. Raises as check_assignable."""
    check_assignable(place)
    await place.mail.mailboxes.assign_role(place.mail.account_id, place.mailbox.mailbox_id, role)


def check_assignable(place: Place) -> None:
    """Raises UseRefused for another's mailbox, and for the inbox."""
    if not place.mail.is_own or place.mailbox.role is MailboxRole.INBOX:
        raise UseRefused("this mailbox keeps its use")
