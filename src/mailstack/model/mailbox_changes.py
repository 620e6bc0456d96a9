"""Several changes of the tree of mailboxes at once, and which of them go together. RFC 8621 §2.5, RFC 8620 §5.3."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple

from mailstack.model.ids import MailboxId, ModSeq
from mailstack.model.mailbox import INBOX, Mailbox, MailboxRole

Entry = tuple[str, bytes | None]
"""A private annotation of the viewer's, and its value; None: it has none."""


class Unchanged(Enum):
    UNCHANGED = auto()


UNCHANGED = Unchanged.UNCHANGED


class Shape(NamedTuple):
    """What two mailboxes cannot have in common."""

    parent_id: MailboxId | None
    name: str
    role: MailboxRole | None


def shape_of(mailbox: Mailbox) -> Shape:
    return Shape(mailbox.parent_id, mailbox.name, mailbox.role)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMailbox:
    """inherit_from: whose access list it gets. path: what may be subscribed to in its absence, "" for nothing."""

    parent_id: MailboxId | None
    name: str
    role: MailboxRole | None = None
    is_subscribed: bool = False
    inherit_from: MailboxId | None = None
    path: str = ""
    entries: Sequence[Entry] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxChange:
    """is_subscribed: the owner's."""

    parent_id: MailboxId | Unchanged | None = UNCHANGED
    name: str | Unchanged = UNCHANGED
    role: MailboxRole | Unchanged | None = UNCHANGED
    is_subscribed: bool | Unchanged = UNCHANGED
    entries: Sequence[Entry] = ()

    def of(self, before: Shape) -> Shape:
        return Shape(
            before.parent_id if self.parent_id is UNCHANGED else self.parent_id,
            before.name if self.name is UNCHANGED else self.name,
            before.role if self.role is UNCHANGED else self.role,
        )


class Obstacle(Enum):
    CHILDREN = auto()
    MESSAGES = auto()


class Destroyed(NamedTuple):
    """obstacle: why it is still there, and nothing was written."""

    mod_seq: ModSeq | None
    obstacle: Obstacle | None


class Misfit(Enum):
    NAME_IS_TAKEN = auto()
    ROLE_IS_TAKEN = auto()
    BELOW_ITSELF = auto()


_Key = tuple[MailboxId | None, str] | MailboxRole


def misfits(now: Mapping[MailboxId, Shape], wanted: Mapping[MailboxId, Shape]) -> Mapping[MailboxId, Misfit]:
    """Which of them cannot be made, all others being made. now: all mailboxes that there are, those of wanted too.

    A name or a role goes to who has it and keeps it, then to who is named first.
    """
    fitting = _Fitting(now, wanted)
    fitting.settle_keys()
    while fitting.settle_circles():
        pass
    return fitting.refused


class _Fitting:
    """shapes: what would be, if all that is not refused were made."""

    def __init__(self, now: Mapping[MailboxId, Shape], wanted: Mapping[MailboxId, Shape]) -> None:
        self._now = now
        self._wanted = dict(wanted)
        self._turns = {mailbox_id: turn for turn, mailbox_id in enumerate(wanted)}
        self._shapes = {**now, **wanted}
        self._holders: defaultdict[_Key, list[MailboxId]] = defaultdict(list)
        for mailbox_id, shape in self._shapes.items():
            for key in _keys(shape):
                self._holders[key].append(mailbox_id)
        self._crowded = [key for key, holders in self._holders.items() if len(holders) > 1]
        self._upright: set[MailboxId] = set()
        self.refused: dict[MailboxId, Misfit] = {}

    def settle_keys(self) -> None:
        while self._crowded:
            key = self._crowded.pop()
            _, *others = sorted(self._holders[key], key=lambda one: self._claim(one, key))
            for other in others:
                is_role = isinstance(key, MailboxRole)
                self.refuse(other, Misfit.ROLE_IS_TAKEN if is_role else Misfit.NAME_IS_TAKEN)

    def refuse(self, mailbox_id: MailboxId, why: Misfit) -> None:
        """It stays as it is; what others would have had of it is crowded then."""
        del self._wanted[mailbox_id]
        self.refused[mailbox_id] = why
        before, self._shapes[mailbox_id] = self._shapes[mailbox_id], self._now[mailbox_id]
        for key in _keys(before):
            self._holders[key].remove(mailbox_id)
        for key in _keys(self._now[mailbox_id]):
            self._holders[key].append(mailbox_id)
            self._crowded += [key] if len(self._holders[key]) > 1 else []
        self._upright.clear()

    def settle_circles(self) -> bool:
        """Of a circle the last to be named is refused. False: there was none."""
        count = len(self.refused)
        for mailbox_id in reversed(list(self._wanted)):
            if mailbox_id in self._wanted and self._is_below_itself(mailbox_id):
                self.refuse(mailbox_id, Misfit.BELOW_ITSELF)
                self.settle_keys()
        return len(self.refused) > count

    def _is_below_itself(self, mailbox_id: MailboxId) -> bool:
        way: set[MailboxId] = set()
        at = self._shapes[mailbox_id].parent_id
        while at is not None and at not in self._upright:
            if at == mailbox_id:
                return True
            if at in way or at not in self._shapes:
                return False
            way.add(at)
            at = self._shapes[at].parent_id
        self._upright |= way
        return False

    def _claim(self, mailbox_id: MailboxId, key: _Key) -> tuple[bool, bool, int]:
        """Sorts first who stays as it is, then who has the key already."""
        has_it = key in _keys(self._now[mailbox_id])
        return mailbox_id in self._wanted, not has_it, self._turns.get(mailbox_id, 0)


def _keys(shape: Shape) -> Iterator[_Key]:
    is_inbox = shape.parent_id is None and shape.name.upper() == INBOX
    yield shape.parent_id, INBOX if is_inbox else shape.name
    if shape.role is not None:
        yield shape.role
