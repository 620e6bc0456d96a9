"""One session's numbers for one mailbox: which UID stands at which, and what changed since it was last told.

Numbers move only when the session says so, for the other side counts with it: an expunged message keeps its number
until the session may speak of it. RFC 9051 §5.5, §7.5.1, RFC 2180. What stands there is services.mailbox.view's.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter

from mailstack.model.changes import Change, ChangeKind
from mailstack.model.errors import Conflict, Forbidden, Invalid
from mailstack.model.ids import MailboxId, MessageId, ModSeq, Uid
from mailstack.model.mailbox import MailboxRole
from mailstack.model.message import FlagsChanged, Placement, PlacementTable
from mailstack.model.numset import STAR, NumSet, numset_of
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.ascending import absent, place_of, places_of, uid_spans
from mailstack.services.mailbox.decodings import Decodings
from mailstack.services.mailbox.view import MailboxView


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Messages of the view, ascending: positions from 1, and UIDs beside them."""

    numbers: list[int]
    uids: list[int]

    @property
    def uid_set(self) -> NumSet:
        return numset_of(self.uids)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """What stands at some numbers now: one number for each row of the table."""

    numbers: Sequence[int]
    table: PlacementTable

    def __len__(self) -> int:
        return len(self.numbers)

    def placements(self, start: int, stop: int) -> list[Placement]:
        """Of some of the rows: each is an object of its own."""
        return [self.table.placement(at) for at in range(start, min(stop, len(self.table)))]


