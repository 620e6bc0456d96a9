"""Mailboxes made, changed and destroyed by their ids, as the viewer may. RFC 8621 §2.5; rights: RFC 4314 §4.

They are listed once for one call, and followed from there: what it changes itself is known without asking again, and
the store looks once more at what somebody else may have changed meanwhile.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from mailstack.model.annotation import SORT_ORDER
from mailstack.model.errors import (
    AlreadyExists,
    Conflict,
    DomainError,
    Forbidden,
    Invalid,
    TooLarge,
    TooMany,
    TryAgainLater,
    UseRefused,
)
from mailstack.model.ids import MailboxId, ModSeq
from mailstack.model.mailbox import Mailbox, MailboxRole
from mailstack.model.mailbox_changes import (
    UNCHANGED,
    Destroyed,
    Entry,
    MailboxChange,
    Misfit,
    NewMailbox,
    Shape,
    misfits,
    shape_of,
)
from mailstack.model.rights import ALL_RIGHTS, NO_RIGHTS, Right
from mailstack.services.mailbox.access import check_rights
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.hierarchy import MAX_MAILBOXES
from mailstack.services.mailbox.mailboxes_seen import SeenMailbox, seen_of
from mailstack.services.mailbox.paths import checked_name, join_path, split_path

Refusal = DomainError | Misfit


@dataclass(frozen=True, slots=True, kw_only=True)
class Updated:
    """mod_seq: None where nothing was changed."""

    mod_seq: ModSeq | None
    refused: Mapping[MailboxId, Refusal]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """is_subscribed: by the viewer. sort_order: as SeenMailbox."""

    parent_id: MailboxId | None
    name: str
    role: MailboxRole | None
    is_subscribed: bool
    sort_order: int | None


class Arranging:
    """seen: those that the viewer may know of. Raises Conflict where if_mod_seq is over, TryAgainLater throughout."""

    def __init__(
        self, mail: AccountMail, mailboxes: Mapping[MailboxId, Mailbox], seen: Mapping[MailboxId, SeenMailbox]
    ) -> None:
        self._mail = mail
        self._mailboxes = dict(mailboxes)
        self.seen = dict(seen)

    async def create(self, wanted: Wanted, *, if_mod_seq: ModSeq | None) -> tuple[Mailbox, ModSeq]:
        """And the last ModSeq that it took. Raises Forbidden, AlreadyExists; Invalid, TooLarge for the name; TooMany,
        UseRefused, NotFound."""
        mail, parent_id = self._mail, wanted.parent_id
        self._check_parent(parent_id)
        names = split_path(join_path((*self.names_of(parent_id), wanted.name)))
        if len(self._mailboxes) >= MAX_MAILBOXES:
            raise TooMany(f"an account has at most {MAX_MAILBOXES} mailboxes")
        if wanted.role is not None and not mail.is_own:
            raise UseRefused("another's mailbox keeps its use")
        new = NewMailbox(
            parent_id=parent_id,
            name=names[-1],
            role=wanted.role,
            is_subscribed=mail.is_own and wanted.is_subscribed,
            inherit_from=parent_id,
            path=join_path(names) if mail.is_own else "",
            entries=_order(wanted.sort_order) if wanted.sort_order is not None else (),
        )
        try:
            made = await mail.tree_changes.create(
                mail.account_id, new, viewer=mail.viewer.account_id, if_mod_seq=if_mod_seq
            )
        except AlreadyExists as fault:
            raise self._taken(parent_id, names[-1]) or fault from None
        self._mailboxes[made.mailbox_id] = made
        rights = ALL_RIGHTS if parent_id is None else self.seen[parent_id].rights
        self.seen[made.mailbox_id] = SeenMailbox(
            mailbox=made, rights=rights, is_subscribed=made.is_subscribed, sort_order=wanted.sort_order
        )
        told = await self._subscribe_to_others({made.mailbox_id: wanted.is_subscribed})
        return made, told or made.status.highest_mod_seq

    async def update(self, changes: Mapping[MailboxId, Wanted], *, if_mod_seq: ModSeq | None) -> Updated:
        """Of those that are seen: all that fit together, at once. Refused: Misfit, Forbidden, NotFound, UseRefused;
        Invalid and TooLarge for the name."""
        refused: dict[MailboxId, Refusal] = {}
        wishes: dict[MailboxId, MailboxChange] = {}
        for mailbox_id, wanted in changes.items():
            try:
                wishes[mailbox_id] = self._wish(mailbox_id, wanted)
            except DomainError as fault:
                refused[mailbox_id] = fault
        wishes = {one: wishes[one] for one in self._fitting(wishes, refused)}
        mod_seq = await self._write(wishes, refused, if_mod_seq)
        done = {one: wish for one, wish in wishes.items() if one not in refused}
        for mailbox_id, wish in done.items():
            self._follow(mailbox_id, wish, changes[mailbox_id].sort_order)
        told = await self._subscribe_to_others({one: changes[one].is_subscribed for one in done})
        return Updated(mod_seq=told or mod_seq, refused=refused)

    async def destroy(self, mailbox_id: MailboxId, *, with_messages: bool, if_mod_seq: ModSeq | None) -> Destroyed:
        """Of one that is seen. Raises Forbidden, NotFound."""
        mail, found = self._mail, self.seen[mailbox_id]
        if found.mailbox.role is MailboxRole.INBOX:
            raise Forbidden("mail is delivered there")
        check_rights(found.rights, Right.DELETE_MAILBOX)
        # RFC 3501 §6.3.9: a name stays subscribed to, whether or not there is a mailbox of that name.
        path = join_path(self.names_of(mailbox_id)) if mail.is_own and found.is_subscribed else ""
        gone = await mail.tree_changes.destroy(
            mail.account_id, mailbox_id, with_messages=with_messages, path=path, if_mod_seq=if_mod_seq
        )
        if gone.obstacle is None:
            del self._mailboxes[mailbox_id], self.seen[mailbox_id]
        return gone

    def names_of(self, mailbox_id: MailboxId | None) -> tuple[str, ...]:
        """From the top down."""
        return _names(mailbox_id, lambda one: shape_of(self._mailboxes[one]))

    def _wish(self, mailbox_id: MailboxId, wanted: Wanted) -> MailboxChange:
        """Raises DomainError."""
        found = self.seen[mailbox_id]
        before = found.mailbox
        if wanted.parent_id != before.parent_id or wanted.name != before.name:
            if before.role is MailboxRole.INBOX:
                # RFC 9051 §6.3.6: RENAME would give its messages away; nobody asks for that here.
                raise Forbidden("the inbox keeps its name and its place")
            check_rights(found.rights, Right.DELETE_MAILBOX)
            if wanted.parent_id != before.parent_id:
                self._check_parent(wanted.parent_id)
        if wanted.role is not before.role and (not self._mail.is_own or before.role is MailboxRole.INBOX):
            raise UseRefused("this mailbox keeps its use")
        if (wanted.is_subscribed, wanted.sort_order) != (found.is_subscribed, found.sort_order):
            check_rights(found.rights, Right.LOOKUP)
        return MailboxChange(
            parent_id=UNCHANGED if wanted.parent_id == before.parent_id else wanted.parent_id,
            name=UNCHANGED
            if wanted.name == before.name
            else checked_name(wanted.name, is_top=wanted.parent_id is None),
            role=UNCHANGED if wanted.role is before.role else wanted.role,
            is_subscribed=wanted.is_subscribed if self._mail.is_own else UNCHANGED,
            entries=() if wanted.sort_order == found.sort_order else _order(wanted.sort_order),
        )

    def _check_parent(self, parent_id: MailboxId | None) -> None:
        """RFC 4314 §4: `k` there; at the top only the owner has it. Raises Forbidden."""
        rights = NO_RIGHTS if parent_id is None else self.seen[parent_id].rights
        if not self._mail.is_own and Right.CREATE not in rights:
            raise Forbidden("not yours to create in")

    def _fitting(
        self, wishes: Mapping[MailboxId, MailboxChange], refused: dict[MailboxId, Refusal]
    ) -> Sequence[MailboxId]:
        now = {one: shape_of(mailbox) for one, mailbox in self._mailboxes.items()}
        wanted = {one: wish.of(now[one]) for one, wish in wishes.items()}
        # What stays where it is is not in the way of itself.
        moving = {one: shape for one, shape in wanted.items() if shape != now[one]}
        while moving and (unfit := misfits(now, moving) or _too_far({**now, **moving}, moving)):
            for one, misfit in unfit.items():
                is_name = misfit is Misfit.NAME_IS_TAKEN
                refused[one] = (self._taken(*moving[one][:2]) if is_name else None) or misfit
            moving = {one: shape for one, shape in moving.items() if one not in unfit}
        return [one for one in wanted if one not in refused]

    def _taken(self, parent_id: MailboxId | None, name: str) -> Forbidden | None:
        """What is said of a name that a mailbox has of which the viewer may not know; None: they may."""
        if self._mail.is_own or any(shape_of(one.mailbox)[:2] == (parent_id, name) for one in self.seen.values()):
            return None
        return Forbidden("not yours to create in")

    async def _write(
        self, wishes: Mapping[MailboxId, MailboxChange], refused: dict[MailboxId, Refusal], if_mod_seq: ModSeq | None
    ) -> ModSeq | None:
        mail, mod_seq = self._mail, None
        groups: list[Mapping[MailboxId, MailboxChange]] = [wishes] if wishes else []
        while groups:
            group = groups.pop(0)
            try:
                written = await mail.tree_changes.update(
                    mail.account_id, group, viewer=mail.viewer.account_id, if_mod_seq=if_mod_seq
                )
                mod_seq = written or mod_seq
                if_mod_seq = if_mod_seq and (mod_seq or if_mod_seq)
            except DomainError as fault:
                if isinstance(fault, Conflict | TryAgainLater) and mod_seq is None:
                    raise
                # Somebody was faster, so that one does not fit any more; which one shows when each comes alone.
                if len(group) > 1:
                    groups = [{one: wish} for one, wish in group.items()]
                else:
                    refused |= dict.fromkeys(group, fault)
        return mod_seq

    def _follow(self, mailbox_id: MailboxId, wish: MailboxChange, sort_order: int | None) -> None:
        found, before = self.seen[mailbox_id], self._mailboxes[mailbox_id]
        parent_id, name, role = wish.of(shape_of(before))
        subscribed = before.is_subscribed if wish.is_subscribed is UNCHANGED else wish.is_subscribed
        mailbox = replace(before, parent_id=parent_id, name=name, role=role, is_subscribed=subscribed)
        self._mailboxes[mailbox_id] = mailbox
        is_subscribed = subscribed if self._mail.is_own else found.is_subscribed
        self.seen[mailbox_id] = replace(found, mailbox=mailbox, sort_order=sort_order, is_subscribed=is_subscribed)

    async def _subscribe_to_others(self, wanted: Mapping[MailboxId, bool]) -> ModSeq | None:
        """The viewer's own list, in the viewer's own account. The last ModSeq that it took of the owner's."""
        mail, mod_seq = self._mail, None
        for mailbox_id, is_subscribed in wanted.items() if not mail.is_own else ():
            if self.seen[mailbox_id].is_subscribed is is_subscribed:
                continue
            viewer = mail.viewer.account_id
            told = await mail.sharing.subscribe(viewer, mail.account_id, mailbox_id, is_subscribed=is_subscribed)
            mod_seq = told or mod_seq
            self.seen[mailbox_id] = replace(self.seen[mailbox_id], is_subscribed=is_subscribed)
        return mod_seq


