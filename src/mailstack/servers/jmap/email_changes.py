"""Email/changes. RFC 8621 §4.3."""

from typing import Any

from mailstack.model.ids import EmailId, MessageId
from mailstack.model.objectid import email_object_id
from mailstack.servers.jmap.getting import changes_of_mail, read_most_changes
from mailstack.servers.jmap.method import Call, Method
from mailstack.services.mailbox import emails
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.session import MAIL


async def email_changes(call: Call, arguments: Arguments) -> dict[str, Any]:
    mail = await call.mail(arguments.id("accountId"))
    since, most = arguments.text("sinceState"), read_most_changes(arguments)
    arguments.finish()

    def object_id(message_id: MessageId) -> str:
        return email_object_id(mail.account_id, EmailId(message_id))

    answer, _ = await changes_of_mail(
        mail,
        since,
        ask=lambda point: emails.changed(mail, point, limit=most),
        object_id=object_id,
    )
    return answer


METHOD = Method(name="Email/changes", capability=MAIL, run=email_changes)
