"""What receiving tells the log: one event for each mail transaction, and for each connection that is turned away.

People and programs rely on these forms; schemas/events.schema.json describes them. Texts that a peer has chosen are
passed through `plain` by whoever makes an event.
"""

from dataclasses import dataclass, fields
from enum import StrEnum
from operator import attrgetter
from typing import ClassVar, TypeAlias

from mailstack.model.verdict import ArcResult, DkimResult, DmarcPolicy, DmarcResult, IprevResult, SpfResult

MAX_TEXT = 256
"""Characters of one text: an address, a name, a reason. An event's size has a bound, whoever sends what."""


class Outcome(StrEnum):
    ACCEPTED = "accepted"
    REFUSED = "refused"
    DEFERRED = "deferred"
    ABANDONED = "abandoned"


class TransactionPhase(StrEnum):
    """How far it came. DATA stands for BDAT too."""

    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientEvent:
    """address: as written. reply, reason: where they are other than those of the whole transaction, else ""."""

    address: str
    outcome: Outcome
    reply: str = ""
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.address} {self.outcome.value}" + (f" ({self.reply})" if self.reply else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureEvent:
    result: DkimResult
    domain: str

    def __str__(self) -> str:
        return f"{self.result.value} {self.domain}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionEvent:
    """One mail transaction, from MAIL to its end. RFC 5321 §3.3.

    trace: the id that replies, the Received field and the queue have. service: the listener's role. ehlo: as the peer
    calls itself. tls_version, tls_cipher, login: "" without. sender: the reverse path as written, "" for the null path.
    recipients: the first ones of each outcome; the counts are of all. size: octets of the message; as declared where it
    was not read, 0 where nobody said. from_domain: of the author, "" where nobody looked. The results are RFC 8601's
    words, null where nobody looked. policy: what DMARC's owner asks for. code, status, text: of the reply that decided
    the mail as a whole, or, where no recipient was left, of one of them; 0 and "" without any. reason: one or two
    words. detail: what strangers are not told; of an abandoned transaction, what ended it. ms: its duration.
    """

    NAME: ClassVar[str] = "transaction"

    trace: str
    outcome: Outcome
    phase: TransactionPhase
    service: str
    peer: str
    ehlo: str
    tls_version: str
    tls_cipher: str
    login: str
    sender: str
    recipients: tuple[RecipientEvent, ...]
    recipient_count: int
    accepted_count: int
    refused_count: int
    deferred_count: int
    size: int
    message_id: str
    from_domain: str
    iprev: IprevResult | None
    helo: SpfResult | None
    spf: SpfResult | None
    spf_domain: str
    dkim: tuple[SignatureEvent, ...]
    arc: ArcResult | None
    dmarc: DmarcResult | None
    policy: DmarcPolicy | None
    code: int
    status: str
    text: str
    reason: str
    detail: str
    ms: int


class TurnedAwayReason(StrEnum):
    BANNED = "banned"
    NOT_ALLOWED = "not allowed"
    TOO_MANY_CONNECTIONS = "too many connections"
    SPOKE_EARLY = "spoke before the greeting"


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnedAwayEvent:
    """A connection that got no further than its greeting, which was `reply`."""

    NAME: ClassVar[str] = "turned away"

    service: str
    peer: str
    reason: TurnedAwayReason
    reply: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WithheldEvent:
    """Events that were too many to be told one by one. of: their name. peer: whose, an address or an IPv6 network;
    "" for the sum of many peers. count: how many, in a minute or less."""

    NAME: ClassVar[str] = "withheld"

    of: str
    peer: str
    count: int


LogEvent: TypeAlias = TransactionEvent | TurnedAwayEvent | WithheldEvent

LOG_EVENTS = (TransactionEvent, TurnedAwayEvent, WithheldEvent)

_NAMES = {kind: tuple(field.name for field in fields(kind)) for kind in LOG_EVENTS}
_READERS = {kind: attrgetter(*names) for kind, names in _NAMES.items()}


def facts(event: LogEvent) -> dict[str, object]:
    """By name, in order; what is in them stays what it is."""
    kind = type(event)
    return dict(zip(_NAMES[kind], _READERS[kind](event), strict=True))


def plain(text: str, limit: int = MAX_TEXT) -> str:
    """A peer's text for the log: bounded, on one line, nothing that a terminal or a reader of JSON takes amiss."""
    text = text[:limit]
    return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)
