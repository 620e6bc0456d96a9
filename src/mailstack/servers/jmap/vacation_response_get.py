"""VacationResponse/get. RFC 8621 §8.1."""

from typing import Any

from mailstack.model.object_journal import JournalPoint, ObjectKind
from mailstack.model.vacation import SINGLETON
from mailstack.servers.jmap.getting import read_ids, read_properties
from mailstack.servers.jmap.identities import require_own
from mailstack.servers.jmap.method import Call, Method
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.mail.vacation_wanted import PROPERTIES, vacation_object
from mailstack.wire.jmap.session import VACATION_RESPONSE
from mailstack.wire.jmap.states import write_object_state


async def run(call: Call, arguments: Arguments) -> dict[str, Any]:
    account = await require_own(call, arguments.id("accountId"))
    ids = read_ids(call, arguments)
    wanted = read_properties(arguments, PROPERTIES)
    arguments.finish()
    number = await call.service.object_journal.number(account.account_id, ObjectKind.VACATION)
    found = vacation_object(await call.service.vacations.read(account.account_id))
    ids = [SINGLETON] if ids is None else ids
    return {
        "accountId": account.account_id,
        "state": write_object_state(JournalPoint(number)),
        "list": [{name: found[name] for name in PROPERTIES if name in wanted}] if SINGLETON in ids else [],
        "notFound": [each for each in ids if each != SINGLETON],
    }


METHOD = Method(name="VacationResponse/get", capability=VACATION_RESPONSE, run=run)
