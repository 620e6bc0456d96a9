"""Quota/changes. RFC 9425 §4.3."""

from typing import Any

from mailstack.servers.jmap.getting import read_most_changes
from mailstack.servers.jmap.method import Call, Method
from mailstack.servers.jmap.quotas import known_state, quota_facts, quota_id, quota_state
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.faults import MethodFault, MethodFaultType
from mailstack.wire.jmap.session import QUOTA


async def run(call: Call, arguments: Arguments) -> dict[str, Any]:
    mail = await call.mail(arguments.id("accountId"))
    since = arguments.text("sinceState")
    read_most_changes(arguments)
    arguments.finish()
    known = known_state(since)
    if known is None:
        raise MethodFault(MethodFaultType.CANNOT_CALCULATE_CHANGES)
    (before,), after = known, await quota_facts(call, mail)
    it = [quota_id(mail.account_id)]
    is_used_only = before is not None and after is not None and before.limit_bytes == after.limit_bytes
    return {
        "accountId": mail.account_id,
        "oldState": since,
        "newState": quota_state(after),
        "hasMoreChanges": False,
        # RFC 9425 §4.3: null where more than these may have changed.
        "updatedProperties": ["used"] if is_used_only and before != after else None,
        "created": it if before is None and after is not None else [],
        "updated": it if before is not None and after is not None and before != after else [],
        "destroyed": it if before is not None and after is None else [],
    }


METHOD = Method(name="Quota/changes", capability=QUOTA, run=run)
