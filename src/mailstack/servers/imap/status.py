"""STATUS. RFC 3501 §6.3.10."""

from typing import assert_never

from mailstack.model.mailbox import MailboxStatus
from mailstack.servers.imap.session import Completed, Session, ok
from mailstack.services.mailbox.places import find_readable
from mailstack.wire.imap.commands.status import Status, StatusItem
from mailstack.wire.imap.responses import StatusData


async def run(session: Session, request: Status) -> Completed:
    place = await find_readable(session.mail, request.mailbox)
    status = await place.mail.mailboxes.status(place.mail.account_id, place.mailbox.mailbox_id)
    items = tuple((item.value, _value(status, item)) for item in request.items)
    session.connection.say(StatusData(name=request.mailbox, items=items))
    return ok("STATUS completed")


def _value(status: MailboxStatus, item: StatusItem) -> int:
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
        case _:
            assert_never(item)
