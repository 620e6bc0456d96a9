"""What an apply tells while it runs."""

from collections.abc import Callable
from dataclasses import dataclass

from mailstack.model.ids import Generation
from mailstack.model.instant import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordHashed:
    done: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A key or a certificate."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StateCommitted:
    """The server's own state is what the spec says; DNS comes next."""

    generation: Generation


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneWritten:
    """changes: record sets written, without the marks beside them."""

    zone: str
    changes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneVerified:
    """The zone was read again and is as planned."""

    zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderBegun:
    """A certificate is ordered from an authority; that may take minutes."""

    name: str
    authority: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnAwaited:
    """Somebody else applies; what an order writes comes after it. holder: who, and since when."""

    holder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactTold:
    """An authority knows the address that it may write to, "" for none."""

    authority: str
    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactNotTold:
    """It goes on writing to the former one."""

    authority: str
    reason: str
    retry_at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderElsewhere:
    """Another process is ordering this certificate."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateIssued:
    name: str
    not_after: str
    generation: Generation


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateNotIssued:
    """The one in use goes on."""

    name: str
    reason: str
    retry_at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordsAwaited:
    """Of the records that something waits for, so many are seen at the authoritative servers."""

    seen: int
    total: int


Event = (
    PasswordHashed
    | Made
    | StateCommitted
    | ZoneWritten
    | ZoneVerified
    | OrderBegun
    | TurnAwaited
    | ContactTold
    | ContactNotTold
    | OrderElsewhere
    | CertificateIssued
    | CertificateNotIssued
    | RecordsAwaited
)
Progress = Callable[[Event], None]


def unseen(event: Event) -> None:
    """For callers that show nothing."""
