"""An email that was given to be sent, and what became of it. RFC 8621 §7."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from mailstack.model.delivery import Deferred, Delivered, Failed, Outcome
from mailstack.model.ids import MessageId, SubmissionId, ThreadId
from mailstack.model.instant import DAY_MS, Instant

SUBMISSIONS_KEPT_MS = 30 * DAY_MS
"""Once its time to go has come."""


class UndoStatus(StrEnum):
    PENDING = "pending"
    FINAL = "final"
    CANCELED = "canceled"


class Arrival(StrEnum):
    """RFC 8621 §7: `delivered` of DeliveryStatus."""

    QUEUED = "queued"
    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"  # elsewhere has it


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionHead:
    """What lists of them are made from."""

    submission_id: SubmissionId
    identity_id: str
    message_id: MessageId
    thread_id: ThreadId
    send_at: Instant
    undo_status: UndoStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionList:
    """Of an account. number: the journal's, when heads were all there was."""

    number: int
    heads: Sequence[SubmissionHead]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmittedRecipient:
    """path: as the envelope has it. target: what the queue calls it, "" where nobody there stands for it alone. reply:
    the last one, of one line."""

    path: str
    target: str
    arrival: Arrival
    reply: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailSubmission:
    """envelope: JSON, as its author sees it."""

    head: SubmissionHead
    envelope: str
    recipients: tuple[SubmittedRecipient, ...]


def told(outcome: Outcome) -> tuple[Arrival, str]:
    """Of an attempt: arrival and reply."""
    # RFC 8621 §7: the lines of a reply are put together.
    reply = str(outcome.reply).replace("\n", " ")
    match outcome:
        case Delivered():
            return (Arrival.YES if outcome.is_final else Arrival.UNKNOWN), reply
        case Failed():
            return Arrival.NO, reply
        case Deferred():
            return Arrival.QUEUED, reply
