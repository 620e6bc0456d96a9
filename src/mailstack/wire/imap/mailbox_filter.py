"""filter-mailboxes: RFC 5465 §8, with the changes of RFC 7377 §4."""

from collections.abc import Collection

from mailstack.model.mailbox_filter import NAMING, MailboxFilter, Reach
from mailstack.wire.imap.faults import SyntaxProblem
from mailstack.wire.imap.tokens import Cursor


def mailbox_filter(cursor: Cursor, *, allowed: Collection[Reach]) -> MailboxFilter:
    try:
        reach = Reach(cursor.word())
    except ValueError:
        raise SyntaxProblem("no such choice of mailboxes") from None
    if reach not in allowed:
        raise SyntaxProblem("this choice of mailboxes is not for this command")
    if reach not in NAMING:
        return MailboxFilter(reach)
    cursor.space()
    return MailboxFilter(reach, _mailboxes(cursor))


def _mailboxes(cursor: Cursor) -> tuple[str, ...]:
    """one-or-more-mailbox = mailbox / many-mailboxes; many-mailboxes = "(" mailbox *(SP mailbox) ")" """
    if not cursor.skip(b"("):
        return (cursor.mailbox(),)
    names = [cursor.mailbox()]
    while cursor.skip(b" "):
        names.append(cursor.mailbox())
        cursor.check_items(len(names))
    cursor.require(b")")
    return tuple(dict.fromkeys(names))
