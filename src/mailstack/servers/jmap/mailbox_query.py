"""Mailbox/query. RFC 8621 §2.3."""

from typing import Any

from mailstack.formats.collation import FOLDS, casemap
from mailstack.model.ids import AccountId
from mailstack.model.objectid import mailbox_object_id
from mailstack.servers.jmap.mailbox_object import shown_name, shown_role, sort_order
from mailstack.servers.jmap.method import Call, Method
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.mailboxes_seen import SeenMailbox, seen_mailboxes
from mailstack.services.mailbox.settled import settled
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.mail.mailbox_query import MailboxFacts, MailboxQuery, read_mailbox_query
from mailstack.wire.jmap.session import MAIL
from mailstack.wire.jmap.states import write_query_state
from mailstack.wire.jmap.window import read_window


def read_query(call: Call, arguments: Arguments) -> MailboxQuery:
    """Of /query and of /queryChanges. Raises MethodFault."""
    return read_mailbox_query(arguments, id_of=call.id_of, folded=casemap, folds=FOLDS)


async def known_facts(mail: AccountMail) -> list[MailboxFacts]:
    return [_facts(mail.account_id, seen) for seen in (await seen_mailboxes(mail)).values()]


async def run(call: Call, arguments: Arguments) -> dict[str, Any]:
    mail = await call.mail(arguments.id("accountId"))
    asked = read_query(call, arguments)
    window = read_window(arguments)
    is_counted = arguments.boolean("calculateTotal", default=False)
    arguments.finish()
    facts, state = await settled(mail, lambda _: known_facts(mail))
    ids = asked.find(facts)
    return {
        "accountId": mail.account_id,
        "queryState": write_query_state(state),
        "canCalculateChanges": state is not None,
        **window.answer(ids, of=call.id_of, is_counted=is_counted),
    }


def _facts(account_id: AccountId, seen: SeenMailbox) -> MailboxFacts:
    mailbox = seen.mailbox
    return MailboxFacts(
        id=mailbox_object_id(account_id, mailbox.mailbox_id),
        parent_id=None if mailbox.parent_id is None else mailbox_object_id(account_id, mailbox.parent_id),
        name=shown_name(mailbox),
        role=shown_role(seen),
        sort_order=sort_order(seen),
        is_subscribed=seen.is_subscribed,
    )


METHOD = Method(name="Mailbox/query", capability=MAIL, run=run)
