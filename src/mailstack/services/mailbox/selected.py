"""One session's view of one mailbox: which UID stands at which number, and what changed since it was last told.

Numbers move only when the session says so, for the other side counts with it: an expunged message keeps its number
until the session may speak of it. RFC 9051 §5.5, §7.5.1, RFC 2180. The view is loaded when a number is first needed.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mailstack.model.changes import Change, ChangedType, ChangeKind
from mailstack.model.errors import Conflict, Forbidden, Invalid, NotFound
from mailstack.model.ids import MailboxId, ModSeq, Uid
from mailstack.model.mailbox import Mailbox, MailboxStatus
from mailstack.model.message import Placement
from mailstack.model.numset import NumSet, numset_of
from mailstack.services.mailbox.account_mail import AccountMail

MAX_CHANGES = 5_000
"""Past this many rows of the change log, comparing whole mailboxes is cheaper than reading them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Messages of the view, ascending: positions from 1, and UIDs beside them."""

    numbers: list[int]
    uids: list[int]

    @property
    def uid_set(self) -> NumSet:
        return numset_of(self.uids)


@dataclass(frozen=True, slots=True, kw_only=True)
class Updates:
    """expunged: positions, highest first, so that each is right when those before it are gone; expunged_uids: the same,
    ascending. exists: the new number of messages, None when it is no news. flags: positions, when the expunged are
    gone, and what stands there now.
    """

    expunged: tuple[int, ...] = ()
    expunged_uids: tuple[int, ...] = ()
    exists: int | None = None
    flags: tuple[tuple[int, Placement], ...] = ()


_NO_NEWS = Updates()
_NO_LIMIT = (1 << 31) - 1


class SelectedMailbox:
    """mod_seq: the highest of the changes of this mailbox that the session has told its client."""

    def __init__(
        self, mail: AccountMail, mailbox: Mailbox, status: MailboxStatus, *, is_read_only: bool, mod_seq: ModSeq
    ) -> None:
        """mod_seq: the account's, as it was just before status was read."""
        self.mail = mail
        self.mailbox_id: MailboxId = mailbox.mailbox_id
        self.is_read_only = is_read_only
        self._mod_seq = max(mod_seq, status.highest_mod_seq)
        self.mod_seq: ModSeq = status.highest_mod_seq
        self._uid_next = int(status.uid_next)
        self._count = status.messages
        self._uids: array[int] | None = None
        self._gone: set[int] = set()
        self._told: dict[Uid, ModSeq] = {}

    @property
    def count(self) -> int:
        return self._count

    def check_writable(self) -> None:
        """RFC 9051 §6.3.3: EXAMINE changes nothing."""
        if self.is_read_only:
            raise Forbidden("the mailbox was opened for reading")

    async def placed(self) -> Sequence[tuple[int, Placement]]:
        """The whole view with its positions, as it stands now; without what is gone."""
        placements = await self.mail.messages.placements(self.mail.account_id, self.mailbox_id)
        if self._uids is None:
            await self._load(placements)
        return self._positioned(placements)

    async def choose(self, numbers: NumSet, *, is_uid: bool) -> Chosen:
        """UIDs that are not there are passed over (RFC 9051 §6.4.9); a position past the end raises Invalid."""
        uids = await self._loaded()
        if is_uid:
            spans = _uid_spans(uids, numbers.resolved(uids[-1] if uids else 0))
        else:
            spans = _position_spans(len(uids), numbers)
        positions: list[int] = []
        chosen: list[int] = []
        for start, stop in spans:
            positions.extend(range(start + 1, stop + 1))
            chosen.extend(uids[start:stop])
        return Chosen(numbers=positions, uids=chosen)

    async def locate(self, uids: Iterable[Uid]) -> Chosen:
        """Those of these ascending UIDs that the view has."""
        view = await self._loaded()
        found = [(_position(view, uid), uid) for uid in uids]
        return Chosen(numbers=[number for number, _ in found if number], uids=[uid for number, uid in found if number])

    async def changed_since(self, mod_seq: ModSeq, uids: NumSet | None) -> Chosen:
        """Messages of the view whose mod-sequence is above it. uids: resolved."""
        placements = await self.mail.messages.placements(self.mail.account_id, self.mailbox_id, uids)
        return await self.locate(placement.uid for placement in placements if placement.mod_seq > mod_seq)

    async def vanished_since(self, mod_seq: ModSeq, uids: NumSet | None) -> NumSet:
        """RFC 7162 §3.2.6: of these UIDs, all that are absent when the log does not reach back so far."""
        view = await self._loaded()
        asked = uids if uids is not None else NumSet(((1, self._uid_next - 1),) if self._uid_next > 1 else ())
        try:
            rows = await self.mail.changes.since(
                self.mail.account_id, mod_seq, mailbox_id=self.mailbox_id, limit=_NO_LIMIT
            )
        except Conflict:
            return _without(asked, view, self._uid_next)
        return numset_of(
            uid for uid in _uids_of(rows, ChangeKind.DESTROYED) if uid in asked and not _position(view, uid)
        )

    def note_told(self, placements: Iterable[Placement]) -> None:
        """The client knows these flags already: from the answer to its own STORE, or because it asked for silence."""
        told = {placement.uid: placement.mod_seq for placement in placements}
        latest = max(told.values(), default=self._mod_seq)
        if latest == self._mod_seq + 1:
            # Nobody came between: the view is true for what the client itself has done.
            self._mod_seq = self.mod_seq = latest
        elif latest > self._mod_seq:
            self._told.update(told)

    async def updates(self, *, with_expunges: bool) -> Updates:
        """What the client has not been told. RFC 9051 §7.5.1: without expunges in answers to FETCH, STORE and SEARCH.

        Raises NotFound when the mailbox itself is gone, Conflict when the view is lost: then the session is over.
        """
        now = await self.mail.changes.mod_seq(self.mail.account_id)
        count_before = self._count
        placements: Sequence[Placement] = ()
        if now > self._mod_seq:
            placements = await self._catch_up(now)
        elif not (with_expunges and self._gone):
            return _NO_NEWS
        grown = self._count > count_before
        gone = tuple(sorted(self._gone)) if with_expunges else ()
        expunged = self._forget_gone() if with_expunges else ()
        flags = self._positioned(placements)
        return Updates(expunged=expunged, expunged_uids=gone, exists=self._count if grown else None, flags=flags)

    async def _catch_up(self, now: ModSeq) -> Sequence[Placement]:
        """Brings the view up to now. Returns the placements whose flags are news."""
        rows = await self._changes(now)
        if rows is None:
            return await self._compare(now)
        if any(row.type is ChangedType.MAILBOX and row.kind is ChangeKind.DESTROYED for row in rows):
            raise NotFound("the mailbox was deleted")
        created, destroyed = _uids_of(rows, ChangeKind.CREATED), _uids_of(rows, ChangeKind.DESTROYED)
        changed = self._changed_unknown(rows) - destroyed
        if changed or destroyed:
            await self._loaded()
        placements: Sequence[Placement] = ()
        if changed:
            uids = numset_of(changed)
            placements = await self.mail.messages.placements(self.mail.account_id, self.mailbox_id, uids)
        self._mark_gone(destroyed)
        self._add(created - destroyed)
        self._advance(max(now, rows[-1].mod_seq) if rows else now)
        self.mod_seq = rows[-1].mod_seq if rows else self.mod_seq
        return placements

    async def _changes(self, now: ModSeq) -> Sequence[Change] | None:
        """All up to now at least. None: too many to read, or the log does not reach back."""
        rows: list[Change] = []
        reached = self._mod_seq
        while reached < now and len(rows) < MAX_CHANGES:
            try:
                page = await self.mail.changes.since(
                    self.mail.account_id, reached, mailbox_id=self.mailbox_id, limit=MAX_CHANGES
                )
            except Conflict:
                return None
            if not page:
                return rows
            # However short, a page may be cut before a ModSeq that would not fit into it whole.
            rows += page
            reached = page[-1].mod_seq
        return rows if len(rows) < MAX_CHANGES else None

    def _changed_unknown(self, rows: Sequence[Change]) -> set[int]:
        """UIDs of the view whose flags changed and are not what the client was told in answer to its own command."""
        return {
            row.uid
            for row in rows
            if row.uid is not None
            and row.kind is ChangeKind.UPDATED
            and row.uid < self._uid_next
            and self._told.get(row.uid) != row.mod_seq
        }

    async def _compare(self, now: ModSeq) -> Sequence[Placement]:
        """As _catch_up, by comparing the whole mailbox with the view.

        What the client was told is told again: whether somebody else was at it before, only the log would know.
        """
        known = set(await self._loaded())
        placements = await self.mail.messages.placements(self.mail.account_id, self.mailbox_id)
        current: set[int] = {placement.uid for placement in placements}
        news = [one for one in placements if one.mod_seq > self._mod_seq and one.uid in known]
        self._mark_gone(known - current)
        self._add(current - known)
        self._advance(now)
        self.mod_seq = now
        return news

    async def _loaded(self) -> "array[int]":
        """The UIDs of the view. Raises Conflict when what the client has counted can no longer be reconstructed."""
        if self._uids is None:
            return await self._load(await self.mail.messages.placements(self.mail.account_id, self.mailbox_id))
        return self._uids

    async def _load(self, placements: Sequence[Placement]) -> "array[int]":
        uids = await self._reconstructed(placements)
        if len(uids) != self._count:
            raise Conflict("the mailbox changed too much since it was selected")
        self._uids = uids
        return uids

    async def _reconstructed(self, placements: Sequence[Placement]) -> "array[int]":
        """The mailbox as it was at _mod_seq: what is there now, without what came later, with what went since.

        placements: read before the log is, so that nothing can go unseen between the two.
        """
        rows = await self.mail.changes.since(
            self.mail.account_id, self._mod_seq, mailbox_id=self.mailbox_id, limit=_NO_LIMIT
        )
        uids = array("I", [placement.uid for placement in placements if placement.uid < self._uid_next])
        gone = {uid for uid in _uids_of(rows, ChangeKind.DESTROYED) if uid < self._uid_next}
        return array("I", sorted(gone.union(uids))) if gone else uids

    def _add(self, uids: set[int]) -> None:
        fresh = sorted(uid for uid in uids if uid >= self._uid_next)
        if not fresh:
            return
        self._count += len(fresh)
        self._uid_next = fresh[-1] + 1
        if self._uids is not None:
            self._uids.extend(fresh)

    def _mark_gone(self, uids: set[int]) -> None:
        self._gone |= {uid for uid in uids if uid < self._uid_next}

    def _advance(self, mod_seq: ModSeq) -> None:
        self._mod_seq = mod_seq
        self._told.clear()

    def _forget_gone(self) -> tuple[int, ...]:
        """Positions of what is gone, highest first; they are given to others now."""
        if not self._gone or self._uids is None:
            return ()
        uids, gone = self._uids, self._gone
        positions = sorted((_position(uids, uid) for uid in gone), reverse=True)
        self._uids = array("I", [uid for uid in uids if uid not in gone])
        self._count = len(self._uids)
        self._gone = set()
        return tuple(position for position in positions if position)

    def _positioned(self, placements: Sequence[Placement]) -> tuple[tuple[int, Placement], ...]:
        uids = self._uids
        if uids is None:
            return ()
        found = ((_position(uids, placement.uid), placement) for placement in placements)
        return tuple((position, placement) for position, placement in found if position)


