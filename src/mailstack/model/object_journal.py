"""What has become of an account's objects that lie with the system, not with its mail: from it, JMAP's states and
changes of them are told. RFC 8620 §5.1, §5.2."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from mailstack.model.instant import DAY_MS

JOURNAL_KEPT_MS = 30 * DAY_MS


class ObjectKind(StrEnum):
    """By JMAP's names of the types."""

    IDENTITY = "Identity"
    SUBMISSION = "EmailSubmission"
    VACATION = "VacationResponse"
    SCRIPT = "SieveScript"


class JournalPoint(NamedTuple):
    """How far in the journal of one kind somebody is: all up to number; began: who is still on the way from there, and
    knows of nothing above number but what there was then."""

    number: int
    began: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedObjects:
    """As model.changes.ChangedIds."""

    created: Sequence[str]
    updated: Sequence[str]
    destroyed: Sequence[str]
    point: JournalPoint
    has_more: bool
