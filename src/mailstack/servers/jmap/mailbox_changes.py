"""Mailbox/changes. RFC 8621 §2.2."""

from typing import Any

from mailstack.model.changes import ChangedIds, LogPoint
from mailstack.model.ids import MailboxId
from mailstack.model.objectid import mailbox_object_id
from mailstack.servers.jmap.getting import changes_of_mail, read_most_changes
from mailstack.servers.jmap.mailbox_object import COUNTS
from mailstack.servers.jmap.method import Call, Method
from mailstack.services.mailbox.mailboxes_seen import changed_mailboxes
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.session import MAIL


async def mailbox_changes(call: Call, arguments: Arguments) -> dict[str, Any]:
    mail = await call.mail(arguments.id("accountId"))
    since, most = arguments.text("sinceState"), read_most_changes(arguments)
    arguments.finish()

    def object_id(mailbox_id: MailboxId) -> str:
        return mailbox_object_id(mail.account_id, mailbox_id)

    async def ask(point: LogPoint) -> ChangedIds[MailboxId]:
        return await changed_mailboxes(mail, point, limit=most)

    answer, found = await changes_of_mail(mail, since, ask=ask, object_id=object_id)
    # RFC 8621 §2.2: null where anything but the counts may have changed.
    is_other = bool(found.created or found.destroyed)
    is_counted_only = not is_other and found.counted_only and found.counted_only.issuperset(found.updated)
    return {**answer, "updatedProperties": [*COUNTS] if is_counted_only else None}


METHOD = Method(name="Mailbox/changes", capability=MAIL, run=mailbox_changes)
