"""All messages of an account, and all threads, where they are few enough to be told at once. RFC 8620 §5.1."""

from collections.abc import Sequence

from mailstack.model.errors import TooMany
from mailstack.model.ids import MessageId, ThreadId
from mailstack.model.query import Everything
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.emails import placed, readable
from mailstack.services.mailbox.emails_found import EmailQuery, find_emails
from mailstack.services.mailbox.settled import settled


async def all_emails(mail: AccountMail, *, most: int) -> Sequence[MessageId]:
    """Raises TooMany, Conflict."""
    within = await readable(mail)
    for mailbox in await mail.mailboxes.list(mail.account_id):
        # Before many are looked at for nothing: the others can only add to it.
        is_readable = within is None or mailbox.mailbox_id in within
        _check(mailbox.status.messages - mailbox.status.deleted if is_readable else 0, most)
    found, _ = await settled(mail, lambda _: find_emails(mail, EmailQuery(filter=Everything())))
    _check(len(found), most)
    return found


async def all_threads(mail: AccountMail, *, most: int) -> Sequence[ThreadId]:
    """Raises TooMany, Conflict."""
    asked = EmailQuery(filter=Everything(), is_collapsed=True)
    found, _ = await settled(mail, lambda _: find_emails(mail, asked))
    _check(len(found), most)
    return [email.thread_id for email in (await placed(mail, found)).values()]


def _check(count: int, most: int) -> None:
    if count > most:
        raise TooMany(f"there are more than {most}")
