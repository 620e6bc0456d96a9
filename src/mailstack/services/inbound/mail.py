"""One mail on its way in, as far as it is known, and what ends its way. Values only.

Refusals that any use case knows (unknown address, full account) are raised as domain errors; a Decision is what the
stages of the pipeline conclude from the mail itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from mailstack.model.address import Address
from mailstack.model.handling import PLAIN, UNASKED, Handling, Notification
from mailstack.model.ids import AccountId
from mailstack.model.instant import Instant
from mailstack.model.message import RawMessage
from mailstack.model.spam import Judged
from mailstack.model.verdict import Authentication
from mailstack.services.inbound.deliver import Letter, Shipment
from mailstack.services.inbound.recipients import Onward, Resolution
from mailstack.services.inbound.success import Addressed
from mailstack.services.inbound.trace import Hop


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """text: the forward path as written in RCPT TO, without brackets. resolution: None until a stage has made it."""

    address: Address
    text: str
    resolution: Resolution | None = None
    notification: Notification = UNASKED


@dataclass(frozen=True, slots=True, kw_only=True)
class Routed:
    """What goes where. shipments: the letter, in all its forms; it is suspicious itself where one of them is."""

    letter: Letter
    addressed: Sequence[Addressed]
    shipments: Sequence[Shipment]


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundMail:
    """A transaction; stages return copies with more in them.

    peer_host, ehlo_domain: who brings it, as the socket and as they say. protocol: RFC 3848's word. size_bytes: as
    declared (RFC 1870 §6), 0 when not. received_at: of MAIL, and of the closing dot once raw is there. authentication:
    None until the checks are done, and where none are. is_suspicious: for the mailbox of junk, where there is one.
    judged: what it scores for whom, under None for whoever has no account here; nobody for whom it is not scored.
    routed: None until that is done, the last thing before it is delivered.
    """

    peer_host: str
    ehlo_domain: str
    protocol: str
    trace_id: str
    reverse_path: str
    size_bytes: int
    is_8bit: bool
    smtp_utf8: bool
    received_at: Instant
    recipients: tuple[Recipient, ...] = ()
    raw: RawMessage = b""
    authentication: Authentication | None = None
    is_suspicious: bool = False
    judged: Mapping[AccountId | None, Judged] = field(default_factory=dict)
    handling: Handling = PLAIN
    routed: Routed | None = None

    @property
    def ways(self) -> Routed:
        """Only once routed: the order of the stages sees to that."""
        if self.routed is None:
            raise RuntimeError("not routed")
        return self.routed

    def hop(self, hostname: str) -> Hop:
        """How it came here. hostname: ours."""
        return Hop(
            hostname=hostname,
            ehlo_domain=self.ehlo_domain,
            peer_host=self.peer_host,
            protocol=self.protocol,
            trace_id=self.trace_id,
            received_at=self.received_at,
            peer_name="" if self.authentication is None else self.authentication.iprev.name,
        )

    def verdict_of(self, onward: Onward) -> Judged | None:
        """What it scores for whoever sends it on: an account, or anybody."""
        if onward.owner is not None:
            return self.judged.get(onward.owner.account_id)
        return self.judged.get(self._account_id_of(onward.address))

    def _account_id_of(self, login: str) -> AccountId | None:
        for recipient in self.recipients:
            for account in () if recipient.resolution is None else recipient.resolution.accounts:
                if account.login == login:
                    return account.account_id
        return None

    def to(self, recipients: tuple[Recipient, ...]) -> "InboundMail":
        """A copy for these."""
        return self._copy(recipients, self.raw, self.authentication, self.is_8bit, self.received_at)

    def holding(self, raw: RawMessage, *, is_8bit: bool, received_at: Instant) -> "InboundMail":
        """A copy with the message itself."""
        return self._copy(self.recipients, raw, self.authentication, self.is_8bit or is_8bit, received_at)

    def authenticated(self, authentication: Authentication) -> "InboundMail":
        """A copy with what is known of the sender."""
        return self._copy(self.recipients, self.raw, authentication, self.is_8bit, self.received_at)

    def suspected(self) -> "InboundMail":
        """A copy that does not go among the others."""
        return replace(self, is_suspicious=True)

    def _copy(
        self,
        recipients: tuple[Recipient, ...],
        raw: RawMessage,
        authentication: Authentication | None,
        is_8bit: bool,
        received_at: Instant,
    ) -> "InboundMail":
        # Written out, for dataclasses.replace takes twice as long, and every mail needs it three times.
        return InboundMail(
            peer_host=self.peer_host,
            ehlo_domain=self.ehlo_domain,
            protocol=self.protocol,
            trace_id=self.trace_id,
            reverse_path=self.reverse_path,
            size_bytes=self.size_bytes,
            is_8bit=is_8bit,
            smtp_utf8=self.smtp_utf8,
            received_at=received_at,
            recipients=recipients,
            raw=raw,
            authentication=authentication,
            is_suspicious=self.is_suspicious,
            judged=self.judged,
            handling=self.handling,
        )


@dataclass(frozen=True, slots=True)
class Accept:
    """Durable for everyone who receives it."""


class Reason(Enum):
    """Why a mail is not taken; servers/*/errors.py has the reply to each, which says whether trying again helps."""

    HEADER = "header"
    LOOP = "loop"
    FROM_FIELD = "From field"
    DMARC = "DMARC"
    SPF = "SPF"
    SENDER_UNKNOWN_NOW = "DNS"
    BINARY = "binary"
    LISTED = "listed"
    GREYLISTED = "greylisted"
    NOT_FORWARDED = "not forwarded"
    NO_NOTICE = "no notice"
    FILTER = "filter"
    SPAM = "spam"
    LIST_POSTERS = "list posters"
    LIST_UNPROVEN = "list author unproven"
    LIST_AUTOMATIC = "list automatic"
    LIST_LEAVING = "list leaving"
    SENDING_LIMIT = "sending limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """For good, told to the sender while connected: no bounce is ever sent to a forged address. detail: for the log.
    told: how the reply's text goes on, printable ASCII, and LF between lines."""

    reason: Reason
    detail: str = ""
    told: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Defer:
    """Not now: the sender keeps it and comes again. detail, told: as of Reject."""

    reason: Reason
    detail: str = ""
    told: str = ""


Decision = Accept | Reject | Defer
