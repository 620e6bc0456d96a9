"""Mailboxes created, updated and destroyed: what IMAP's CREATE, RENAME, DELETE and SUBSCRIBE do, by id. RFC 8621 §2.5.

The rules of names and rights are services.mailbox.arranging's.
"""

from collections.abc import Callable, Mapping
from typing import Any

from mailstack.model.errors import AlreadyExists, Conflict, DomainError, Invalid, TooLarge, TooMany, UseRefused
from mailstack.model.ids import MailboxId
from mailstack.model.mailbox import MailboxRole
from mailstack.model.mailbox_changes import Misfit, Obstacle
from mailstack.model.objectid import mailbox_id_of, mailbox_object_id
from mailstack.servers.jmap.errors import set_fault
from mailstack.servers.jmap.held_state import HeldState
from mailstack.servers.jmap.mailbox_object import COUNTS, mailbox_object
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.arranging import Arranging, Refusal, Wanted
from mailstack.services.mailbox.mailboxes_seen import NOTHING_KNOWN, SeenMailbox, mailbox_counts
from mailstack.services.mailbox.special_use import ATTRIBUTES, role_of
from mailstack.wire.jmap.faults import NotSet, SetFault, SetFaultType, invalid_property
from mailstack.wire.jmap.mail.mailbox_wanted import MailboxWanted, read_mailbox
from mailstack.wire.jmap.patch import apply_patch

_MISFITS = {
    Misfit.ROLE_IS_TAKEN: ("role", "another mailbox has this role"),
    Misfit.BELOW_ITSELF: ("parentId", "a mailbox cannot lie below itself"),
}
_OBSTACLES = {
    Obstacle.CHILDREN: SetFaultType.MAILBOX_HAS_CHILD,
    Obstacle.MESSAGES: SetFaultType.MAILBOX_HAS_EMAIL,
}


