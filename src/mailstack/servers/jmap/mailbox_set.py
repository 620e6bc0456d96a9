"""Mailbox/set. RFC 8621 §2.5, RFC 8620 §5.3."""

from collections.abc import Iterable, Mapping
from typing import Any

from mailstack.model.errors import DomainError
from mailstack.model.ids import MailboxId
from mailstack.model.objectid import mailbox_object_id
from mailstack.servers.jmap.errors import set_fault
from mailstack.servers.jmap.getting import check_in_state
from mailstack.servers.jmap.mailbox_object import mailbox_object
from mailstack.servers.jmap.mailbox_writing import MailboxWriting, Taken
from mailstack.servers.jmap.method import Call, Method
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.mailboxes_seen import mailbox_counts, seen_mailboxes
from mailstack.wire.jmap.arguments import REFERENCE, Arguments
from mailstack.wire.jmap.faults import MethodFault, MethodFaultType, NotSet, SetFault, SetFaultType
from mailstack.wire.jmap.session import MAIL

_Objects = Mapping[str, Mapping[str, Any]]
_Faults = dict[str, SetFault]


async def mailbox_set(call: Call, arguments: Arguments) -> dict[str, Any]:
    mail = await call.mail(arguments.id("accountId"))
    create, update = arguments.objects("create") or {}, arguments.updates("update") or {}
    destroy = [call.id_of(each) for each in arguments.ids("destroy") or ()]
    with_emails = arguments.boolean("onDestroyRemoveEmails", default=False)
    old_state = str(await mail.changes.mod_seq(mail.account_id))
    check_in_state(arguments, old_state)
    arguments.finish()
    if len(create) + len(update) + len(destroy) > call.service.limits.objects_in_set:
        raise MethodFault(MethodFaultType.REQUEST_TOO_LARGE)
    writing = MailboxWriting(mail, id_of=call.id_of)
    created, not_created = await _create(call, mail, writing, create)
    updated, not_updated = await _update(call, writing, update, going={*destroy})
    destroyed, not_destroyed = await _destroy(writing, destroy, with_emails=with_emails)
    return {
        "accountId": mail.account_id,
        "oldState": old_state,
        "newState": str(await mail.changes.mod_seq(mail.account_id)),
        "created": await _made(mail, created, create) or None,
        "updated": dict.fromkeys(updated) or None,
        "destroyed": destroyed or None,
        "notCreated": _as_json(not_created),
        "notUpdated": _as_json(not_updated),
        "notDestroyed": _as_json(not_destroyed),
    }


async def _create(
    call: Call, mail: AccountMail, writing: MailboxWriting, wanted: _Objects
) -> tuple[dict[str, MailboxId], _Faults]:
    """Parents before their children, in whatever order they come."""
    created: dict[str, MailboxId] = {}
    faults: _Faults = {}
    for key in _parents_first(wanted):
        try:
            created[key] = await writing.create(wanted[key])
            call.created[key] = mailbox_object_id(mail.account_id, created[key])
        except (NotSet, DomainError) as fault:
            faults[key] = _fault(fault)
    return created, faults


async def _update(
    call: Call, writing: MailboxWriting, patches: _Objects, *, going: set[str]
) -> tuple[list[str], _Faults]:
    """What another has is tried once more after that other has changed. RFC 8620 §5.3: the final state has to be
    valid, and not each on the way there."""
    # Deviates: names or roles that go round in a circle are refused.
    updated: list[str] = []
    faults: _Faults = {}
    left = {call.id_of(key): patch for key, patch in patches.items()}
    while left:
        taken: dict[str, Mapping[str, Any]] = {}
        for object_id, patch in left.items():
            faults.pop(object_id, None)
            try:
                if object_id in going:
                    raise NotSet(SetFault(type=SetFaultType.WILL_DESTROY))
                await writing.update(object_id, patch)
                updated.append(object_id)
            except (NotSet, DomainError) as fault:
                faults[object_id] = _fault(fault)
                if isinstance(fault, Taken):
                    taken[object_id] = patch
        if len(taken) == len(left):
            break
        left = taken
    return updated, faults


async def _destroy(
    writing: MailboxWriting, object_ids: Iterable[str], *, with_emails: bool
) -> tuple[list[str], _Faults]:
    """Children before their parents."""
    destroyed: list[str] = []
    faults: _Faults = {}
    depths = {object_id: await writing.depth(object_id) for object_id in object_ids}
    for object_id in sorted(depths, key=depths.__getitem__, reverse=True):
        try:
            await writing.destroy(object_id, with_emails=with_emails)
            destroyed.append(object_id)
        except (NotSet, DomainError) as fault:
            faults[object_id] = _fault(fault)
    return destroyed, faults


async def _made(mail: AccountMail, created: Mapping[str, MailboxId], given: _Objects) -> dict[str, Any]:
    """RFC 8620 §5.3: of each what the client did not send."""
    if not created:
        return {}
    seen = await seen_mailboxes(mail)
    made: dict[str, Any] = {}
    for key, mailbox_id in created.items():
        made[key] = {"id": mailbox_object_id(mail.account_id, mailbox_id)}
        if mailbox_id in seen:  # else it is gone again, or not to be looked up
            found = seen[mailbox_id]
            whole = mailbox_object(mail.account_id, found, await mailbox_counts(mail, found))
            made[key] |= {name: value for name, value in whole.items() if name not in given[key]}
    return made


def _parents_first(wanted: _Objects) -> list[str]:
    """Those whose parents go round in a circle come last, and find none."""
    order: dict[str, None] = {}
    for key in wanted:
        way: list[str] = []
        at: object = key
        while isinstance(at, str) and at in wanted and at not in order and at not in way:
            way.append(at)
            parent = wanted[at].get("parentId")
            at = parent[1:] if isinstance(parent, str) and parent.startswith(REFERENCE) else None
        order.update(dict.fromkeys(reversed(way)))
    return [*order]


def _fault(fault: NotSet | DomainError) -> SetFault:
    return fault.fault if isinstance(fault, NotSet) else set_fault(fault)


def _as_json(faults: _Faults) -> dict[str, Any] | None:
    return {key: fault.as_json() for key, fault in faults.items()} or None


METHOD = Method(name="Mailbox/set", capability=MAIL, run=mailbox_set)
