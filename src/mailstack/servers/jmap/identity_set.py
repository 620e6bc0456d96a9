"""Identity/set: addresses and names are the server's configuration, so each object is refused. RFC 8621 §6.3."""

from collections.abc import Iterable, Mapping
from typing import Any

from mailstack.model.principal import Account
from mailstack.servers.jmap.getting import check_in_state
from mailstack.servers.jmap.identities import identities, identity_state, require_own
from mailstack.servers.jmap.method import Call, Method
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.faults import MethodFault, MethodFaultType, SetFault, SetFaultType
from mailstack.wire.jmap.session import SUBMISSION

_FORBIDDEN = SetFault(type=SetFaultType.FORBIDDEN, description="identities are kept in the server's configuration")
_NOT_FOUND = SetFault(type=SetFaultType.NOT_FOUND)
_FORBIDDEN_FROM = SetFault(type=SetFaultType.FORBIDDEN_FROM, description="not an address of this account")


async def run(call: Call, arguments: Arguments) -> dict[str, Any]:
    account = await require_own(call, arguments.id("accountId"))
    state = identity_state(account)
    check_in_state(arguments, state)
    create, update = arguments.objects("create") or {}, arguments.updates("update") or {}
    destroy = arguments.ids("destroy") or ()
    arguments.finish()
    if len(create) + len(update) + len(destroy) > call.service.limits.objects_in_set:
        raise MethodFault(MethodFaultType.REQUEST_TOO_LARGE)
    return {
        "accountId": account.account_id,
        "oldState": state,
        "newState": state,
        "created": None,
        "updated": None,
        "destroyed": None,
        "notCreated": {key: _why_not(account, given).as_json() for key, given in create.items()} or None,
        "notUpdated": _refused(account, map(call.id_of, update)),
        "notDestroyed": _refused(account, map(call.id_of, destroy)),
    }


def _why_not(account: Account, given: Mapping[str, Any]) -> SetFault:
    address = given.get("email")
    if not isinstance(address, str):
        return SetFault(
            type=SetFaultType.INVALID_PROPERTIES, description="an identity has an address", properties=("email",)
        )
    return _FORBIDDEN if address.casefold() in account.address_keys else _FORBIDDEN_FROM


def _refused(account: Account, object_ids: Iterable[str]) -> dict[str, Any] | None:
    known = identities(account)
    return {each: (_FORBIDDEN if each in known else _NOT_FOUND).as_json() for each in object_ids} or None


METHOD = Method(name="Identity/set", capability=SUBMISSION, run=run)
