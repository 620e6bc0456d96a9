"""EmailSubmission/get. RFC 8621 §7.1."""

from typing import Any

from mailstack.model.ids import SubmissionId
from mailstack.servers.jmap.email_submissions import (
    PROPERTIES,
    submission_number,
    submission_object,
    submission_state,
)
from mailstack.servers.jmap.getting import check_count, read_ids, read_properties
from mailstack.servers.jmap.identities import require_own
from mailstack.servers.jmap.method import Call, Method
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.session import SUBMISSION


async def run(call: Call, arguments: Arguments) -> dict[str, Any]:
    account_id = (await require_own(call, arguments.id("accountId"))).account_id
    ids = read_ids(call, arguments)
    wanted = read_properties(arguments, PROPERTIES)
    arguments.finish()
    kept = call.service.sending.kept
    # Before they are looked at: what happens meanwhile is told once more, and not lost.
    number = await submission_number(call, account_id)
    if ids is None:
        ids = [head.submission_id for head in (await kept.heads(account_id)).heads]
        check_count(call, len(ids))
    there = await kept.get(account_id, [*map(SubmissionId, ids)])
    found = {each.head.submission_id: submission_object(account_id, each) for each in there}
    return {
        "accountId": account_id,
        "state": submission_state(number),
        "list": [{name: each[name] for name in PROPERTIES if name in wanted} for each in found.values()],
        "notFound": [each for each in ids if each not in found],
    }


METHOD = Method(name="EmailSubmission/get", capability=SUBMISSION, run=run)
