"""APPEND: the messages were spooled while they came. RFC 9051 §6.3.12, RFC 3502, RFC 4315 §3 (APPENDUID)."""

from mailstack.model.message import Appended
from mailstack.model.numset import numset_of
from mailstack.servers.imap.receiving import TRY_CREATE, target_of
from mailstack.servers.imap.session import Completed, Session, ok
from mailstack.services.mailbox.append import append
from mailstack.wire.imap.commands.append import Append


async def run(session: Session, _request: Append) -> Completed:
    if session.receipt is None:
        raise RuntimeError("no message has come")
    target = await target_of(session, session.receipt)
    if target is None:
        return TRY_CREATE
    arrivals = session.receipt.arrivals(session.service.clock())
    appended = await append(target.mail, target.mailbox_id, arrivals)
    return ok("APPEND completed", append_uid(target.uid_validity, *appended))


def append_uid(uid_validity: int, *appended: Appended) -> str:
    """RFC 4315 §3, with a set for several: RFC 3502 §6.3.11."""
    return f"APPENDUID {uid_validity} {numset_of(one.uid for one in appended)}"
