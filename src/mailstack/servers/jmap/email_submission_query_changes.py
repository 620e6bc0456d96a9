"""EmailSubmission/queryChanges. RFC 8621 §7.4, RFC 8620 §5.6.

What has changed is taken out and put in again: only of it can the place be another.
"""

from typing import Any

from mailstack.model.errors import Conflict
from mailstack.model.object_journal import ObjectKind
from mailstack.servers.jmap.email_submission_query import read_query
from mailstack.servers.jmap.email_submissions import submission_state
from mailstack.servers.jmap.identities import require_own
from mailstack.servers.jmap.method import Call, Method
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.faults import MethodFault, MethodFaultType
from mailstack.wire.jmap.session import SUBMISSION
from mailstack.wire.jmap.states import read_object_state

MOST_CHANGED = 10_000


async def run(call: Call, arguments: Arguments) -> dict[str, Any]:
    account_id = (await require_own(call, arguments.id("accountId"))).account_id
    query = read_query(arguments, account_id)
    since = arguments.text("sinceQueryState")
    most = arguments.optional_unsigned("maxChanges")
    arguments.optional_id("upToId")
    is_counted = arguments.boolean("calculateTotal", default=False)
    arguments.finish()
    point = read_object_state(since)
    if point is None or point.began is not None:
        raise MethodFault(MethodFaultType.CANNOT_CALCULATE_CHANGES)
    try:
        found = await call.service.object_journal.changed(account_id, ObjectKind.SUBMISSION, point, limit=MOST_CHANGED)
    except Conflict:
        raise MethodFault(MethodFaultType.CANNOT_CALCULATE_CHANGES) from None
    if found.has_more:
        raise MethodFault(MethodFaultType.CANNOT_CALCULATE_CHANGES)
    ids = query.of(await call.service.sending.kept.heads(account_id))
    there = {*found.created, *found.updated}
    removed = [*found.updated, *found.destroyed]
    added = [{"id": each, "index": index} for index, each in enumerate(ids) if each in there]
    if most is not None and len(removed) + len(added) > most:
        raise MethodFault(MethodFaultType.TOO_MANY_CHANGES)
    return {
        "accountId": account_id,
        "oldQueryState": since,
        "newQueryState": submission_state(found.point.number),
        **({"total": len(ids)} if is_counted else {}),
        "removed": removed,
        "added": added,
    }


METHOD = Method(name="EmailSubmission/queryChanges", capability=SUBMISSION, run=run)
