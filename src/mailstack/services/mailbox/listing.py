"""Which mailboxes LIST and LSUB name. RFC 3501 §6.3.8-§6.3.9, RFC 5258, RFC 9051 §6.3.9; rights: RFC 4314 §4.

One's own first, then those that others share. What may not be looked up is as if it were not there; above what may, a
name without a mailbox stands.
"""

import asyncio
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import NamedTuple

from mailstack.model.mailbox import DELIMITER, Mailbox
from mailstack.model.rights import ALL_RIGHTS, Right
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.paths import above_all, ancestors, split_path
from mailstack.services.mailbox.patterns import Pattern
from mailstack.services.mailbox.places import OTHER_USERS, Place, shown_path
from mailstack.services.mailbox.sharing import SharedTree, shared_trees
from mailstack.services.mailbox.tree import load_tree

NAMES_AT_ONCE = 500
"""Matched before others have their turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """is_recursive: RFC 5258 §3.1: names above what is selected are listed too."""

    patterns: tuple[Pattern, ...]
    is_subscribed: bool = False
    has_special_use: bool = False
    is_recursive: bool = False

    @property
    def is_selective(self) -> bool:
        return self.is_subscribed or self.has_special_use

    def matches(self, path: str) -> bool:
        for pattern in self.patterns:  # noqa: SIM110  # asked of every name; any() takes twice as long
            if pattern.matches(path):
                return True
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """place: None for a name that has no mailbox, or none that may be known. is_above_selected: RFC 5258 §3.5."""

    path: str
    place: Place | None
    has_children: bool
    is_subscribed: bool
    is_above_selected: bool = False


class _Name(NamedTuple):
    """place: None for a name that only stands above others, or is subscribed to and no mailbox's."""

    path: str
    place: Place | None
    is_subscribed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Names:
    """there: what may be known of. absent: RFC 5258 §3: what is subscribed to besides, and has no mailbox."""

    there: Sequence[_Name]
    absent: Sequence[_Name]

    def parents(self) -> set[str]:
        """What is absent is nobody's child. All that stands above others is there itself, so one level is enough."""
        return {name.path.rpartition(DELIMITER)[0] for name in self.there}


async def list_mailboxes(mail: AccountMail, selection: Selection) -> list[Listed]:
    known = await _names(mail)
    names = [*known.there, *(known.absent if selection.is_subscribed else ())]
    above: set[str] = set()
    needed: set[str] = set()
    if selection.is_recursive:
        selected = [name.path for name in names if _is_selected(name, selection)]
        above = above_all(selected)
        # RFC 5258 §3.5: a parent that is not selected itself is told for those of its children that are not.
        needed = above_all(path for path in selected if not selection.matches(path))
        names += [_Name(path, None, False) for path in sorted(above.difference(name.path for name in names))]
    parents = known.parents()
    found: list[Listed] = []
    for count, name in enumerate(names, start=1):
        if count % NAMES_AT_ONCE == 0:
            await asyncio.sleep(0)
        if selection.matches(name.path) and (_is_told(name, selection) or name.path in needed):
            found.append(
                Listed(
                    path=name.path,
                    place=name.place,
                    has_children=name.path in parents,
                    is_subscribed=name.is_subscribed,
                    is_above_selected=name.path in above,
                )
            )
    return found


async def list_subscribed(mail: AccountMail, pattern: Pattern) -> list[Listed]:
    """RFC 3501 §6.3.9: where `%` stops above something subscribed, its parent is named, as not selectable."""
    names = await _names(mail)
    parents = names.parents()
    listed: dict[str, Listed] = {}
    for count, name in enumerate([*names.there, *names.absent], start=1):
        if count % NAMES_AT_ONCE == 0:
            await asyncio.sleep(0)
        if not name.is_subscribed:
            continue
        if pattern.matches(name.path):
            listed[name.path] = Listed(
                path=name.path, place=name.place, has_children=name.path in parents, is_subscribed=True
            )
            continue
        for parent in ancestors(name.path):
            if parent not in listed and pattern.matches(parent):
                listed[parent] = Listed(path=parent, place=None, has_children=True, is_subscribed=False)
    return list(listed.values())


async def has_children(place: Place) -> bool:
    """As LIST tells it: what may not be known of is nobody's child."""
    mail = place.mail
    if not await mail.mailboxes.has_children(mail.account_id, place.mailbox.mailbox_id):
        return False
    if mail.is_own:
        return True
    shown = (name.path for shared in await shared_trees(mail) for name in _shared_names(shared, set()))
    return any(path.startswith(place.path + DELIMITER) for path in shown)


def _is_told(name: _Name, selection: Selection) -> bool:
    if selection.is_selective:
        return _is_selected(name, selection)
    # RFC 3501 §6.3.8: a name that only stands above others is told where `%` stops at its level.
    return name.place is not None or any(
        pattern.ends_at_level and pattern.matches(name.path) for pattern in selection.patterns
    )


def _is_selected(name: _Name, selection: Selection) -> bool:
    if selection.is_subscribed and not name.is_subscribed:
        return False
    return not selection.has_special_use or (name.place is not None and _has_special_use(name.place))


def _has_special_use(place: Place) -> bool:
    """Another's uses are not the viewer's."""
    return place.mail.is_own and place.mailbox.role is not None and place.mailbox.role.value != "inbox"


async def _names(mail: AccountMail) -> _Names:
    absent = await mail.mailboxes.absent_subscriptions(mail.account_id)
    tree = await load_tree(mail)
    names = [
        _Name(
            path,
            Place(mail=mail, mailbox=mailbox, path=path, rights=ALL_RIGHTS),
            mailbox.is_subscribed or path in absent,
        )
        for path, mailbox in tree
    ]
    shared = await shared_trees(mail)
    if shared:
        subscribed = await mail.sharing.subscriptions(mail.viewer.account_id)
        names.append(_Name(OTHER_USERS, None, False))
        for one in shared:
            names += _shared_names(
                one, {mailbox_id for owner, mailbox_id in subscribed if owner == one.mail.account_id}
            )
    return _Names(there=names, absent=[_Name(path, None, True) for path in sorted(absent) if tree.find(path) is None])


def _shared_names(shared: SharedTree, subscribed: AbstractSet[int]) -> Iterator[_Name]:
    yield _Name(shown_path(shared.mail, ()), None, False)
    rows: list[tuple[str, Mailbox]] = list(shared.tree)
    known = {path for path, mailbox in rows if Right.LOOKUP in shared.rights.get(mailbox.mailbox_id, ())}
    needed = above_all(known)
    for path, mailbox in rows:
        if path not in known and path not in needed:
            continue
        name = shown_path(shared.mail, split_path(path))
        if path in known:
            place = Place(mail=shared.mail, mailbox=mailbox, path=name, rights=shared.rights[mailbox.mailbox_id])
            yield _Name(name, place, mailbox.mailbox_id in subscribed)
        else:
            yield _Name(name, None, False)
