"""Mailbox/queryChanges: none, where nothing at all has changed. RFC 8621 §2.4, RFC 8620 §5.6."""

from typing import Any

from mailstack.servers.jmap.mailbox_query import found, read_query
from mailstack.servers.jmap.method import Call, Method
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.faults import MethodFault, MethodFaultType
from mailstack.wire.jmap.session import MAIL


async def run(call: Call, arguments: Arguments) -> dict[str, Any]:
    mail = await call.mail(arguments.id("accountId"))
    asked = read_query(call, arguments)
    since = arguments.text("sinceQueryState")
    arguments.optional_unsigned("maxChanges")
    arguments.optional_id("upToId")
    is_counted = arguments.boolean("calculateTotal", default=False)
    arguments.finish()
    if since != str(await mail.changes.mod_seq(mail.account_id)):
        raise MethodFault(MethodFaultType.CANNOT_CALCULATE_CHANGES)
    return {
        "accountId": mail.account_id,
        "oldQueryState": since,
        "newQueryState": since,
        **({"total": len(await found(mail, asked))} if is_counted else {}),
        "removed": [],
        "added": [],
    }


METHOD = Method(name="Mailbox/queryChanges", capability=MAIL, run=run)
