"""Thread/changes. RFC 8621 §3.2."""

from typing import Any

from mailstack.model.ids import ThreadId
from mailstack.model.objectid import thread_object_id
from mailstack.servers.jmap.getting import changes_of_mail, read_most_changes
from mailstack.servers.jmap.method import Call, Method
from mailstack.services.mailbox import emails
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.session import MAIL


async def thread_changes(call: Call, arguments: Arguments) -> dict[str, Any]:
    mail = await call.mail(arguments.id("accountId"))
    since, most = arguments.text("sinceState"), read_most_changes(arguments)
    arguments.finish()

    def object_id(thread_id: ThreadId) -> str:
        return thread_object_id(mail.account_id, thread_id)

    answer, _ = await changes_of_mail(
        mail,
        since,
        ask=lambda point: emails.changed_threads(mail, point, limit=most),
        object_id=object_id,
    )
    return answer


METHOD = Method(name="Thread/changes", capability=MAIL, run=thread_changes)
