"""APPEND: the message was spooled while it came. RFC 9051 §6.3.12, RFC 4315 §3 (APPENDUID)."""

from mailstack.model.errors import DomainError, QuotaExceeded, TryAgainLater
from mailstack.servers.imap.errors import completed_with
from mailstack.servers.imap.session import Completed, Session, State, no, ok
from mailstack.services.mailbox.append import append
from mailstack.services.mailbox.tree import load_tree
from mailstack.wire.imap.commands.append import Append

TRY_CREATE = no("No such mailbox", "TRYCREATE")
"""RFC 9051 §6.3.12, §6.4.7: the client may create it and try again."""


async def refusal(session: Session, request: Append) -> Completed | None:
    """What is known before the message has come, so that nobody sends 50 MB for a NO. RFC 3501 §6.3.11."""
    if session.state is State.NOT_AUTHENTICATED:
        return None  # the dispatcher answers, as it does to all else that comes too early
    mail = session.mail
    try:
        if (await load_tree(mail)).find(request.mailbox) is None:
            return TRY_CREATE
        quota = mail.account.quota_bytes
        if quota is not None and await mail.messages.used_bytes(mail.account_id) + request.size_octets > quota:
            raise QuotaExceeded(f"{request.size_octets} bytes more than {quota} may be used")
    except DomainError as fault:
        return completed_with(fault)
    return None


async def run(session: Session, request: Append) -> Completed:
    mailbox = (await load_tree(session.mail)).find(request.mailbox)
    if mailbox is None:
        return TRY_CREATE
    if session.spool is None:
        raise TryAgainLater("the message could not be spooled")
    received_at = request.received_at if request.received_at is not None else session.service.clock()
    appended = await append(
        session.mail, mailbox.mailbox_id, session.spool.octets(), flags=request.flags, received_at=received_at
    )
    return ok("APPEND completed", f"APPENDUID {mailbox.uid_validity} {appended.uid}")
