"""What every /get, /changes and /set has in common. RFC 8620 §5.1 to §5.3."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any, TypeVar

from mailstack.model.changes import ChangedIds, LogPoint
from mailstack.model.errors import Conflict
from mailstack.model.ids import AccountId
from mailstack.model.object_journal import ObjectKind
from mailstack.ports.object_journal import ObjectJournal
from mailstack.servers.jmap.method import Call
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.faults import MethodFault, MethodFaultType, invalid_arguments
from mailstack.wire.jmap.states import read_object_state, read_state, write_object_state, write_state

MOST_CHANGES = 1_000
"""In one answer, where a client wants as many as there are."""

Id = TypeVar("Id")


def read_ids(call: Call, arguments: Arguments) -> Sequence[str] | None:
    """None: all. Raises MethodFault."""
    ids = arguments.ids("ids")
    if ids is None:
        return None
    check_count(call, len(ids))
    return list(dict.fromkeys(map(call.id_of, ids)))


def check_count(call: Call, count: int) -> None:
    if count > call.service.limits.objects_in_get:
        raise MethodFault(MethodFaultType.REQUEST_TOO_LARGE)


def read_properties(arguments: Arguments, known: Collection[str]) -> frozenset[str]:
    """With `id`, asked for or not. Raises MethodFault."""
    names = arguments.texts("properties")
    if names is None:
        return frozenset(known)
    unknown = sorted({*names}.difference(known))
    if unknown:
        # RFC 8620 §5.1: an invalid property is one of the arguments.
        raise invalid_arguments(f"no such properties: {', '.join(unknown)}")
    return frozenset({"id", *names})


def check_in_state(arguments: Arguments, state: str, *, name: str = "ifInState") -> None:
    """RFC 8620 §5.3, §5.4. Raises MethodFault."""
    wanted = arguments.optional_text(name)
    if wanted is not None and wanted != state:
        raise MethodFault(MethodFaultType.STATE_MISMATCH)


def read_most_changes(arguments: Arguments) -> int:
    """RFC 8620 §5.2: maxChanges is above 0. Raises MethodFault."""
    most = arguments.optional_unsigned("maxChanges")
    if most == 0:
        raise invalid_arguments("maxChanges is not above 0")
    return MOST_CHANGES if most is None else min(most, MOST_CHANGES)


async def changes_of_mail(
    mail: AccountMail,
    since: str,
    *,
    ask: Callable[[LogPoint], Awaitable[ChangedIds[Id]]],
    object_id: Callable[[Id], str],
) -> tuple[dict[str, Any], ChangedIds[Id]]:
    """The answer, and what it was made from. ask: raises Conflict where it cannot be told. Raises MethodFault."""
    point = read_state(since)
    if point is None:
        raise MethodFault(MethodFaultType.CANNOT_CALCULATE_CHANGES)
    try:
        found = await ask(point)
    except Conflict:
        raise MethodFault(MethodFaultType.CANNOT_CALCULATE_CHANGES) from None
    return {
        "accountId": mail.account_id,
        "oldState": since,
        "newState": write_state(found.point),
        "hasMoreChanges": found.has_more,
        "created": [*map(object_id, found.created)],
        "updated": [*map(object_id, found.updated)],
        "destroyed": [*map(object_id, found.destroyed)],
    }, found


def read_if_number(arguments: Arguments) -> int | None:
    """RFC 8620 §5.3, of what lies with the system: the number that its journal has to be at. Raises MethodFault."""
    wanted = arguments.optional_text("ifInState")
    if wanted is None:
        return None
    point = read_object_state(wanted)
    # Who is still on the way to a state does not know all of it.
    if point is None or point.began is not None:
        raise MethodFault(MethodFaultType.STATE_MISMATCH)
    return point.number


async def changes_of_objects(
    journal: ObjectJournal, account_id: AccountId, kind: ObjectKind, since: str, *, limit: int
) -> dict[str, Any]:
    """The answer, of what lies with the system. Raises MethodFault."""
    point = read_object_state(since)
    if point is None:
        raise MethodFault(MethodFaultType.CANNOT_CALCULATE_CHANGES)
    try:
        found = await journal.changed(account_id, kind, point, limit=limit)
    except Conflict:
        raise MethodFault(MethodFaultType.CANNOT_CALCULATE_CHANGES) from None
    return {
        "accountId": account_id,
        "oldState": since,
        "newState": write_object_state(found.point),
        "hasMoreChanges": found.has_more,
        "created": [*found.created],
        "updated": [*found.updated],
        "destroyed": [*found.destroyed],
    }
