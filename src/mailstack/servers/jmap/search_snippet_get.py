"""SearchSnippet/get. RFC 8621 §5.1."""

from typing import Any

from mailstack.model.ids import MailboxId, MessageId
from mailstack.model.objectid import email_id_of, mailbox_id_of
from mailstack.servers.jmap.method import Call, Method
from mailstack.services.mailbox.snippets import snippets
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.faults import MethodFault, MethodFaultType, invalid_arguments
from mailstack.wire.jmap.mail.email_filter import read_email_filter
from mailstack.wire.jmap.session import MAIL


async def run(call: Call, arguments: Arguments) -> dict[str, Any]:
    mail = await call.mail(arguments.id("accountId"))

    def mailbox_of(text: str) -> MailboxId | None:
        return mailbox_id_of(mail.account_id, call.id_of(text))

    query = read_email_filter(arguments.mapping("filter"), mailbox_of=mailbox_of)
    ids = arguments.ids("emailIds")
    arguments.finish()
    if ids is None:
        raise invalid_arguments("emailIds is needed")
    if len(ids) > call.service.limits.objects_in_get:
        raise MethodFault(MethodFaultType.REQUEST_TOO_LARGE)
    numbers = {text: email_id_of(mail.account_id, call.id_of(text)) for text in ids}
    found = await snippets(mail, query, [MessageId(number) for number in numbers.values() if number is not None])
    listed = {text: found.get(MessageId(number)) for text, number in numbers.items() if number is not None}
    missing = [text for text in ids if listed.get(text) is None]
    return {
        "accountId": mail.account_id,
        "list": [
            {"emailId": text, "subject": snippet.subject, "preview": snippet.preview}
            for text, snippet in listed.items()
            if snippet is not None
        ],
        "notFound": missing or None,
    }


METHOD = Method(name="SearchSnippet/get", capability=MAIL, run=run)