class MailboxWriting:
    """Of one account, for one call. id_of: resolves references to what was created. Raises MethodFault throughout."""

    def __init__(
        self, mail: AccountMail, arranging: Arranging, held: HeldState, *, id_of: Callable[[str], str]
    ) -> None:
        self._mail = mail
        self._arranging = arranging
        self._held = held
        self._id_of = id_of

    async def create(self, properties: Mapping[str, Any]) -> MailboxId:
        """Raises NotSet."""
        read = read_mailbox({"isSubscribed": self._mail.is_own, **properties}, fixed={})
        if read.role is not None:
            self._check_role(read.role)
            self._check_role_is_free(read.role)
        wanted = self._wanted(read)
        try:
            made, mod_seq = await self._arranging.create(wanted, if_mod_seq=self._held.mod_seq)
        except DomainError as fault:
            raise self._not_set(fault, wanted) from None
        self._held.wrote(mod_seq)
        return made.mailbox_id

    async def update(self, patches: Mapping[str, Mapping[str, Any]]) -> Mapping[str, SetFault]:
        """Why others were not, by id."""
        faults: dict[str, SetFault] = {}
        wanted: dict[MailboxId, Wanted] = {}
        object_ids: dict[MailboxId, str] = {}
        for object_id, patch in patches.items():
            try:
                found = self._find(object_id)
                wanted[found.mailbox.mailbox_id] = await self._changed(found, patch)
                object_ids[found.mailbox.mailbox_id] = object_id
            except NotSet as refusal:
                faults[object_id] = refusal.fault
        try:
            result = await self._arranging.update(wanted, if_mod_seq=self._held.mod_seq)
        except DomainError as fault:
            return faults | dict.fromkeys(object_ids.values(), self._not_set(fault).fault)
        self._held.wrote(result.mod_seq)
        refused = result.refused.items()
        return faults | {object_ids[one]: self._not_set(refusal, wanted[one]).fault for one, refusal in refused}

    async def destroy(self, object_id: str, *, with_emails: bool) -> None:
        """Raises NotSet."""
        found = self._find(object_id)
        try:
            gone = await self._arranging.destroy(
                found.mailbox.mailbox_id, with_messages=with_emails, if_mod_seq=self._held.mod_seq
            )
        except DomainError as fault:
            raise self._not_set(fault) from None
        if gone.obstacle is not None:
            raise NotSet(SetFault(type=_OBSTACLES[gone.obstacle]))
        self._held.wrote(gone.mod_seq)

    def depth(self, object_id: str) -> int:
        """How many stand above it; 0 too for what is not there."""
        mailbox_id = mailbox_id_of(self._mail.account_id, object_id)
        is_there = mailbox_id is not None and mailbox_id in self._arranging.seen
        return len(self._arranging.names_of(mailbox_id)) - 1 if is_there else 0

    async def _changed(self, found: SeenMailbox, patch: Mapping[str, Any]) -> Wanted:
        """Raises NotSet."""
        # Others' numbers are only compared where the client names them.
        is_counted = any(name.partition("/")[0] in COUNTS for name in patch)
        counts = await mailbox_counts(self._mail, found) if is_counted else NOTHING_KNOWN
        before = mailbox_object(self._mail.account_id, found, counts)
        read = read_mailbox({"isSubscribed": self._mail.is_own, **apply_patch(before, patch)}, fixed=before)
        mailbox = found.mailbox
        has_role = None if read.role is None else read.role.value
        if has_role != before["role"]:
            self._check_role(read.role)
        has_name, has_order = read.name != before["name"], read.sort_order != before["sortOrder"]
        return Wanted(
            parent_id=self._parent_id(read) if read.parent_id != before["parentId"] else mailbox.parent_id,
            name=read.name if has_name else mailbox.name,
            role=read.role if has_role != before["role"] else mailbox.role,
            is_subscribed=read.is_subscribed,
            sort_order=read.sort_order if has_order else found.sort_order,
        )

    def _wanted(self, read: MailboxWanted) -> Wanted:
        """Raises NotSet."""
        return Wanted(
            parent_id=self._parent_id(read),
            name=read.name,
            role=read.role,
            is_subscribed=read.is_subscribed,
            sort_order=read.sort_order,
        )

    def _find(self, object_id: str) -> SeenMailbox:
        """Raises NotSet."""
        mailbox_id = mailbox_id_of(self._mail.account_id, object_id)
        if mailbox_id is None or mailbox_id not in self._arranging.seen:
            raise NotSet(SetFault(type=SetFaultType.NOT_FOUND))
        return self._arranging.seen[mailbox_id]

    def _parent_id(self, read: MailboxWanted) -> MailboxId | None:
        """Raises NotSet."""
        if read.parent_id is None:
            return None
        parent_id = mailbox_id_of(self._mail.account_id, self._id_of(read.parent_id))
        if parent_id is None or parent_id not in self._arranging.seen:
            raise invalid_property("parentId", "there is no such mailbox")
        return parent_id

    def _check_role(self, role: MailboxRole | None) -> None:
        """Raises NotSet."""
        if role is None:
            return
        try:
            role_of([ATTRIBUTES.get(role, "")])
        except UseRefused:
            raise invalid_property("role", "no mailbox here can be given this role") from None

    def _check_role_is_free(self, role: MailboxRole) -> None:
        """Raises NotSet."""
        if any(each.mailbox.role is role for each in self._arranging.seen.values()):
            raise self._not_set(Misfit.ROLE_IS_TAKEN)

    def _name_is_taken(self, wanted: Wanted | None) -> NotSet:
        """RFC 8620 §5.4: alreadyExists tells by whom, unless the viewer may not know of it."""
        more: dict[str, str] = {}
        place = None if wanted is None else (wanted.parent_id, wanted.name)
        for mailbox_id, each in self._arranging.seen.items():
            if (each.mailbox.parent_id, each.mailbox.name) == place:
                more = {"existingId": mailbox_object_id(self._mail.account_id, mailbox_id)}
        text = "another mailbox there has this name"
        return NotSet(SetFault(type=SetFaultType.ALREADY_EXISTS, description=text, properties=("name",), more=more))

    def _not_set(self, refusal: Refusal, wanted: Wanted | None = None) -> NotSet:
        """TooMany is of the account, other limits are of a property. Raises MethodFault."""
        match refusal:
            case Misfit.NAME_IS_TAKEN | AlreadyExists():
                return self._name_is_taken(wanted)
            case Misfit():
                return invalid_property(*_MISFITS[refusal])
            case Conflict():
                return NotSet(self._held.lost(refusal))
            case UseRefused():
                return invalid_property("role", "this mailbox keeps its role")
            case TooMany():
                return NotSet(set_fault(refusal))
            case Invalid() | TooLarge():
                return invalid_property("name", refusal.detail)
            case _:
                return NotSet(set_fault(refusal))
