"""Email/set. RFC 8621 §4.6, RFC 8620 §5.3."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from mailstack.model.email import EmailUpdate, PlacedEmail, SetPatch
from mailstack.model.errors import Conflict, TryAgainLater
from mailstack.model.flags import MAX_KEYWORDS_PER_MESSAGE
from mailstack.model.ids import MailboxId, MessageId
from mailstack.model.objectid import email_id_of
from mailstack.servers.jmap.email_making import mailboxes_named, make_each, make_email
from mailstack.servers.jmap.errors import set_fault
from mailstack.servers.jmap.held_state import HeldState, hold_state
from mailstack.servers.jmap.method import Call, Method
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.emails import destroy, placed, update
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.faults import MethodFault, MethodFaultType, NotSet, SetFault, SetFaultType, invalid_property
from mailstack.wire.jmap.mail.email_patch import email_patch, respelt
from mailstack.wire.jmap.session import MAIL

_Objects = Mapping[str, Mapping[str, Any]]
_Faults = dict[str, SetFault]
_NOT_FOUND = SetFault(type=SetFaultType.NOT_FOUND)


async def email_set(call: Call, arguments: Arguments) -> dict[str, Any]:
    mail = await call.mail(arguments.id("accountId"))
    given, patches = arguments.objects("create") or {}, arguments.updates("update") or {}
    going = arguments.ids("destroy") or ()
    before = await mail.changes.mod_seq(mail.account_id)
    held = hold_state(arguments, before)
    arguments.finish()
    if len(given) + len(patches) + len(going) > call.service.limits.objects_in_set:
        raise MethodFault(MethodFaultType.REQUEST_TOO_LARGE)
    created, not_created = await make_each(call, mail, given, make_email, held)
    # RFC 8620 §5.3: creation ids of this very call may be meant.
    updated, not_updated = await _update(call, mail, patches, held, going={*map(call.id_of, going)})
    destroyed, not_destroyed = await _destroy(mail, [*map(call.id_of, going)], held)
    return {
        "accountId": mail.account_id,
        "oldState": str(before),
        "newState": held.new_state(await mail.changes.mod_seq(mail.account_id)),
        "created": created or None,
        "updated": dict.fromkeys(updated) or None,
        "destroyed": destroyed or None,
        "notCreated": _as_json(not_created),
        "notUpdated": _as_json(not_updated),
        "notDestroyed": _as_json(not_destroyed),
    }


METHOD = Method(name="Email/set", capability=MAIL, run=email_set)


async def _update(
    call: Call, mail: AccountMail, patches: _Objects, held: HeldState, *, going: set[str]
) -> tuple[Sequence[str], _Faults]:
    by_id = {call.id_of(key): patch for key, patch in patches.items()}
    numbers = {object_id: _number(mail, object_id) for object_id in by_id}
    object_ids = {number: object_id for object_id, number in numbers.items() if number is not None}
    there = await placed(mail, list(object_ids))
    faults: _Faults = {}
    updates: list[EmailUpdate] = []
    for object_id, patch in by_id.items():
        # There may be many, and others are let in between.
        await asyncio.sleep(0)
        number = numbers[object_id]
        if object_id in going:
            faults[object_id] = SetFault(type=SetFaultType.WILL_DESTROY)
        elif number is None or number not in there:
            faults[object_id] = _NOT_FOUND
        else:
            try:
                updates.append(_change(call, mail, there[number], patch))
            except NotSet as refusal:
                faults[object_id] = refusal.fault
    if not updates:
        return [], faults
    try:
        result = await update(mail, updates, if_mod_seq=held.mod_seq)
    except (Conflict, TryAgainLater) as late:
        return [], faults | dict.fromkeys([object_ids[each.message_id] for each in updates], held.lost(late))
    held.wrote(result.mod_seq)
    faults |= {object_ids[number]: set_fault(refusal) for number, refusal in result.refused.items()}
    return [object_ids[each.message_id] for each in result.updated], faults


def _change(call: Call, mail: AccountMail, email: PlacedEmail, patch: Mapping[str, Any]) -> EmailUpdate:
    """Raises NotSet."""
    read = email_patch(patch)
    mailboxes: SetPatch[MailboxId] = SetPatch(
        whole=None if read.mailbox_ids.whole is None else mailboxes_named(call, mail, sorted(read.mailbox_ids.whole)),
        added=mailboxes_named(call, mail, sorted(read.mailbox_ids.added)),
        removed=mailboxes_named(call, mail, sorted(read.mailbox_ids.removed)),
    )
    if not mailboxes.of(email.mailbox_ids):
        # RFC 8621 §4.1.1: it belongs to one or more, until it is destroyed.
        raise invalid_property("mailboxIds", "an email is in one mailbox at least; what is to go is destroyed")
    keywords = respelt(read.keywords, email.keywords)
    if len(keywords.of(email.keywords)) > MAX_KEYWORDS_PER_MESSAGE:
        raise NotSet(SetFault(type=SetFaultType.TOO_MANY_KEYWORDS))
    return EmailUpdate(message_id=email.message_id, keywords=keywords, mailboxes=mailboxes)


async def _destroy(mail: AccountMail, ids: Sequence[str], held: HeldState) -> tuple[Sequence[str], _Faults]:
    numbers = {each: _number(mail, each) for each in ids}
    asked = {number: each for each, number in numbers.items() if number is not None}
    faults = {each: _NOT_FOUND for each, number in numbers.items() if number is None}
    if not asked:
        return [], faults
    try:
        result = await destroy(mail, list(asked), if_mod_seq=held.mod_seq)
    except (Conflict, TryAgainLater) as late:
        return [], faults | dict.fromkeys(asked.values(), held.lost(late))
    if result.destroyed:
        held.wrote_last()
    faults |= {asked[number]: set_fault(refusal) for number, refusal in result.refused.items()}
    return [asked[number] for number in result.destroyed], faults


def _number(mail: AccountMail, object_id: str) -> MessageId | None:
    number = email_id_of(mail.account_id, object_id)
    return None if number is None else MessageId(number)


def _as_json(faults: _Faults) -> dict[str, Any] | None:
    return {key: fault.as_json() for key, fault in faults.items()} or None
