"""SieveScript/validate: as CHECKSCRIPT, of a blob. RFC 9661 §2.6."""

from typing import Any

from mailstack.model.errors import Invalid, NotFound, TooLarge
from mailstack.servers.jmap.errors import set_fault
from mailstack.servers.jmap.identities import require_own
from mailstack.servers.jmap.method import Call, Method
from mailstack.servers.jmap.sieve_script_content import read_script
from mailstack.servers.jmap.sieve_scripts import invalid_sieve
from mailstack.sieve.faults import Broken
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.faults import NotSet, SetFault, invalid_arguments
from mailstack.wire.jmap.session import SIEVE


async def run(call: Call, arguments: Arguments) -> dict[str, Any]:
    account = await require_own(call, arguments.id("accountId"))
    given = arguments.optional_reference("blobId")
    arguments.finish()
    if given is None:
        raise invalid_arguments("blobId is needed")
    blob_id = call.id_of(given)
    fault = await _fault(call, account.account_id, blob_id)
    return {"accountId": account.account_id, "error": None if fault is None else fault.as_json()}


async def _fault(call: Call, account_id: str, blob_id: str) -> SetFault | None:
    mail = await call.mail(account_id)
    try:
        await call.service.scripts.check(mail.account_id, await read_script(call, mail, blob_id))
    except NotSet as refusal:
        return refusal.fault
    except (Broken, Invalid) as fault:
        return invalid_sieve(fault)
    except (TooLarge, NotFound) as fault:
        return set_fault(fault)
    return None


METHOD = Method(name="SieveScript/validate", capability=SIEVE, run=run)
