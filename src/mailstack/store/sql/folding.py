"""The change log folded into what came, changed and went between two points. RFC 8620 §5.2.

A place, which is a UID in a mailbox, was seen before a row unless that row created it, or found \\Deleted there (RFC
8621 §4.1.1); and so it was since the row before. A message is there while it is seen in a place, a thread while one of
its messages is.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from mailstack.model.changes import ChangedIds, LogPoint
from mailstack.model.ids import MailboxId, MessageId, ModSeq, ThreadId
from mailstack.store.sql.change_log import CREATED, NO_UID, NOWHERE

Id = TypeVar("Id", bound=int)
Place = tuple[int, int]
"""A mailbox and a UID there."""


class LogRow(NamedTuple):
    mod_seq: int
    mailbox_id: int
    uid: int
    message_id: int
    kind: int
    was_deleted: int

    @property
    def was_seen(self) -> bool:
        """Just before it."""
        return self.kind != CREATED and not self.was_deleted

    @property
    def is_of_mailbox(self) -> bool:
        return self.mailbox_id != NOWHERE and self.uid == NO_UID

    @property
    def is_of_message(self) -> bool:
        return self.mailbox_id != NOWHERE and self.uid != NO_UID


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The rows between two points, and those after the second; in the order of their ModSeq and id."""

    inside: Sequence[LogRow]
    later: Sequence[LogRow]
    point: LogPoint
    has_more: bool


def window_of(
    rows: Iterable[LogRow], since: LogPoint, highest: ModSeq, *, id_of: Callable[[LogRow], int], limit: int
) -> Window:
    """rows: that bear on what is asked for, from since.mod_seq on. It has rows of so many ids."""
    ordered = sorted(rows, key=lambda row: (row.mod_seq, id_of(row)))
    asked = [row for row in ordered if _is_after(row, since, id_of(row))]
    seen: set[int] = set()
    for at, row in enumerate(asked):
        seen.add(id_of(row))
        if len(seen) > limit:
            last, following = asked[at - 1], row
            parted = id_of(last) if last.mod_seq == following.mod_seq else None
            point = LogPoint(ModSeq(last.mod_seq), parted)
            return Window(inside=asked[:at], later=asked[at:], point=point, has_more=True)
    return Window(inside=asked, later=(), point=LogPoint(highest), has_more=False)


def fold_messages(window: Window, now: Mapping[int, Collection[Place]]) -> ChangedIds[MessageId]:
    """now: where those are seen that window.inside names."""
    presence = _Presence(window, now)
    touched = sorted({row.message_id for row in window.inside})
    return _sorted_out(window, MessageId, {one: presence.of_message(one) for one in touched})


def fold_threads(
    window: Window, now: Mapping[int, Collection[Place]], threads: Mapping[int, int]
) -> ChangedIds[ThreadId]:
    """now: where those are seen that the window names, and all others of their threads. threads: of which a message is,
    where that has not its own id."""
    presence = _Presence(window, now)
    changed: set[int] = set()
    for message_id in {row.message_id for row in window.inside}:
        before, after = presence.of_message(message_id)
        if before != after:
            changed.add(threads.get(message_id, message_id))
    states: dict[int, tuple[bool, bool]] = dict.fromkeys(sorted(changed), (False, False))
    for message_id in {*now, *(row.message_id for row in (*window.inside, *window.later))}:
        thread_id = threads.get(message_id, message_id)
        if thread_id in changed:
            (was, is_), (before, after) = states[thread_id], presence.of_message(message_id)
            states[thread_id] = (was or before, is_ or after)
    return _sorted_out(window, ThreadId, states)


def fold_mailboxes(window: Window, now: Collection[int]) -> ChangedIds[MailboxId]:
    """now: the mailboxes that there are."""
    itself, later = _by_mailbox(window.inside), _by_mailbox(window.later)
    states: dict[int, tuple[bool, bool]] = {}
    for mailbox_id in sorted({row.mailbox_id for row in window.inside}):
        its = itself.get(mailbox_id, ()), later.get(mailbox_id, ())
        states[mailbox_id] = _state(*its, is_now=mailbox_id in now)
    folded = _sorted_out(window, MailboxId, states)
    counted = frozenset(one for one in folded.updated if one not in itself)
    return ChangedIds(
        created=folded.created,
        updated=folded.updated,
        destroyed=folded.destroyed,
        point=folded.point,
        has_more=folded.has_more,
        counted_only=counted,
    )


class _Presence:
    """Whether messages were there before the window, and after it."""

    def __init__(self, window: Window, now: Mapping[int, Collection[Place]]) -> None:
        self._now = now
        self._inside = _by_place(window.inside)
        self._later = _by_place(window.later)

    def of_message(self, message_id: int) -> tuple[bool, bool]:
        inside, later = self._inside.get(message_id, {}), self._later.get(message_id, {})
        places = frozenset(self._now.get(message_id, ()))
        states = [
            _state(inside.get(place, ()), later.get(place, ()), is_now=place in places)
            for place in places.union(inside, later)
        ]
        return any(before for before, _ in states), any(after for _, after in states)


def _state(inside: Sequence[LogRow], later: Sequence[LogRow], *, is_now: bool) -> tuple[bool, bool]:
    """Rows of one place, or of one mailbox, ascending."""
    states = [*(row.was_seen for row in (*inside, *later)), is_now]
    return states[0], states[len(inside)]


def _by_place(rows: Iterable[LogRow]) -> Mapping[int, Mapping[Place, Sequence[LogRow]]]:
    found: defaultdict[int, defaultdict[Place, list[LogRow]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        found[row.message_id][row.mailbox_id, row.uid].append(row)
    return found


def _by_mailbox(rows: Iterable[LogRow]) -> Mapping[int, Sequence[LogRow]]:
    """Those about mailboxes themselves."""
    found: defaultdict[int, list[LogRow]] = defaultdict(list)
    for row in rows:
        if row.uid == NO_UID:
            found[row.mailbox_id].append(row)
    return found


def _sorted_out(window: Window, make: Callable[[int], Id], states: Mapping[int, tuple[bool, bool]]) -> ChangedIds[Id]:
    """states: whether each was there before, and after."""
    return ChangedIds(
        created=tuple(make(one) for one, state in states.items() if state == (False, True)),
        updated=tuple(make(one) for one, state in states.items() if state == (True, True)),
        destroyed=tuple(make(one) for one, state in states.items() if state == (True, False)),
        point=window.point,
        has_more=window.has_more,
    )


def _is_after(row: LogRow, since: LogPoint, its_id: int) -> bool:
    if row.mod_seq != since.mod_seq:
        return row.mod_seq > since.mod_seq
    return since.up_to is not None and its_id > since.up_to
