"""LIST. RFC 3501 §6.3.8, RFC 3348 (CHILDREN), RFC 6154 (SPECIAL-USE)."""

from collections.abc import Mapping

from mailstack.model.mailbox import DELIMITER, MailboxRole
from mailstack.servers.imap.session import Completed, Session, ok
from mailstack.services.mailbox.listing import Listed, list_mailboxes
from mailstack.services.mailbox.patterns import Pattern
from mailstack.services.mailbox.tree import load_tree
from mailstack.wire.imap.commands.list import List
from mailstack.wire.imap.responses import ListData

# RFC 6154 §2. The inbox needs no mark, it has its name.
_SPECIAL_USES: Mapping[MailboxRole, str] = {
    MailboxRole.ALL: "\\All",
    MailboxRole.ARCHIVE: "\\Archive",
    MailboxRole.DRAFTS: "\\Drafts",
    MailboxRole.FLAGGED: "\\Flagged",
    MailboxRole.JUNK: "\\Junk",
    MailboxRole.SENT: "\\Sent",
    MailboxRole.TRASH: "\\Trash",
}


async def run(session: Session, request: List) -> Completed:
    if not request.pattern:
        # RFC 3501 §6.3.8: an empty pattern asks for the delimiter and the root of the reference, which is empty here.
        session.connection.say(ListData(attributes=("\\Noselect",), delimiter=DELIMITER, name=""))
        return ok("LIST completed")
    for listed in list_mailboxes(await load_tree(session.mail), Pattern(request.reference, request.pattern)):
        session.connection.say(ListData(attributes=attributes(listed), delimiter=DELIMITER, name=listed.path))
    return ok("LIST completed")


def attributes(listed: Listed) -> tuple[str, ...]:
    children = "\\HasChildren" if listed.has_children else "\\HasNoChildren"  # RFC 3348 §3
    noselect = () if listed.is_selectable else ("\\Noselect",)
    special_use = _SPECIAL_USES.get(listed.role) if listed.role else None
    return (*noselect, children, *((special_use,) if special_use else ()))
