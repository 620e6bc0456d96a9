"""Mail on its way out: what was queued, what one attempt found, where it goes next."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from mailstack.model.handling import PLAIN, UNASKED, Handling, Notification
from mailstack.model.ids import MailId, QueueItemId, SubmissionId
from mailstack.model.instant import Instant
from mailstack.model.message import RawMessage
from mailstack.model.networks import is_this_machine
from mailstack.model.source import ANYWHERE, Origin, Source
from mailstack.model.tls_policy import OPPORTUNISTIC, LeastTls, TlsPolicy, TlsUsed

NULL_PATH = ""
"""RFC 5321 §4.5.5: the reverse path of notifications; nothing is ever returned to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpReply:
    """code: three digits; status: RFC 3463's, "" where the peer gave none; text: printable, and of
    one line, but for what a script says to those it refuses, whose lines are parted by LF."""

    code: int
    status: str
    text: str

    def __str__(self) -> str:
        status = f" {self.status}" if self.status else ""
        return f"{self.code}{status} {self.text}" if self.text else f"{self.code}{status}"


class Priority(IntEnum):
    """Whose mail goes first where not all can go at once. The numbers stand in the store."""

    BOUNCE = 0  # of the null path: whoever wrote it waits for no answer
    BULK = 1  # one mail to many, and what comes from elsewhere and goes on
    SUBMISSION = 2  # written by a person here


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingMail:
    """What the queue is given. recipients: address texts as written in RCPT TO.

    smtp_utf8: RFC 6531 §3.4: the envelope or the header needs an internationalised path all the way.
    trace_id: the id under which logs know the transaction that brought it. notifications: by recipient, of those who
    have any. is_suspicious: for junk, where it comes to a mailbox here. submission_id: whose outcomes are told there.
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
    is_suspicious: bool = False
    priority: Priority = Priority.BULK
    submission_id: SubmissionId | None = None


class QueueState(StrEnum):
    WAITING = "waiting"  # due at next_at, or leased now
    HELD = "held"  # waits for a person
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueItem:
    """One recipient. tries: attempts made. last_reply: of the last attempt, None before the first; last_tls too, and
    where no server was tried; last_source too, and where nothing was connected. is_delay_told: that it is late has been
    said to its sender, if they are to hear of it. waits_for: the destination that it was held back for last time, ""
    where it was tried. is_doubtful: ports.bad_addresses may know something of the recipient. submission_id: as of
    OutgoingMail."""

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
    is_suspicious: bool = False
    last_tls: TlsUsed | None = None
    last_source: Source | None = None
    priority: Priority = Priority.BULK
    is_delay_told: bool = False
    waits_for: str = ""
    is_doubtful: bool = False
    submission_id: SubmissionId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """will_notify: whoever has it now was told which notices the sender wants, and sends them. is_final: it is where
    the mail ends. is_expanded: it went on to several."""

    reply: SmtpReply
    host: str
    will_notify: bool = False
    is_final: bool = False
    is_expanded: bool = False
    tls: TlsUsed | None = None
    source: Source | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deferred:
    """is_turned_away: before any mail was spoken of, by a greeting or for want of what the mail asks of every server.
    is_own_fault: our store could not take it, or the primary of ours that we are a backup of was not reached. until: it
    was not tried at all, and is not before then: no attempt of its schedule; waits_for: the destination that it is held
    back for. relay: the mark of the one that was to take it, "" without one."""

    reply: SmtpReply
    host: str
    is_turned_away: bool = False
    is_own_fault: bool = False
    until: Instant | None = None
    tls: TlsUsed | None = None
    relay: str = ""
    waits_for: str = ""
    source: Source | None = None

    @property
    def is_of_policy(self) -> bool:
        """A TLS policy kept it back: our judgement of what the domain says, and no word of its servers."""
        return not self.host and self.tls is not None and self.reply.status.startswith("4.7.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """is_turned_away: as of Deferred. is_of_recipient: a server's reply to RCPT, which says nothing of the mail."""

    reply: SmtpReply
    host: str
    is_turned_away: bool = False
    is_of_recipient: bool = False
    tls: TlsUsed | None = None
    source: Source | None = None


Outcome = Delivered | Deferred | Failed
"""What one attempt came to for one recipient; host: the server that said so, "" when none was reached; tls: None where
none was tried; source: what the connection left from, None where there was none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What the queue does with one recipient: delivered and failed ones leave it, a deferred one waits until next_at,
    or without it for a person. notices: enqueued with it. is_delay_told: from now on."""

    item_id: QueueItemId
    outcome: Outcome
    next_at: Instant | None = None
    notices: tuple[OutgoingMail, ...] = ()
    is_delay_told: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvelopeRecipient:
    """address: as written in RCPT TO."""

    address: str
    notification: Notification = UNASKED


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What one server is told of a mail beside its content; flags and trace_id as of OutgoingMail."""

    reverse_path: str
    recipients: tuple[EnvelopeRecipient, ...]
    is_8bit: bool
    smtp_utf8: bool
    trace_id: str
    handling: Handling = PLAIN
    origin: Origin = ANYWHERE


class TlsMode(StrEnum):
    NONE = "none"
    OPPORTUNISTIC = "opportunistic"  # STARTTLS where offered, any certificate
    STARTTLS = "starttls"  # required, certificate verified
    IMPLICIT = "implicit"  # from the first byte, certificate verified


class HopProtocol(StrEnum):
    SMTP = "smtp"
    LMTP = "lmtp"  # RFC 2033: the server is where the mail ends, and answers for each recipient


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    username: str
    password: str

    def __repr__(self) -> str:
        return f"Credentials(username={self.username!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class NextHop:
    """One server to try. host: its name, for TLS and for the log; port as dialled. socket: a path, dialled in their
    place; host is localhost then.

    is_exchanger: found in DNS by a recipient's domain, which anybody may write; else chosen by the operator. policy,
    least: what TLS must be where tls is opportunistic, by others' word and by ours.
    """

    host: str
    port: int
    tls: TlsMode
    credentials: Credentials | None = None
    is_exchanger: bool = False
    policy: TlsPolicy = OPPORTUNISTIC
    least: LeastTls = LeastTls.OPPORTUNISTIC
    protocol: HopProtocol = HopProtocol.SMTP
    socket: str = ""

    @property
    def is_mailbox_here(self) -> bool:
        """Where mail ends without leaving this machine: at another mailbox server on it."""
        return self.protocol is HopProtocol.LMTP and is_this_machine(self.host)
