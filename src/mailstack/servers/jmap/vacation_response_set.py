"""VacationResponse/set: there is one, which can be changed and nothing else. RFC 8621 §8.2, RFC 8620 §5.3."""

from collections.abc import Mapping
from typing import Any

import structlog

from mailstack.model.errors import Conflict, DomainError
from mailstack.model.object_journal import JournalPoint, ObjectKind
from mailstack.model.principal import Account
from mailstack.model.vacation import SINGLETON
from mailstack.servers.jmap.getting import read_if_number
from mailstack.servers.jmap.identities import require_own
from mailstack.servers.jmap.method import Call, Method
from mailstack.servers.jmap.set_answer import SetAnswer, refusal
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.faults import MethodFault, MethodFaultType, NotSet, SetFault, SetFaultType
from mailstack.wire.jmap.mail.vacation_wanted import read_vacation, vacation_object
from mailstack.wire.jmap.patch import apply_patch
from mailstack.wire.jmap.session import VACATION_RESPONSE
from mailstack.wire.jmap.states import write_object_state

_SINGLETON = SetFault(type=SetFaultType.SINGLETON, description="there is one, and it stays")
_NOT_FOUND = SetFault(type=SetFaultType.NOT_FOUND)

log = structlog.get_logger()


async def run(call: Call, arguments: Arguments) -> dict[str, Any]:
    account = await require_own(call, arguments.id("accountId"))
    create, update = arguments.objects("create") or {}, arguments.updates("update") or {}
    destroy = arguments.ids("destroy") or ()
    if_number = read_if_number(arguments)
    arguments.finish()
    if len(create) + len(update) + len(destroy) > call.service.limits.objects_in_set:
        raise MethodFault(MethodFaultType.REQUEST_TOO_LARGE)
    before = await _number(call, account)
    if if_number is not None and if_number != before:
        raise MethodFault(MethodFaultType.STATE_MISMATCH)
    answer = SetAnswer()
    answer.not_created.update(dict.fromkeys(create, _SINGLETON))
    answer.not_destroyed.update({each: _SINGLETON if each == SINGLETON else _NOT_FOUND for each in destroy})
    for object_id, patch in update.items():
        try:
            if object_id != SINGLETON:
                raise NotSet(_NOT_FOUND)
            answer.updated[object_id] = await _change(call, account, patch, if_number)
        except (NotSet, DomainError) as fault:
            answer.not_updated[object_id] = refusal(fault)
    return {
        "accountId": account.account_id,
        "oldState": write_object_state(JournalPoint(before)),
        "newState": write_object_state(JournalPoint(await _number(call, account))),
        **answer.as_json(),
    }


async def _change(
    call: Call, account: Account, patch: Mapping[str, Any], if_number: int | None
) -> Mapping[str, Any] | None:
    """What became another than the client had it. Raises NotSet, DomainError; MethodFault where somebody was faster."""
    service, account_id = call.service, account.account_id
    before = await service.vacations.read(account_id)
    wanted = apply_patch(vacation_object(before), patch)
    after = read_vacation(wanted)
    try:
        await service.vacations.replace(account_id, before, after, if_number=if_number)
    except Conflict:
        if if_number is not None:
            raise MethodFault(MethodFaultType.STATE_MISMATCH) from None
        raise
    log.info("vacation response set", account=account.login, enabled=after.is_enabled)
    return {name: value for name, value in vacation_object(after).items() if wanted.get(name) != value} or None


async def _number(call: Call, account: Account) -> int:
    return await call.service.object_journal.number(account.account_id, ObjectKind.VACATION)


METHOD = Method(name="VacationResponse/set", capability=VACATION_RESPONSE, run=run)
