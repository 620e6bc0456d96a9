"""Mailbox/set. RFC 8621 §2.5, RFC 8620 §5.3."""

from collections.abc import Mapping, Sequence
from typing import Any

from mailstack.model.ids import MailboxId
from mailstack.model.objectid import mailbox_object_id
from mailstack.servers.jmap.held_state import hold_state
from mailstack.servers.jmap.mailbox_object import mailbox_object
from mailstack.servers.jmap.mailbox_writing import MailboxWriting
from mailstack.servers.jmap.method import Call, Method
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.arranging import arranging
from mailstack.services.mailbox.mailboxes_seen import NOTHING_KNOWN, seen_mailboxes
from mailstack.wire.jmap.arguments import REFERENCE, Arguments
from mailstack.wire.jmap.faults import MethodFault, MethodFaultType, NotSet, SetFault, SetFaultType
from mailstack.wire.jmap.session import MAIL

_Objects = Mapping[str, Mapping[str, Any]]
_Faults = dict[str, SetFault]


async def mailbox_set(call: Call, arguments: Arguments) -> dict[str, Any]:
    mail = await call.mail(arguments.id("accountId"))
    create, update = arguments.objects("create") or {}, arguments.updates("update") or {}
    going = arguments.ids("destroy") or ()
    with_emails = arguments.boolean("onDestroyRemoveEmails", default=False)
    before = await mail.changes.mod_seq(mail.account_id)
    held = hold_state(arguments, before)
    arguments.finish()
    if len(create) + len(update) + len(going) > call.service.limits.objects_in_set:
        raise MethodFault(MethodFaultType.REQUEST_TOO_LARGE)
    setting = _Setting(call, mail, MailboxWriting(mail, await arranging(mail), held, id_of=call.id_of))
    await setting.create(create)
    # RFC 8620 §5.3: creation ids of this very call may be meant.
    destroy = [*map(call.id_of, going)]
    await setting.update(update, going={*destroy})
    await setting.destroy(destroy, with_emails=with_emails)
    if setting.updated or setting.destroyed:
        # RFC 8620 §5.3: what counts is the state at the end, and a name or a role may be free by now.
        await setting.create({key: create[key] for key in [*setting.not_created]})
        await setting.update(
            {key: update[key] for key in update if call.id_of(key) in setting.not_updated}, going={*destroy}
        )
    return {
        "accountId": mail.account_id,
        "oldState": str(before),
        "newState": held.new_state(await mail.changes.mod_seq(mail.account_id)),
        "created": await _made(mail, setting.created, create) or None,
        "updated": dict.fromkeys(setting.updated) or None,
        "destroyed": setting.destroyed or None,
        "notCreated": _as_json(setting.not_created),
        "notUpdated": _as_json(setting.not_updated),
        "notDestroyed": _as_json(setting.not_destroyed),
    }


class _Setting:
    """What came of one call so far. Raises MethodFault."""

    def __init__(self, call: Call, mail: AccountMail, writing: MailboxWriting) -> None:
        self._call = call
        self._account_id = mail.account_id
        self._writing = writing
        self.created: dict[str, MailboxId] = {}
        self.updated: list[str] = []
        self.destroyed: list[str] = []
        self.not_created: _Faults = {}
        self.not_updated: _Faults = {}
        self.not_destroyed: _Faults = {}

    async def create(self, wanted: _Objects) -> None:
        """Parents before their children, in whatever order they come."""
        for key in _parents_first(wanted):
            try:
                self.created[key] = await self._writing.create(wanted[key])
                self._call.created[key] = mailbox_object_id(self._account_id, self.created[key])
                self.not_created.pop(key, None)
            except NotSet as refusal:
                self.not_created[key] = refusal.fault

    async def update(self, patches: _Objects, *, going: set[str]) -> None:
        by_id = {self._call.id_of(key): patch for key, patch in patches.items()}
        faults: _Faults = {one: SetFault(type=SetFaultType.WILL_DESTROY) for one in by_id if one in going}
        faults |= await self._writing.update({one: patch for one, patch in by_id.items() if one not in faults})
        for object_id in by_id:
            self.not_updated.pop(object_id, None)
            if object_id in faults:
                self.not_updated[object_id] = faults[object_id]
            else:
                self.updated.append(object_id)

    async def destroy(self, object_ids: Sequence[str], *, with_emails: bool) -> None:
        """Children before their parents."""
        for object_id in sorted(object_ids, key=self._writing.depth, reverse=True):
            try:
                await self._writing.destroy(object_id, with_emails=with_emails)
                self.destroyed.append(object_id)
            except NotSet as refusal:
                self.not_destroyed[object_id] = refusal.fault


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
            whole = mailbox_object(mail.account_id, found, NOTHING_KNOWN)
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


def _as_json(faults: _Faults) -> dict[str, Any] | None:
    return {key: fault.as_json() for key, fault in faults.items()} or None


METHOD = Method(name="Mailbox/set", capability=MAIL, run=mailbox_set)
