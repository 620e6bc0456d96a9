"""Email/queryChanges. RFC 8621 §4.5, RFC 8620 §5.6."""

from typing import Any

from mailstack.model.errors import Conflict
from mailstack.model.ids import EmailId, MessageId, ModSeq
from mailstack.model.objectid import email_id_of, email_object_id
from mailstack.servers.jmap.email_query import read_query
from mailstack.servers.jmap.method import Call, Method
from mailstack.services.mailbox.found_changes import found_changes
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.faults import MethodFault, MethodFaultType
from mailstack.wire.jmap.session import MAIL

_STATE_DIGITS = 18


async def run(call: Call, arguments: Arguments) -> dict[str, Any]:
    mail = await call.mail(arguments.id("accountId"))
    asked = read_query(call, mail, arguments)
    state = arguments.text("sinceQueryState")
    most = arguments.optional_unsigned("maxChanges")
    last = arguments.optional_id("upToId")
    is_counted = arguments.boolean("calculateTotal", default=False)
    arguments.finish()
    up_to = None if last is None else email_id_of(mail.account_id, call.id_of(last))
    try:
        changes = await found_changes(mail, asked, _mod_seq(state), up_to=None if up_to is None else MessageId(up_to))
    except Conflict:
        raise MethodFault(MethodFaultType.CANNOT_CALCULATE_CHANGES) from None
    if most is not None and len(changes.removed) + len(changes.added) > most:
        raise MethodFault(MethodFaultType.TOO_MANY_CHANGES)

    def object_id(message_id: MessageId) -> str:
        return email_object_id(mail.account_id, EmailId(message_id))

    return {
        "accountId": mail.account_id,
        "oldQueryState": state,
        "newQueryState": str(changes.mod_seq),
        **({"total": changes.total} if is_counted else {}),
        "removed": [object_id(message_id) for message_id in changes.removed],
        "added": [{"id": object_id(message_id), "index": at} for at, message_id in changes.added],
    }


def _mod_seq(state: str) -> ModSeq:
    """Raises Conflict for one that we never gave out."""
    if not (state.isascii() and state.isdigit()) or len(state) > _STATE_DIGITS:
        raise Conflict("there was no such state")
    return ModSeq(int(state))


METHOD = Method(name="Email/queryChanges", capability=MAIL, run=run)
