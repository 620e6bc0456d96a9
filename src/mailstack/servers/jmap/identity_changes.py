"""Identity/changes: none, where nothing has changed; no older state is kept. RFC 8621 §6.2."""

from typing import Any

from mailstack.servers.jmap.getting import read_most_changes
from mailstack.servers.jmap.identities import identity_state, require_own
from mailstack.servers.jmap.method import Call, Method
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.faults import MethodFault, MethodFaultType
from mailstack.wire.jmap.session import SUBMISSION


async def run(call: Call, arguments: Arguments) -> dict[str, Any]:
    account = await require_own(call, arguments.id("accountId"))
    since = arguments.text("sinceState")
    read_most_changes(arguments)
    arguments.finish()
    if since != identity_state(account):
        raise MethodFault(MethodFaultType.CANNOT_CALCULATE_CHANGES)
    return {
        "accountId": account.account_id,
        "oldState": since,
        "newState": since,
        "hasMoreChanges": False,
        "created": [],
        "updated": [],
        "destroyed": [],
    }


METHOD = Method(name="Identity/changes", capability=SUBMISSION, run=run)
