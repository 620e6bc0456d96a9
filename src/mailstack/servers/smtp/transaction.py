"""One mail transaction: from MAIL to the reply to its message, or to whatever else ends it. RFC 5321 §3.3.

What has come of it so far, and what the log is told in the end. It has an id before anything is known of it, so that
the reply that refuses MAIL carries one too.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache

from mailstack.formats.digest import message_id_of
from mailstack.model.delivery import SmtpReply
from mailstack.model.instant import Instant
from mailstack.model.log_events import (
    Outcome,
    RecipientEvent,
    SignatureEvent,
    TransactionEvent,
    TransactionPhase,
    plain,
)
from mailstack.model.sending_limits import Room
from mailstack.model.verdict import Authentication
from mailstack.servers.smtp.chunks import Chunks
from mailstack.services.inbound.mail import Decision, InboundMail
from mailstack.services.inbound.pipeline import Stage

TOLD = 5
"""Recipients of one outcome, and signatures, that are told one by one."""
PROTOCOL = "protocol"
BUG = "bug"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """reason, detail: for the log."""

    reply: SmtpReply
    reason: str = ""
    detail: str = ""

    @property
    def outcome(self) -> Outcome:
        # RFC 5321 §4.2.1: 4yz may be tried again, 5yz may not.
        return {2: Outcome.ACCEPTED, 4: Outcome.DEFERRED}.get(self.reply.code // 100, Outcome.REFUSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """Who brings it, as far as the connection knows. login: "" for a stranger."""

    service: str
    peer_host: str
    ehlo_domain: str
    tls_version: str
    tls_cipher: str
    login: str


@dataclass(slots=True, kw_only=True)
class Transaction:
    """began: the loop's time. mail: None until MAIL is taken. room: of an account, what it might send then. release_at:
    as of Origin. chunks: what BDAT has brought, None before the first. is_over: nothing more belongs to it. is_named:
    the peer has been told its id. ended_by: what ends it, should nothing be decided by then. from_domain: of an author
    who is known without DMARC. has_bare_line_end: and that is noted of the peer."""

    trace_id: str
    began: float
    speaker: Speaker
    mail: InboundMail | None = None
    room: Room | None = None
    release_at: Instant | None = None
    chunks: Chunks | None = None
    is_over: bool = False
    is_named: bool = False
    phase: TransactionPhase = TransactionPhase.MAIL
    ended_by: str = "connection lost"
    from_domain: str = ""
    has_bare_line_end: bool = False
    _sender: str = ""
    _answer: Answer | None = None
    _kept: list[tuple[str, Answer]] = field(default_factory=list)
    _counts: dict[Outcome, int] = field(default_factory=dict)
    _size: int = 0
    _message_id: str = ""
    _authentication: Authentication | None = None

    def finish(self) -> None:
        """May be repeated."""
        self.is_over = True
        if self.chunks is not None:
            self.chunks.close()
            self.chunks = None

    def accepted(self, reply: SmtpReply) -> None:
        self._answer = Answer(reply=reply)

    def message_refused(self, answer: Answer) -> None:
        # That there is nobody to take it says less than why there is nobody.
        if not self._kept or (self.mail is not None and self.mail.recipients):
            self._answer = answer

    def sender_refused(self, argument: str, answer: Answer) -> None:
        self._sender = _path_in(argument)
        self._answer = answer

    def recipient_refused(self, argument: str, answer: Answer) -> None:
        """argument: of RCPT, which may be anything."""
        self._keep(_path_in(argument), answer)

    def recipients_answered(self, answers: Iterable[Answer]) -> None:
        """LMTP: of those that RCPT took, in their order. RFC 2033 §4.2."""
        if self.mail is None:
            return
        taken = []
        for recipient, answer in zip(self.mail.recipients, answers, strict=True):
            if answer.outcome is Outcome.ACCEPTED:
                taken.append(recipient)
                self._answer = answer
            else:
                self._keep(recipient.text, answer)
        self.mail = self.mail.to(tuple(taken))

    def examine(self, mail: InboundMail) -> None:
        """Once the message is there, which is not kept."""
        self._size = len(mail.raw)
        self._message_id = message_id_of(mail.raw)

    def watch(self, _: Stage, found: InboundMail | Decision) -> None:
        """For the pipeline."""
        if isinstance(found, InboundMail):
            self._authentication = found.authentication

    def event(self, now: float) -> TransactionEvent:
        outcome, answer = self._conclusion()
        mail, speaker, found, reply = self.mail, self.speaker, self._authentication, answer.reply
        taken = mail.recipients if mail is not None else ()
        counts = {**self._counts, outcome: self._counts.get(outcome, 0) + len(taken)}
        return TransactionEvent(
            trace=self.trace_id,
            outcome=outcome,
            phase=self.phase,
            service=speaker.service,
            peer=speaker.peer_host,
            ehlo=plain(speaker.ehlo_domain),
            tls_version=speaker.tls_version,
            tls_cipher=speaker.tls_cipher,
            login=speaker.login,
            sender=plain(self._sender if mail is None else mail.reverse_path),
            recipients=(
                *(RecipientEvent(address=plain(each.text), outcome=outcome) for each in taken[:TOLD]),
                *(_recipient_event(address, each, answer) for address, each in self._kept),
            ),
            recipient_count=sum(counts.values()),
            accepted_count=counts.get(Outcome.ACCEPTED, 0),
            refused_count=counts.get(Outcome.REFUSED, 0),
            deferred_count=counts.get(Outcome.DEFERRED, 0),
            size=self._size or (0 if mail is None else mail.size_bytes),
            message_id=plain(self._message_id),
            from_domain=plain(found.dmarc.from_domain if found else self.from_domain),
            iprev=found.iprev.result if found else None,
            helo=found.helo.result if found else None,
            spf=found.mail_from.result if found else None,
            spf_domain=plain(found.mail_from.domain) if found else "",
            dkim=_signature_events(found) if found else (),
            arc=found.arc.result if found else None,
            dmarc=found.dmarc.result if found else None,
            policy=found.dmarc.policy if found else None,
            code=reply.code,
            status=reply.status,
            text=plain(reply.text),
            reason=answer.reason,
            detail=plain(answer.detail),
            ms=round((now - self.began) * 1000),
        )

    def _conclusion(self) -> tuple[Outcome, Answer]:
        if self._answer is not None:
            return self._answer.outcome, self._answer
        if self._kept and (self.mail is None or not self.mail.recipients):
            # One that may come again says more of the mail than those that may not.
            answers = [answer for _, answer in self._kept]
            last = next((each for each in answers if each.outcome is Outcome.DEFERRED), answers[-1])
            return last.outcome, last
        return Outcome.ABANDONED, Answer(reply=NO_REPLY, detail=self.ended_by)

    def _keep(self, address: str, answer: Answer) -> None:
        count = self._counts[answer.outcome] = self._counts.get(answer.outcome, 0) + 1
        if count <= TOLD:
            self._kept.append((address, answer))


NO_REPLY = SmtpReply(code=0, status="", text="")


@cache
def words_of(name: str) -> str:
    """NotFound: not found."""
    return "".join(f" {c.lower()}" if c.isupper() else c for c in name).strip()


def _recipient_event(address: str, own: Answer, whole: Answer) -> RecipientEvent:
    is_the_same = own.reply == whole.reply
    return RecipientEvent(
        address=plain(address),
        outcome=own.outcome,
        reply="" if is_the_same else plain(str(own.reply)),
        reason="" if is_the_same else own.reason,
    )


def _signature_events(found: Authentication) -> tuple[SignatureEvent, ...]:
    return tuple(SignatureEvent(result=each.result, domain=plain(each.domain)) for each in found.dkim[:TOLD])


def _path_in(argument: str) -> str:
    """What stands between the brackets of an argument that may be no path at all."""
    return argument.partition("<")[2].partition("> ")[0].removesuffix(">") or argument
