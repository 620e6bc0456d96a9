"""Quota/queryChanges: none, where nothing has changed. RFC 9425 §4.5, RFC 8620 §5.6."""

from typing import Any

from mailstack.servers.jmap.method import Call, Method
from mailstack.servers.jmap.quota_query import found, read_query
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.faults import MethodFault, MethodFaultType
from mailstack.wire.jmap.session import QUOTA


async def run(call: Call, arguments: Arguments) -> dict[str, Any]:
    mail = await call.mail(arguments.id("accountId"))
    matches = read_query(arguments)
    since = arguments.text("sinceQueryState")
    arguments.optional_unsigned("maxChanges")
    arguments.optional_id("upToId")
    is_counted = arguments.boolean("calculateTotal", default=False)
    arguments.finish()
    state, ids = await found(call, mail, matches)
    if since != state:
        raise MethodFault(MethodFaultType.CANNOT_CALCULATE_CHANGES)
    return {
        "accountId": mail.account_id,
        "oldQueryState": since,
        "newQueryState": since,
        **({"total": len(ids)} if is_counted else {}),
        "removed": [],
        "added": [],
    }


METHOD = Method(name="Quota/queryChanges", capability=QUOTA, run=run)
