"""What a person sees of the outbound queue: one recipient with what becomes of it now, who is meant by a filter, and
how much there is of what."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from mailstack.model.delivery import Priority, QueueItem, QueueState
from mailstack.model.ids import MailId, QueueItemId
from mailstack.model.instant import Instant


class Status(StrEnum):
    WAITING = "waiting"
    SENDING = "sending"  # leased: an attempt is being made, or about to be
    HELD = "held"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueEntry:
    """due_at: when it may be taken next: by the schedule, by a person's wish, or when its lease ends."""

    item: QueueItem
    due_at: Instant
    is_leased: bool

    @property
    def status(self) -> Status:
        if self.is_leased:
            return Status.SENDING
        return Status.HELD if self.item.state is QueueState.HELD else Status.WAITING


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueFilter:
    """All of what is given must hold; what is empty or None is not asked.

    sender, recipient, domain: patterns with * and ?, case-folded; a sender of "<>" is the null path. domain: the
    recipient's. reply: part of the last one. queued_before: those who came before.
    """

    item_ids: frozenset[QueueItemId] = frozenset()
    mail_id: MailId | None = None
    statuses: frozenset[Status] = frozenset()
    sender: str = ""
    recipient: str = ""
    domain: str = ""
    trace_id: str = ""
    reply: str = ""
    queued_before: Instant | None = None

    def takes(self, entry: QueueEntry) -> bool:
        item = entry.item
        return (
            (not self.item_ids or item.item_id in self.item_ids)
            and self.mail_id in (None, item.mail_id)
            and (not self.statuses or entry.status in self.statuses)
            and is_like(item.reverse_path or "<>", self.sender)
            and is_like(item.recipient, self.recipient)
            and is_like(item.recipient.rpartition("@")[2], self.domain)
            and self.trace_id in ("", item.trace_id)
            and (not self.reply or self.reply.casefold() in str(item.last_reply or "").casefold())
            and (self.queued_before is None or item.queued_at < self.queued_before)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorityFigures:
    """oldest_at: when the oldest came."""

    recipients: int
    oldest_at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBack:
    """Recipients that are not tried now, for the sake of one destination. oldest_at: when the oldest of them came;
    next_at: when the first of them is due. why: as the last reply of one of them says."""

    destination: str
    recipients: int
    oldest_at: Instant
    next_at: Instant
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueFigures:
    """statuses: recipients by what becomes of them, priorities: by whose they are, both without what there is none of.
    due: of the waiting, those whose time has come. mails, size_bytes: each counted once, whatever its recipients.
    oldest_at: when the oldest came. domains: recipients' domains with the most of them, most first; held_back:
    destinations, likewise."""

    statuses: Mapping[Status, int]
    priorities: Mapping[Priority, PriorityFigures]
    due: int
    mails: int
    size_bytes: int
    oldest_at: Instant | None
    domains: tuple[tuple[str, int], ...]
    held_back: tuple[HeldBack, ...]


def is_like(text: str, pattern: str) -> bool:
    """pattern: with * and ?, whatever the case; "" takes all."""
    # A bracket is a letter of a quoted local part, not fnmatch's set.
    return not pattern or fnmatchcase(text.casefold(), pattern.casefold().replace("[", "[[]"))