async def arranging(mail: AccountMail) -> Arranging:
    mailboxes = await mail.mailboxes.list(mail.account_id)
    return Arranging(mail, {each.mailbox_id: each for each in mailboxes}, await seen_of(mail, mailboxes))


def _order(sort_order: int | None) -> Sequence[Entry]:
    return [(SORT_ORDER, None if sort_order is None else b"%d" % sort_order)]


def _names(mailbox_id: MailboxId | None, shape_at: Callable[[MailboxId], Shape]) -> tuple[str, ...]:
    """From the top down."""
    names: list[str] = []
    while mailbox_id is not None:
        mailbox_id, name, _ = shape_at(mailbox_id)
        names.append(name)
    return tuple(reversed(names))


def _too_far(shapes: Mapping[MailboxId, Shape], moving: Collection[MailboxId]) -> Mapping[MailboxId, Refusal]:
    """Those of moving that would have no name within reach, or something below them. shapes: of a tree."""
    below: defaultdict[MailboxId | None, list[MailboxId]] = defaultdict(list)
    for one, shape in shapes.items():
        below[shape.parent_id].append(one)
    found: dict[MailboxId, Refusal] = {}
    # Each with the one of moving that is nearest above it, or None.
    ahead: list[tuple[MailboxId, MailboxId | None]] = [(one, None) for one in below[None]] if moving else []
    while ahead:
        one, mover = ahead.pop()
        mover = one if one in moving else mover
        ahead += ((child, mover) for child in below.get(one, ()))
        if mover is not None and mover not in found:
            try:
                split_path(join_path(_names(one, shapes.__getitem__)))
            except (Invalid, TooLarge) as fault:
                found[mover] = fault
    return found
