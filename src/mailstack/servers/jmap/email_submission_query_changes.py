"""EmailSubmission/queryChanges. RFC 8621 §7.4, RFC 8620 §5.6.

What has changed is taken out and put in again: only of it can the place be another.
"""

from collections.abc import Sequence
from typing import Any

from mailstack.model.email_submission import SubmissionHead
from mailstack.model.errors import Conflict
from mailstack.model.ids import AccountId
from mailstack.model.object_journal import ChangedObjects, JournalPoint, ObjectKind
from mailstack.servers.jmap.email_submission_query import read_query
from mailstack.servers.jmap.email_submissions import submission_state
from mailstack.servers.jmap.identities import require_own
from mailstack.servers.jmap.method import Call, Method
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.faults import MethodFault, MethodFaultType
from mailstack.wire.jmap.session import SUBMISSION
from mailstack.wire.jmap.states import read_object_state

MOST_CHANGED = 10_000
_TRIES = 3


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
    found, heads = await _changed(call, account_id, point)
    ids = query.of(heads)
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


async def _changed(
    call: Call, account_id: AccountId, since: JournalPoint
) -> tuple[ChangedObjects, Sequence[SubmissionHead]]:
    """What has changed, and what there was just then. Raises MethodFault."""
    for _ in range(_TRIES):
        there = await call.service.sending.kept.heads(account_id)
        try:
            found = await call.service.object_journal.changed(
                account_id, ObjectKind.SUBMISSION, since, limit=MOST_CHANGED
            )
        except Conflict:
            break
        if not found.has_more and found.point.number == there.number:
            return found, there.heads
    raise MethodFault(MethodFaultType.CANNOT_CALCULATE_CHANGES)


METHOD = Method(name="EmailSubmission/queryChanges", capability=SUBMISSION, run=run)
