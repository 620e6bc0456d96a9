"""Identity/get. RFC 8621 §6.1."""

from typing import Any

from mailstack.servers.jmap.getting import check_count, read_ids, read_properties
from mailstack.servers.jmap.identities import PROPERTIES, identity_object, identity_state, require_own
from mailstack.servers.jmap.method import Call, Method
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.session import SUBMISSION


async def run(call: Call, arguments: Arguments) -> dict[str, Any]:
    account = await require_own(call, arguments.id("accountId"))
    ids = read_ids(call, arguments)
    wanted = read_properties(arguments, PROPERTIES)
    arguments.finish()
    known = await call.service.identities.known(account)
    if ids is None:
        check_count(call, len(known.by_id))
        ids = [*known.by_id]
    found = [identity_object(known.by_id[each]) for each in ids if each in known.by_id]
    return {
        "accountId": account.account_id,
        "state": identity_state(known.number),
        "list": [{name: each[name] for name in PROPERTIES if name in wanted} for each in found],
        "notFound": [each for each in ids if each not in known.by_id],
    }


METHOD = Method(name="Identity/get", capability=SUBMISSION, run=run)