NOWHERE = Placed(
    numbers=(),
    table=PlacementTable(
        uids=array("I"), message_ids=array("q"), mod_seqs=array("q"), flag_numbers=array("I"), flag_sets=()
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Updates:
    """expunged: positions, highest first, so that each is right when those before it are gone; expunged_uids: the same,
    ascending. exists: the new number of messages, None when it is no news. flags: at positions as they are when the
    expunged are gone.
    """

    expunged: tuple[int, ...] = ()
    expunged_uids: tuple[int, ...] = ()
    exists: int | None = None
    flags: Placed = NOWHERE


_NO_NEWS = Updates()


class SelectedMailbox:
    """mod_seq: all changes of this mailbox up to it were told; while expunges wait to be told it stays below theirs
    (RFC 7162 §3.2). uid_next: the mailbox's, as the session knows it. role: as it was when it was opened. decodings: of
    what it reads in pieces."""

    def __init__(
        self,
        mail: AccountMail,
        mailbox_id: MailboxId,
        view: MailboxView,
        *,
        is_read_only: bool,
        role: MailboxRole | None,
    ) -> None:
        self.mail = mail
        self.role = role
        self.mailbox_id = mailbox_id
        self.is_read_only = is_read_only
        self.mod_seq = view.highest
        self.uid_next = view.uid_next
        self._mod_seq = view.mod_seq
        # The view's own array, of which this session counts the first so many; its own from the moment on when the two
        # differ in what is gone.
        self._uids = view.table.uids
        self._count = len(self._uids)
        self._gone: set[int] = set()
        self._told: dict[Uid, ModSeq] = {}
        self._looked_at: MailboxView | None = view
        self.decodings = Decodings()

    @property
    def count(self) -> int:
        return self._count

    def check_writable(self) -> None:
        """RFC 9051 §6.3.3: EXAMINE changes nothing."""
        if self.is_read_only:
            raise Forbidden("the mailbox was opened for reading")

    def begin_command(self) -> None:
        """What was looked at for the one before is too old for this one."""
        self._looked_at = None

    async def choose(self, numbers: NumSet, *, is_uid: bool) -> Chosen:
        """UIDs that are not there are passed over (RFC 9051 §6.4.9); a position past the end raises Invalid."""
        uids, count = self._uids, self._count
        if is_uid:
            spans = uid_spans(uids, numbers.resolved(uids[count - 1]), count) if count else []
        else:
            spans = _position_spans(count, numbers)
        positions: list[int] = []
        chosen: list[int] = []
        for start, stop in spans:
            positions.extend(range(start + 1, stop + 1))
            chosen.extend(uids[start:stop])
        return Chosen(numbers=positions, uids=chosen)

    async def locate(self, uids: Iterable[int]) -> Chosen:
        """Those of these ascending UIDs that the view has."""
        places = places_of(self._uids, list(uids), self._count)
        return Chosen(numbers=_numbers(places), uids=list(_picked(self._uids, places)))

    def counts_by(self, uids: "array[int]") -> bool:
        """Whether the places of that array are the positions of this session, as far as it has been told."""
        return uids is self._uids

    def message_id(self, uid: int) -> MessageId | None:
        """What stands or stood there, for a UID is never used again; None: not known without a look at the store."""
        view = self.mail.views.kept(self.mail.account_id, self.mailbox_id)
        if view is None:
            return None
        place = place_of(view.table.uids, uid, len(view.table))
        return None if place < 0 else MessageId(view.table.message_ids[place])

    async def table(self, chosen: Chosen | None = None) -> Placed:
        """What stands there now, of all or of those chosen; without what is gone."""
        view = await self._current()
        if chosen is None:
            uids: Sequence[int] = self._uids[: self._count]
            numbers: Sequence[int] = range(1, self._count + 1)
        else:
            uids, numbers = chosen.uids, chosen.numbers
        places = places_of(view.table.uids, uids, len(view.table))
        table = _picked_table(view.table, places)
        if len(places) != len(uids):
            still_there = frozenset(table.uids)
            numbers = [number for number, uid in zip(numbers, uids, strict=True) if uid in still_there]
        return Placed(numbers=numbers, table=table)

    async def changed_since(self, mod_seq: ModSeq, uids: NumSet | None) -> Chosen:
        """Messages with something above this mod-sequence. uids: resolved; None: of all."""
        view = await self._current()
        table = view.table
        spans = [(0, len(table))] if uids is None else uid_spans(table.uids, uids, len(table))
        return await self.locate(
            Uid(uid)
            for start, stop in spans
            for uid, changed in zip(table.uids[start:stop], table.mod_seqs[start:stop], strict=True)
            if changed > mod_seq
        )

    async def vanished_since(self, mod_seq: ModSeq, uids: NumSet | None) -> NumSet:
        """RFC 7162 §3.2.6: of these UIDs, all that are absent when the log does not reach back so far.

        Not what still has a number here: that is told when it loses it. uids: resolved; None: of all.
        """
        asked = NumSet(((1, self.uid_next - 1),) if self.uid_next > 1 else ()) if uids is None else uids
        try:
            gone = await self.mail.changes.destroyed_since(self.mail.account_id, self.mailbox_id, mod_seq)
        except Conflict:
            below = tuple((low, min(high, self.uid_next - 1)) for low, high in asked.ranges if low < self.uid_next)
            return absent(self._uids, NumSet(below), self._count)
        return numset_of(uid for uid in gone if uid in asked and place_of(self._uids, uid, self._count) < 0)

    def note_told(self, result: FlagsChanged, *, is_silent: bool) -> None:
        """The client knows what it has done itself; and, unless it asked for silence, all flags of what it named."""
        own = result.mod_seq
        self._looked_at = None
        if own == self._mod_seq + 1:
            # Nobody came between: the view is true for what the client itself has done.
            self._mod_seq = own
            if not self._gone:
                self.mod_seq = own
            return
        self._told.update(
            (placement.uid, placement.mod_seq)
            for placement in result.changed
            if placement.mod_seq > self._mod_seq and (not is_silent or placement.mod_seq == own)
        )

    async def updates(self, *, with_expunges: bool, may_lag: bool = False) -> Updates:
        """What the client has not been told. RFC 9051 §7.5.1: without expunges in answers to FETCH, STORE and SEARCH.

        may_lag: what the command has looked at is new enough, for it changed nothing since: on a database that is far
        away a second look costs as much as the first.
        Raises NotFound when the mailbox itself is gone: then the session is over.
        """
        view = (self._looked_at if may_lag else None) or await self._current()
        count_before = self._count
        changed: Sequence[int] = ()
        if view.mod_seq != self._mod_seq:
            changed = self._catch_up(view)
        elif not (with_expunges and self._gone):
            return _NO_NEWS
        grown = self._count > count_before
        gone = tuple(sorted(self._gone)) if with_expunges else ()
        expunged = self._forget_gone(view) if gone else ()
        return Updates(
            expunged=expunged,
            expunged_uids=gone,
            exists=self._count if grown else None,
            flags=self._flags(view, changed),
        )

    async def _current(self) -> MailboxView:
        self._looked_at = await self.mail.views.current(self.mail.account_id, self.mailbox_id)
        return self._looked_at

    def _catch_up(self, view: MailboxView) -> Sequence[int]:
        """Brings the numbers up to the view. Returns the UIDs whose flags are news, ascending."""
        known_below = self.uid_next
        changed: Sequence[int] = ()
        rows = view.since(self._mod_seq)
        if rows is not None:
            self._mark_gone({row.uid for row in rows if row.kind is ChangeKind.DESTROYED and row.uid is not None})
            changed = self._changed_unknown(rows, known_below)
        fresh = view.table.uids[bisect_left(view.table.uids, known_below) :]
        if rows is None or self._count - len(self._gone) + len(fresh) != len(view.table):
            # What the client was told is told again: whether somebody else was at it, only the log would know.
            self._mark_gone(set(self._uids[: self._count]).difference(view.table.uids))
            changed = [
                uid
                for uid, mod_seq in zip(view.table.uids, view.table.mod_seqs, strict=True)
                if mod_seq > self._mod_seq and uid < known_below
            ]
        self._add(view, fresh)
        self.uid_next = view.uid_next
        self._mod_seq = view.mod_seq
        if not self._gone:
            self.mod_seq = view.highest
        self._told.clear()
        return changed

    def _changed_unknown(self, rows: Sequence[Change], known_below: int) -> Sequence[int]:
        """UIDs whose flags changed and are not what the client was told in answer to its own command."""
        changed = {
            row.uid
            for row in rows
            if row.uid is not None
            and row.kind is ChangeKind.UPDATED
            and row.uid < known_below
            and self._told.get(row.uid) != row.mod_seq
        }
        return sorted(changed)

    def _mark_gone(self, uids: set[int]) -> None:
        self._gone |= {uid for uid in uids if place_of(self._uids, uid, self._count) >= 0}

    def _add(self, view: MailboxView, fresh: "array[int]") -> None:
        if not self._gone:
            self._uids = view.table.uids
        elif fresh:
            self._uids = self._uids[: self._count] + fresh
        self._count += len(fresh)

    def _forget_gone(self, view: MailboxView) -> tuple[int, ...]:
        """Positions of what is gone, highest first; they are given to others now."""
        positions = [place_of(self._uids, uid, self._count) + 1 for uid in self._gone]
        known, count = view.table.uids, self._count - len(self._gone)
        if bisect_left(known, self.uid_next) == count:
            self._uids = known
        else:
            # The table was read after the last change that is known here: the log is still to say what else went.
            self._uids = array("I", (uid for uid in self._uids[: self._count] if uid not in self._gone))
        self._count = count
        self._gone = set()
        self.mod_seq = view.highest
        return tuple(sorted(positions, reverse=True))

    def _flags(self, view: MailboxView, uids: Sequence[int]) -> Placed:
        """In columns: somebody may have changed them all."""
        places = places_of(view.table.uids, uids, len(view.table))
        if not places:
            return NOWHERE
        table = _picked_table(view.table, places)
        return Placed(numbers=_numbers(places_of(self._uids, table.uids, self._count)), table=table)


def _numbers(places: Sequence[int]) -> list[int]:
    return [place + 1 for place in places]


def _position_spans(count: int, numbers: NumSet) -> list[tuple[int, int]]:
    if not count and all(STAR in bounds for bounds in numbers.ranges):
        return []  # RFC 9051 §9 would have `*` of an empty mailbox refused; clients ask 1:* before they look
    resolved = numbers.resolved(count)
    if resolved.ranges and resolved.ranges[-1][1] > count:
        raise Invalid("no message has this number")
    return [(first - 1, last) for first, last in resolved.ranges]


def _picked_table(table: PlacementTable, places: Sequence[int]) -> PlacementTable:
    return PlacementTable(
        uids=_picked(table.uids, places),
        message_ids=_picked(table.message_ids, places),
        mod_seqs=_picked(table.mod_seqs, places),
        flag_numbers=_picked(table.flag_numbers, places),
        flag_sets=table.flag_sets,
    )


def _picked(column: "array[int]", places: Sequence[int]) -> "array[int]":
    if isinstance(places, range):
        return column[places.start : places.stop]
    if len(places) < 2:
        return array(column.typecode, [column[place] for place in places])
    return array(column.typecode, itemgetter(*places)(column))
