"""Email/query. RFC 8621 §4.4."""

from typing import Any

from mailstack.model.ids import EmailId, MailboxId, MessageId
from mailstack.model.objectid import email_id_of, email_object_id, mailbox_id_of
from mailstack.servers.jmap.method import Call, Method
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.emails_found import EmailQuery, find_emails
from mailstack.services.mailbox.settled import settled
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.mail.email_filter import read_email_filter
from mailstack.wire.jmap.mail.email_sort import read_email_sort
from mailstack.wire.jmap.session import MAIL
from mailstack.wire.jmap.states import write_query_state
from mailstack.wire.jmap.window import read_window


def read_query(call: Call, mail: AccountMail, arguments: Arguments) -> EmailQuery:
    """Of /query and of /queryChanges. Raises MethodFault."""

    def mailbox_of(text: str) -> MailboxId | None:
        return mailbox_id_of(mail.account_id, call.id_of(text))

    return EmailQuery(
        filter=read_email_filter(arguments.mapping("filter"), mailbox_of=mailbox_of),
        sort=read_email_sort(arguments.array("sort")),
        is_collapsed=arguments.boolean("collapseThreads", default=False),
    )


async def run(call: Call, arguments: Arguments) -> dict[str, Any]:
    mail = await call.mail(arguments.id("accountId"))
    asked = read_query(call, mail, arguments)
    window = read_window(arguments)
    is_counted = arguments.boolean("calculateTotal", default=False)
    arguments.finish()
    found, state = await settled(mail, lambda _: find_emails(mail, asked))
    return {
        "accountId": mail.account_id,
        "queryState": write_query_state(state),
        "canCalculateChanges": state is not None,
        **window.answer(
            found,
            of=lambda text: _email(mail, call.id_of(text)),
            written=lambda message_id: email_object_id(mail.account_id, EmailId(message_id)),
            is_counted=is_counted,
        ),
    }


def _email(mail: AccountMail, text: str) -> MessageId | None:
    email_id = email_id_of(mail.account_id, text)
    return None if email_id is None else MessageId(email_id)


METHOD = Method(name="Email/query", capability=MAIL, run=run)
