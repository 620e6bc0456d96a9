"""Where programs want to be told of changes, and how far they have been told. RFC 8620 §7.2."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from mailstack.model.ids import AccountId, PushId
from mailstack.model.instant import DAY_MS, Instant

MOST_OF_ACCOUNT = 64
"""A telephone, a tablet and a computer have one each; what is forgotten on a device ends by itself."""
LASTS_MS = 30 * DAY_MS
"""RFC 8620 §7.2: at least 48 hours, and better 7 days."""

States = Mapping[AccountId, Mapping[str, str]]
"""By account and type, the state that a client would be given now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PushKeys:
    """RFC 8291 §2.1. p256dh: a point on P-256, uncompressed; auth: 16 octets."""

    p256dh: bytes
    auth: bytes


class PushStage(StrEnum):
    """How far the proof has come that who made a subscription hears what is sent there."""

    NEW = "new"  # the code has not been sent
    ASKED = "asked"
    VERIFIED = "verified"


@dataclass(frozen=True, slots=True, kw_only=True)
class PushSubscription:
    """credential: what its maker logged in with; another one's subscriptions are not there. code: which whoever hears
    what is sent to the URL shows. types: None for all."""

    push_id: PushId
    account_id: AccountId
    credential: str
    device_client_id: str
    url: str
    keys: PushKeys | None
    code: str
    stage: PushStage
    types: tuple[str, ...] | None
    expires_at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class PushProgress:
    """pushed: what the client knows. failures: in a row. next_at: nothing is sent before."""

    pushed: States
    failures: int
    next_at: Instant


UNTOLD = PushProgress(pushed={}, failures=0, next_at=Instant(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class PushChange:
    """Of a subscription. is_verified: the code was shown."""

    is_verified: bool
    types: tuple[str, ...] | None
    expires_at: Instant
