"""SieveScript/get. RFC 9661 §2.3."""

from typing import Any

from mailstack.model.object_journal import JournalPoint, ObjectKind
from mailstack.servers.jmap.getting import read_ids, read_properties
from mailstack.servers.jmap.identities import require_own
from mailstack.servers.jmap.method import Call, Method
from mailstack.servers.jmap.sieve_scripts import PROPERTIES, script_object, scripts_by_id
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.session import SIEVE
from mailstack.wire.jmap.states import write_object_state


async def run(call: Call, arguments: Arguments) -> dict[str, Any]:
    account = await require_own(call, arguments.id("accountId"))
    ids = read_ids(call, arguments)
    wanted = read_properties(arguments, PROPERTIES)
    arguments.finish()
    number = await call.service.object_journal.number(account.account_id, ObjectKind.SCRIPT)
    known = {key: script_object(each) for key, each in (await scripts_by_id(call, account)).items()}
    ids = [*known] if ids is None else ids
    found = [known[each] for each in ids if each in known]
    return {
        "accountId": account.account_id,
        "state": write_object_state(JournalPoint(number)),
        "list": [{name: each[name] for name in PROPERTIES if name in wanted} for each in found],
        "notFound": [each for each in ids if each not in known],
    }


METHOD = Method(name="SieveScript/get", capability=SIEVE, run=run)
