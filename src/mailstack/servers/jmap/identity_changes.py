"""Identity/changes. RFC 8621 §6.2."""

from typing import Any

from mailstack.model.object_journal import ObjectKind
from mailstack.servers.jmap.getting import changes_of_objects, read_most_changes
from mailstack.servers.jmap.identities import require_own
from mailstack.servers.jmap.method import Call, Method
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.session import SUBMISSION


async def run(call: Call, arguments: Arguments) -> dict[str, Any]:
    account = await require_own(call, arguments.id("accountId"))
    since, most = arguments.text("sinceState"), read_most_changes(arguments)
    arguments.finish()
    journal = call.service.object_journal
    return await changes_of_objects(journal, account.account_id, ObjectKind.IDENTITY, since, limit=most)


METHOD = Method(name="Identity/changes", capability=SUBMISSION, run=run)
