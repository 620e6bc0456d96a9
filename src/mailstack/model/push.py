"""Where programs want to be told of changes, and how far they have been told. RFC 8620 §7.2."""

from dataclasses import dataclass, field
from enum import StrEnum

from mailstack.model.ids import AccountId, PushId
from mailstack.model.instant import DAY_MS, Instant
from mailstack.model.states import ALL_TYPES, AccountStates, StateType

MOST_OF_ACCOUNT = 64
"""A telephone, a tablet and a computer have one each; what is forgotten on a device ends by itself."""
LASTS_MS = 30 * DAY_MS
"""RFC 8620 §7.2: at least 48 hours, and better 7 days."""


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
    what is sent to the URL shows. types: by name, whether they are known here or not; None for all."""

    push_id: PushId
    account_id: AccountId
    credential: str
    device_client_id: str
    url: str = field(repr=False)
    keys: PushKeys | None = field(repr=False)
    code: str = field(repr=False)
    stage: PushStage
    types: tuple[str, ...] | None
    expires_at: Instant

    @property
    def known_types(self) -> frozenset[StateType]:
        return ALL_TYPES if self.types is None else frozenset(each for each in StateType if each in self.types)


@dataclass(frozen=True, slots=True, kw_only=True)
class PushProgress:
    """pushed: what the client knows. failures: in a row. next_at: nothing is sent before."""

    pushed: AccountStates
    failures: int
    next_at: Instant


UNTOLD = PushProgress(pushed={}, failures=0, next_at=Instant(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class PushChange:
    """Of a subscription. is_verified: the code was shown."""

    is_verified: bool
    types: tuple[str, ...] | None
    expires_at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class PushHead:
    """What tells whether a subscription is still as it was."""

    push_id: PushId
    account_id: AccountId
    stage: PushStage
    types: tuple[str, ...] | None
    expires_at: Instant


def head_of(subscription: PushSubscription) -> PushHead:
    return PushHead(
        push_id=subscription.push_id,
        account_id=subscription.account_id,
        stage=subscription.stage,
        types=subscription.types,
        expires_at=subscription.expires_at,
    )


class PushFate(StrEnum):
    TAKEN = "taken"
    GONE = "gone"  # nothing listens there any more
    REFUSED = "refused"  # the same again would be refused again
    LATER = "later"


@dataclass(frozen=True, slots=True, kw_only=True)
class PushAnswer:
    """Of a push service. retry_after_s: as it asked for, None where it did not. detail: for the log."""

    fate: PushFate
    retry_after_s: float | None = None
    detail: str = ""