def _uids_of(rows: Sequence[Change], kind: ChangeKind) -> set[int]:
    return {row.uid for row in rows if row.kind is kind and row.uid is not None}


def _position(uids: "array[int]", uid: int) -> int:
    """From 1; 0 when it is not there."""
    at = bisect_left(uids, uid)
    return at + 1 if at < len(uids) and uids[at] == uid else 0


def _without(asked: NumSet, view: "array[int]", uid_next: int) -> NumSet:
    """What of a resolved set stands between the UIDs of the view, below uid_next."""
    ranges: list[tuple[int, int]] = []
    for first, last in asked.ranges:
        start = first
        for uid in view[bisect_left(view, first) : bisect_right(view, last)]:
            if start < uid:
                ranges.append((start, uid - 1))
            start = uid + 1
        if start <= min(last, uid_next - 1):
            ranges.append((start, min(last, uid_next - 1)))
    return NumSet(tuple(ranges))


def _uid_spans(uids: "array[int]", resolved: NumSet) -> list[tuple[int, int]]:
    return [(bisect_left(uids, first), bisect_right(uids, last)) for first, last in resolved.ranges]


def _position_spans(count: int, numbers: NumSet) -> list[tuple[int, int]]:
    if not count:
        return []  # RFC 9051 §9: in an empty mailbox `*` is nothing, and 1:* a fair question
    resolved = numbers.resolved(count)
    if resolved.ranges and resolved.ranges[-1][1] > count:
        raise Invalid("no message has this number")
    return [(first - 1, last) for first, last in resolved.ranges]
