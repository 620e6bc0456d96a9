"""STATUS, also as LIST answers it. RFC 9051 §6.3.11, RFC 5819, RFC 7162 §3.1.7, RFC 8438, RFC 8474 §4.2, RFC 9208."""

from collections.abc import Sequence
from typing import assert_never

from mailstack.model.objectid import mailbox_object_id
from mailstack.servers.imap.condstore import enable_condstore
from mailstack.servers.imap.session import Completed, Session, ok
from mailstack.services.mailbox.places import Place, find_readable
from mailstack.services.mailbox.quota import deleted_bytes
from mailstack.wire.imap.commands.status import Status, StatusItem
from mailstack.wire.imap.responses import StatusData


async def run(session: Session, request: Status) -> Completed:
    await say_status(session, await find_readable(session.mail, request.mailbox), request.items)
    return ok("STATUS completed")


async def say_status(session: Session, place: Place, items: Sequence[StatusItem]) -> None:
    """place: one that may be read, and was read just now."""
    if StatusItem.HIGHESTMODSEQ in items:
        enable_condstore(session)  # RFC 7162 §3.1: a CONDSTORE-enabling command
    values = [(item.value, await _value(session, place, item)) for item in items]
    session.connection.say(StatusData(name=place.path, items=tuple(values)))


async def _value(session: Session, place: Place, item: StatusItem) -> int | str:
    status = place.mailbox.status
    match item:
        case StatusItem.MESSAGES:
            return status.messages
        case StatusItem.RECENT:
            return 0
        case StatusItem.UIDNEXT:
            return status.uid_next
        case StatusItem.UIDVALIDITY:
            return status.uid_validity
        case StatusItem.UNSEEN:
            return status.unseen
        case StatusItem.DELETED:
            return status.deleted
        case StatusItem.SIZE:
            return status.size_bytes
        case StatusItem.HIGHESTMODSEQ:
            return status.highest_mod_seq
        case StatusItem.APPENDLIMIT:
            return session.service.limits.message_octets
        case StatusItem.MAILBOXID:
            return f"({mailbox_object_id(place.mail.account_id, place.mailbox.mailbox_id)})"
        case StatusItem.DELETED_STORAGE:
            return await deleted_bytes(place, status)
        case _:
            assert_never(item)
