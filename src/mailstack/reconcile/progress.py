"""What an apply tells while it runs."""

from collections.abc import Callable
from dataclasses import dataclass

from mailstack.model.ids import Generation


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
    """changes: record sets written, ownership markers included."""

    zone: str
    changes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneVerified:
    """The zone was read again and is as planned."""

    zone: str


Event = PasswordHashed | Made | StateCommitted | ZoneWritten | ZoneVerified
Progress = Callable[[Event], None]


def unseen(event: Event) -> None:
    """For callers that show nothing."""
