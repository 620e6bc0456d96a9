"""What the API says and takes where no plan is in it: tokens and the state of the server, as JSON."""

from collections.abc import Sequence
from typing import Any

import orjson
from typing_extensions import TypedDict

import mailstack
from mailstack.model.errors import Invalid
from mailstack.model.instant import DAY_MS, SECOND_MS, Instant, from_iso, iso
from mailstack.model.issuance import IssuanceFailure
from mailstack.model.queue_entry import QueueFigures, Status
from mailstack.model.resource import CertificateBody, Summary
from mailstack.model.token import Scope, Token
from mailstack.services.identity.tokens import Order

LONGEST_LIFE_S = 10 * 366 * 86_400
TOP_DOMAINS = 10


class FailureDocument(TypedDict):
    """Why a certificate could not be had, and when that is tried again."""

    reason: str
    tries: int
    retry_at: str


class CertificateDocument(TypedDict):
    """days_left: null where the certificate cannot be read."""

    name: str
    names: list[str]
    issuer: str
    not_after: str
    days_left: int | None
    failure: FailureDocument | None


class PriorityDocument(TypedDict):
    """oldest_at: when the oldest came."""

    recipients: int
    oldest_at: str


class HeldBackDocument(TypedDict):
    """A destination that is left alone, or has had its rate. recipients: that wait for it. next_at: when the first of
    them is due."""

    destination: str
    recipients: int
    next_at: str
    why: str


class QueueDocument(TypedDict):
    """waiting, sending, held: recipients. due: of the waiting, those whose time has come. mails, size_bytes: each
    counted once. oldest_at: when the oldest came. priorities: submission, bulk and bounce, without those that there are
    none of. domains: with the most recipients, most first; held_back: destinations, likewise."""

    waiting: int
    sending: int
    held: int
    due: int
    mails: int
    size_bytes: int
    oldest_at: str | None
    priorities: dict[str, PriorityDocument]
    domains: dict[str, int]
    held_back: list[HeldBackDocument]


class StateDocument(TypedDict):
    """spec_hash: of the spec that was applied last. running: what `mailstack status` shows of the process."""

    version: str
    generation: int
    applied_at: str | None
    spec_hash: str
    resources: dict[str, int]
    certificates: list[CertificateDocument]
    queue: QueueDocument
    running: dict[str, Any] | None  # grows with what a server can tell of itself


class TokenDocument(TypedDict):
    """maker: the id of the token that made it, "" for the machine's own shell. Times in ISO 8601, null for never."""

    id: str
    name: str
    can: list[Scope]
    maker: str
    created_at: str
    expires_at: str | None
    used_at: str | None
    revoked_at: str | None


class NewTokenDocument(TokenDocument):
    """secret: shown this once."""

    secret: str


class TokenRequest(TypedDict, total=False):
    """expires_in_s: seconds from now; left out or null for as long as its maker has."""

    name: str
    can: list[Scope]
    expires_in_s: int | None


class RevokedDocument(TypedDict):
    """The token, and those that were made with it."""

    revoked: list[str]


class ProblemDocument(TypedDict):
    """RFC 9457."""

    title: str
    status: int
    detail: str
    request: str


def state_document(
    summary: Summary,
    certificates: list[CertificateDocument],
    queue: QueueFigures,
    running: dict[str, Any] | None,
) -> StateDocument:
    return StateDocument(
        version=mailstack.__version__,
        generation=int(summary.generation),
        applied_at=_iso(summary.applied_at),
        spec_hash=summary.spec_hash,
        resources={kind.value: count for kind, count in summary.counts.items()},
        certificates=certificates,
        queue=queue_document(queue),
        running=running,
    )


def queue_document(figures: QueueFigures) -> QueueDocument:
    return QueueDocument(
        waiting=figures.statuses.get(Status.WAITING, 0),
        sending=figures.statuses.get(Status.SENDING, 0),
        held=figures.statuses.get(Status.HELD, 0),
        due=figures.due,
        mails=figures.mails,
        size_bytes=figures.size_bytes,
        oldest_at=_iso(figures.oldest_at),
        priorities={
            priority.name.lower(): PriorityDocument(recipients=found.recipients, oldest_at=iso(found.oldest_at))
            for priority, found in figures.priorities.items()
        },
        domains=dict(figures.domains),
        held_back=[
            HeldBackDocument(
                destination=each.destination, recipients=each.recipients, next_at=iso(each.next_at), why=each.why
            )
            for each in figures.held_back
        ],
    )


def certificate_document(
    name: str, body: CertificateBody, failure: IssuanceFailure | None, now: Instant
) -> CertificateDocument:
    ends = from_iso(body.not_after)
    return CertificateDocument(
        name=name,
        names=list(body.names),
        issuer=body.issuer,
        not_after=body.not_after,
        days_left=None if ends is None else max((ends - now) // DAY_MS, 0),
        failure=None if failure is None else _failure_document(failure),
    )


def token_document(token: Token) -> TokenDocument:
    return TokenDocument(
        id=token.token_id,
        name=token.name,
        can=sorted(token.scopes),
        maker=token.maker,
        created_at=iso(token.created_at),
        expires_at=_iso(token.expires_at),
        used_at=_iso(token.used_at),
        revoked_at=_iso(token.revoked_at),
    )


def _failure_document(failure: IssuanceFailure) -> FailureDocument:
    return FailureDocument(reason=failure.reason, tries=failure.tries, retry_at=iso(failure.retry_at))


def read_order(content: bytes, now: Instant) -> Order:
    """A TokenRequest as the order of a token. Raises Invalid."""
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError:
        raise Invalid("the content is no JSON") from None
    if not isinstance(found, dict) or found.keys() - {"name", "can", "expires_in_s"}:
        raise Invalid("a token is ordered with name, can and expires_in_s")
    name, can, life_s = found.get("name", ""), found.get("can"), found.get("expires_in_s")
    if not isinstance(name, str):
        raise Invalid("name is a text")
    if life_s is not None and (type(life_s) is not int or not 0 < life_s <= LONGEST_LIFE_S):
        raise Invalid("expires_in_s is a whole number of seconds, up to ten years")
    expires_at = None if life_s is None else Instant(now + life_s * SECOND_MS)
    return Order(name=name, scopes=frozenset(_scopes(can)), expires_at=expires_at)


def _scopes(can: object) -> Sequence[Scope]:
    words = {scope.value: scope for scope in Scope}
    if not isinstance(can, list) or not all(isinstance(word, str) and word in words for word in can):
        raise Invalid(f"can is a list of {', '.join(words)}")
    return [words[word] for word in can]


def _iso(instant: Instant | None) -> str | None:
    return None if instant is None else iso(instant)
