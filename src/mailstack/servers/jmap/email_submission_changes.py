"""EmailSubmission/changes. RFC 8621 §7.2."""

from typing import Any

from mailstack.model.object_journal import ObjectKind
from mailstack.servers.jmap.getting import changes_of_objects, read_most_changes
from mailstack.servers.jmap.identities import require_own
from mailstack.servers.jmap.method import Call, Method
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.session import SUBMISSION


async def run(call: Call, arguments: Arguments) -> dict[str, Any]:
    account_id = (await require_own(call, arguments.id("accountId"))).account_id
    since = arguments.text("sinceState")
    limit = read_most_changes(arguments)
    arguments.finish()
    journal = call.service.object_journal
    return await changes_of_objects(journal, account_id, ObjectKind.SUBMISSION, since, limit=limit)


METHOD = Method(name="EmailSubmission/changes", capability=SUBMISSION, run=run)
