"""One mailbox created, updated or destroyed: what IMAP's CREATE, RENAME, DELETE and SUBSCRIBE do, by id.

RFC 8621 §2.5; the rules of names and rights are services.mailbox.hierarchy's.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from mailstack.model.errors import AlreadyExists, Conflict, Invalid, TooLarge, TooMany, UseRefused
from mailstack.model.ids import MailboxId
from mailstack.model.mailbox import MailboxRole
from mailstack.model.objectid import mailbox_id_of, mailbox_object_id
from mailstack.model.rights import Right
from mailstack.servers.jmap.mailbox_object import mailbox_object
from mailstack.services.mailbox import hierarchy
from mailstack.services.mailbox.access import check_rights
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.mailboxes_seen import SeenMailbox, mailbox_counts, seen_mailboxes
from mailstack.services.mailbox.paths import join_path
from mailstack.services.mailbox.places import Place
from mailstack.services.mailbox.special_use import ATTRIBUTES, assign, role_of
from mailstack.wire.jmap.faults import NotSet, SetFault, SetFaultType, invalid_property
from mailstack.wire.jmap.mail.mailbox_wanted import MailboxWanted, read_mailbox
from mailstack.wire.jmap.patch import apply_patch

_Seen = Mapping[MailboxId, SeenMailbox]


class Taken(NotSet):
    """By another, as things are; what else is to be set may change that."""


class MailboxWriting:
    """Of one account. id_of: resolves references to what was created. Raises NotSet, DomainError throughout."""

    def __init__(self, mail: AccountMail, *, id_of: Callable[[str], str]) -> None:
        self._mail = mail
        self._id_of = id_of

    async def create(self, properties: Mapping[str, Any]) -> MailboxId:
        wanted = self._read({"isSubscribed": self._mail.is_own, **properties}, fixed={})
        seen = await seen_mailboxes(self._mail)
        path = self._path(seen, wanted)
        if wanted.role is not None:
            _check_role(seen, wanted.role)
        try:
            place = await hierarchy.create(self._mail, path, role=wanted.role)
        except (AlreadyExists, Invalid, TooLarge, UseRefused) as fault:
            raise _unfit(fault, self._namesake(seen, wanted)) from None
        await self._subscribe(place.mailbox.mailbox_id, is_subscribed=wanted.is_subscribed)
        return place.mailbox.mailbox_id

    async def update(self, object_id: str, patch: Mapping[str, Any]) -> None:
        seen = await seen_mailboxes(self._mail)
        found = self._find(seen, object_id)
        before = mailbox_object(self._mail.account_id, found, await mailbox_counts(self._mail, found))
        defaults = {"isSubscribed": self._mail.is_own, "sortOrder": before["sortOrder"]}
        wanted = self._read({**defaults, **apply_patch(before, patch)}, fixed=before)
        mailbox = found.mailbox
        role = MailboxRole(before["role"]) if before["role"] else None
        if wanted.role is not role:
            self._check_own_role(found)
            if wanted.role is not None:
                _check_role(seen, wanted.role)
        if (wanted.name, wanted.parent_id) != (before["name"], before["parentId"]):
            await self._rename(seen, found, wanted)
        if wanted.role is not role:
            await assign(Place(mail=self._mail, mailbox=mailbox, path="", rights=found.rights), wanted.role)
        if wanted.is_subscribed is not found.is_subscribed:
            check_rights(found.rights, Right.LOOKUP)
            await self._subscribe(mailbox.mailbox_id, is_subscribed=wanted.is_subscribed)

    async def destroy(self, object_id: str, *, with_emails: bool) -> None:
        seen = await seen_mailboxes(self._mail)
        found = self._find(seen, object_id)
        mailbox = found.mailbox
        if mailbox.role is MailboxRole.INBOX:
            raise NotSet(SetFault(type=SetFaultType.FORBIDDEN, description="mail is delivered there"))
        check_rights(found.rights, Right.DELETE_MAILBOX)
        if await self._mail.mailboxes.has_children(self._mail.account_id, mailbox.mailbox_id):
            raise NotSet(SetFault(type=SetFaultType.MAILBOX_HAS_CHILD))
        # RFC 8621 §4.1.1: those that have \Deleted are not there.
        if mailbox.status.messages > mailbox.status.deleted and not with_emails:
            raise NotSet(SetFault(type=SetFaultType.MAILBOX_HAS_EMAIL))
        try:
            await hierarchy.delete(self._mail, join_path(_names(seen, mailbox.mailbox_id)))
        except Conflict:
            raise NotSet(SetFault(type=SetFaultType.MAILBOX_HAS_CHILD)) from None

    async def depth(self, object_id: str) -> int:
        """How many stand above it; 0 too for what is not there."""
        seen = await seen_mailboxes(self._mail)
        mailbox_id = mailbox_id_of(self._mail.account_id, object_id)
        return 0 if mailbox_id is None or mailbox_id not in seen else len(_names(seen, mailbox_id)) - 1

    def _read(self, properties: Mapping[str, Any], *, fixed: Mapping[str, Any]) -> MailboxWanted:
        wanted = read_mailbox(properties, fixed=fixed)
        return wanted if wanted.parent_id is None else replace(wanted, parent_id=self._id_of(wanted.parent_id))

    def _find(self, seen: _Seen, object_id: str) -> SeenMailbox:
        mailbox_id = mailbox_id_of(self._mail.account_id, object_id)
        if mailbox_id is None or mailbox_id not in seen:
            raise NotSet(SetFault(type=SetFaultType.NOT_FOUND))
        return seen[mailbox_id]

    def _path(self, seen: _Seen, wanted: MailboxWanted) -> str:
        if wanted.parent_id is None:
            return wanted.name
        parent_id = mailbox_id_of(self._mail.account_id, wanted.parent_id)
        if parent_id is None or parent_id not in seen:
            raise invalid_property("parentId", "there is no such mailbox")
        return join_path((*_names(seen, parent_id), wanted.name))

    async def _rename(self, seen: _Seen, found: SeenMailbox, wanted: MailboxWanted) -> None:
        if found.mailbox.role is MailboxRole.INBOX:
            # RFC 9051 §6.3.6: RENAME would give its messages away; nobody asks for that here.
            raise NotSet(SetFault(type=SetFaultType.FORBIDDEN, description="the inbox keeps its name and its place"))
        check_rights(found.rights, Right.DELETE_MAILBOX)
        path, new_path = join_path(_names(seen, found.mailbox.mailbox_id)), self._path(seen, wanted)
        if new_path.startswith(f"{path}/"):
            raise invalid_property("parentId", "a mailbox cannot lie below itself")
        try:
            await hierarchy.rename(self._mail, path, new_path)
        except (AlreadyExists, Invalid, TooLarge) as fault:
            raise _unfit(fault, self._namesake(seen, wanted)) from None

    def _namesake(self, seen: _Seen, wanted: MailboxWanted) -> str | None:
        """The id of who has that name there; None where it is nobody that the viewer may know of."""
        account_id = self._mail.account_id
        parent_id = None if wanted.parent_id is None else mailbox_id_of(account_id, wanted.parent_id)
        for mailbox_id, each in seen.items():
            if each.mailbox.parent_id == parent_id and each.mailbox.name == wanted.name:
                return mailbox_object_id(account_id, mailbox_id)
        return None

    async def _subscribe(self, mailbox_id: MailboxId, *, is_subscribed: bool) -> None:
        mail = self._mail
        if mail.is_own:
            await mail.mailboxes.subscribe(mail.account_id, mailbox_id, is_subscribed=is_subscribed)
        else:
            viewer = mail.viewer.account_id
            await mail.sharing.subscribe(viewer, mail.account_id, mailbox_id, is_subscribed=is_subscribed)

    def _check_own_role(self, found: SeenMailbox) -> None:
        if not self._mail.is_own or found.mailbox.role is MailboxRole.INBOX:
            raise invalid_property("role", "this mailbox keeps its role")


def _check_role(seen: _Seen, role: MailboxRole) -> None:
    try:
        role_of([ATTRIBUTES.get(role, "")])
    except UseRefused:
        raise invalid_property("role", "no mailbox here can be given this role") from None
    if any(each.mailbox.role is role for each in seen.values()):
        raise Taken(invalid_property("role", "another mailbox has this role").fault)


def _unfit(fault: AlreadyExists | Invalid | TooLarge | UseRefused, namesake: str | None) -> Exception:
    """TooMany is of the account, all else of a property. namesake: the id of who has the name."""
    match fault:
        case TooMany():
            return fault
        case AlreadyExists():
            # RFC 8620 §5.4: alreadyExists tells which.
            more = {} if namesake is None else {"existingId": namesake}
            text = "another mailbox there has this name"
            return Taken(SetFault(type=SetFaultType.ALREADY_EXISTS, description=text, properties=("name",), more=more))
        case UseRefused():
            return invalid_property("role", "this mailbox cannot have a role")
        case _:
            return invalid_property("name", fault.detail)


def _names(seen: _Seen, mailbox_id: MailboxId) -> tuple[str, ...]:
    """From the top down, as the store has them."""
    names: list[str] = []
    at: MailboxId | None = mailbox_id
    while at is not None:
        names.append(seen[at].mailbox.name)
        at = seen[at].mailbox.parent_id
    return tuple(reversed(names))
