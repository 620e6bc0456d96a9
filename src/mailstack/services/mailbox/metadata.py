"""Annotations of mailboxes and of the account. RFC 5464; /private/specialuse: RFC 6154 §4."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mailstack.model.annotation import MAX_ENTRIES, MAX_VALUE_OCTETS, PRIVATE, SHARED, SPECIAL_USE
from mailstack.model.errors import Forbidden, Invalid, TooLarge
from mailstack.model.ids import MailboxId
from mailstack.model.rights import Right
from mailstack.services.mailbox.access import check_rights
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.places import Place, find
from mailstack.services.mailbox.special_use import ATTRIBUTES, assign, check_assignable, role_of

Entries = Mapping[str, bytes]

# RFC 5464 §3.3: with `l`, one of these.
_RIGHTS_TO_ANNOTATE = (Right.READ, Right.SEEN, Right.WRITE, Right.INSERT, Right.POST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """names: lower-case. depth: how many levels below each are wanted too."""

    names: tuple[str, ...]
    depth: int = 0


async def read(mail: AccountMail, path: str, wanted: Wanted) -> tuple[str, Entries]:
    """The path as the server spells it, and what there is. "" is the server. Raises NotFound, Forbidden."""
    if not path:
        found = await mail.annotations.read(mail.account_id, None, viewer=mail.viewer.account_id)
        return path, chosen(found, wanted)
    place = await find(mail, path, Right.LOOKUP)
    _check(place)
    found = await mail.annotations.read(place.mail.account_id, place.mailbox.mailbox_id, viewer=mail.viewer.account_id)
    return place.path, chosen(_with_special_use(place, found), wanted)


async def read_each(places: Sequence[Place], wanted: Wanted) -> list[Entries]:
    """For LIST: one look at each owner's; nothing for those that may not be asked."""
    by_owner: dict[str, Mapping[MailboxId, Entries]] = {}
    answers: list[Entries] = []
    for place in places:
        mail = place.mail
        if mail.account_id not in by_owner:
            by_owner[mail.account_id] = await mail.annotations.read_all(mail.account_id, viewer=mail.viewer.account_id)
        found = by_owner[mail.account_id].get(place.mailbox.mailbox_id, {})
        may = bool(place.rights.intersection(_RIGHTS_TO_ANNOTATE))
        answers.append(chosen(_with_special_use(place, found), wanted) if may else {})
    return answers


async def write(mail: AccountMail, path: str, entries: Sequence[tuple[str, bytes | None]]) -> None:
    """All or none. Raises NotFound, Forbidden, Invalid, TooLarge, TooMany, UseRefused."""
    for name, value in entries:
        if not name.startswith((PRIVATE, SHARED)):
            raise Invalid("entries are private or shared")
        if value is not None and len(value) > MAX_VALUE_OCTETS:
            raise TooLarge(f"a value has at most {MAX_VALUE_OCTETS} octets")
    if not path:
        # RFC 5464 §6.2: what all accounts would see is not for one of them to write.
        if any(name.startswith(SHARED) for name, _ in entries):
            raise Forbidden("shared entries of the server are not yours")
        await _change(mail, None, entries)
        return
    place = await find(mail, path, Right.LOOKUP)
    _check(place)
    if any(name.startswith(SHARED) for name, _ in entries) and not place.mail.is_own:
        # RFC 5464 §3.3 asks for less; but who may only read should not write what all others see.
        check_rights(place.rights, Right.WRITE)
    uses = [
        role_of((value or b"").decode("ascii", "replace").split()) for name, value in entries if name == SPECIAL_USE
    ]
    if uses:
        check_assignable(place)
    plain = [entry for entry in entries if entry[0] != SPECIAL_USE]
    if plain:
        # RFC 5464 §4.3: before the use, of which it is known by now that nothing speaks against it.
        await _change(place.mail, place.mailbox.mailbox_id, plain)
    for role in uses:
        await assign(place, role)


def chosen(found: Entries, wanted: Wanted) -> Entries:
    return {name: value for name, value in sorted(found.items()) if _is_wanted(name, wanted)}


def _is_wanted(name: str, wanted: Wanted) -> bool:
    """RFC 5464 §4.2.2: DEPTH counts levels below the entry that was named."""
    return any(
        name == top or (name.startswith(f"{top}/") and name.count("/") - top.count("/") <= wanted.depth)
        for top in wanted.names
    )


def _check(place: Place) -> None:
    check_rights(place.rights, Right.LOOKUP)
    if not place.rights.intersection(_RIGHTS_TO_ANNOTATE):
        raise Forbidden("needs one of r, s, w, i, p")


def _with_special_use(place: Place, found: Entries) -> Entries:
    role = place.mailbox.role
    if role is None or role not in ATTRIBUTES or not place.mail.is_own:
        return found
    return {**found, SPECIAL_USE: ATTRIBUTES[role].encode("ascii")}


async def _change(mail: AccountMail, mailbox_id: MailboxId | None, entries: Sequence[tuple[str, bytes | None]]) -> None:
    await mail.annotations.change(
        mail.account_id, mailbox_id, entries, viewer=mail.viewer.account_id, limit=MAX_ENTRIES
    )
