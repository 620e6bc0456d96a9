"""Mail on its way out: what was queued, what one attempt found, where it goes next."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from mailstack.model.handling import PLAIN, UNASKED, Handling, Notification
from mailstack.model.ids import MailId, QueueItemId
from mailstack.model.instant import Instant
from mailstack.model.message import RawMessage

NULL_PATH = ""
"""RFC 5321 §4.5.5: the reverse path of notifications; nothing is ever returned to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpReply:
    """code: three digits; status: RFC 3463's, "" where the peer gave none; text: one line, printable."""

    code: int
    status: str
    text: str

    def __str__(self) -> str:
        status = f" {self.status}" if self.status else ""
        return f"{self.code}{status} {self.text}" if self.text else f"{self.code}{status}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingMail:
    """What the queue is given. recipients: address texts as written in RCPT TO.

    smtp_utf8: RFC 6531 §3.4: the envelope or the header needs an internationalised path all the way.
    trace_id: the id under which logs know the transaction that brought it. notifications: by recipient, of those who
    have any.
    """

    reverse_path: str
    recipients: tuple[str, ...]
    raw: RawMessage
    queued_at: Instant
    is_8bit: bool
    smtp_utf8: bool
    trace_id: str
    handling: Handling = PLAIN
    notifications: Mapping[str, Notification] = field(default_factory=dict)


class QueueState(StrEnum):
    WAITING = "waiting"  # due at next_at, or leased now
    HELD = "held"  # waits for a person
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueItem:
    """One recipient. tries: attempts made. last_reply: of the last attempt, None before the first."""

    item_id: QueueItemId
    mail_id: MailId
    reverse_path: str
    recipient: str
    state: QueueState
    size_bytes: int
    queued_at: Instant
    next_at: Instant
    tries: int
    last_reply: SmtpReply | None
    last_host: str
    is_8bit: bool
    smtp_utf8: bool
    trace_id: str
    handling: Handling = PLAIN
    notification: Notification = UNASKED


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    reply: SmtpReply
    host: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deferred:
    """is_turned_away: by a greeting, before any mail was spoken of. is_own_fault: our store could not take it."""

    reply: SmtpReply
    host: str
    is_turned_away: bool = False
    is_own_fault: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """is_turned_away: as of Deferred."""

    reply: SmtpReply
    host: str
    is_turned_away: bool = False


Outcome = Delivered | Deferred | Failed
"""What one attempt came to for one recipient; host: the server that said so, "" when none was reached."""


class TlsMode(StrEnum):
    NONE = "none"
    OPPORTUNISTIC = "opportunistic"  # STARTTLS where offered, any certificate
    STARTTLS = "starttls"  # required, certificate verified
    IMPLICIT = "implicit"  # from the first byte, certificate verified


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    username: str
    password: str

    def __repr__(self) -> str:
        return f"Credentials(username={self.username!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class NextHop:
    """One server to try. host: its name, for TLS and for the log; port as dialled.

    is_exchanger: found in DNS by a recipient's domain, which anybody may write; else chosen by the operator.
    """

    host: str
    port: int
    tls: TlsMode
    credentials: Credentials | None = None
    is_exchanger: bool = False
