"""One mail transaction on a session: MAIL, RCPT for each, DATA; and what it came to for each recipient.

RFC 5321 §3.3, §4.1.1; RFC 2920 (pipelining); RFC 1870; RFC 6152; RFC 6531.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from mailstack.clients.smtp.session import Lost, Session
from mailstack.model.delivery import Deferred, Delivered, Failed, Outcome, SmtpReply
from mailstack.model.errors import Invalid
from mailstack.wire.smtp.content import write_content
from mailstack.wire.smtp.path import needs_smtp_utf8, write_path
from mailstack.wire.smtp.reply import Reply

NOBODY_LEFT = SmtpReply(code=451, status="", text="nobody to send to")


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    reverse_path: str
    recipients: Sequence[str]
    size_bytes: int
    is_8bit: bool
    smtp_utf8: bool

    @property
    def needs_smtp_utf8(self) -> bool:
        """Whoever receives it."""
        return self.smtp_utf8 or needs_smtp_utf8(self.reverse_path)


@dataclass(slots=True)
class Verdicts:
    """What is known about each recipient so far, by index; it survives a connection that does not."""

    host: str
    is_turned_away: bool = False
    outcomes: dict[int, Outcome] = field(default_factory=dict)

    def settle(self, index: int, reply: SmtpReply) -> None:
        self.outcomes.setdefault(index, self._outcome(reply))

    def in_order(self, count: int, rest: SmtpReply) -> list[Outcome]:
        """rest: about those that nothing was learned of."""
        return [self.outcomes.get(index) or self._outcome(rest) for index in range(count)]

    def _outcome(self, reply: SmtpReply) -> Outcome:
        if 200 <= reply.code < 300:
            return Delivered(reply=reply, host=self.host)
        # RFC 5321 §4.2.1: 5yz must not be repeated as it is; all others may be.
        kind = Failed if 500 <= reply.code < 600 else Deferred
        return kind(reply=reply, host=self.host, is_turned_away=self.is_turned_away)


def refuse_unwritable(envelope: Envelope, verdicts: Verdicts) -> None:
    """Paths that no command can carry fail before anybody is asked."""
    for index, recipient in enumerate(envelope.recipients):
        fault = _unwritable(envelope.reverse_path, "5.1.7") or _unwritable(recipient, "5.1.3")
        if fault is not None:
            verdicts.settle(index, fault)


def refuse_internationalised(session: Session, envelope: Envelope, verdicts: Verdicts) -> None:
    """RFC 6531 §3.3: they come back; recipients of the same mail with ASCII paths need not."""
    if not session.client.capabilities.has_smtp_utf8:
        for index, recipient in enumerate(envelope.recipients):
            if needs_smtp_utf8(recipient):
                verdicts.settle(index, _NO_SMTP_UTF8)


def missing_extension(session: Session, envelope: Envelope) -> SmtpReply | None:
    """Why this server cannot take the mail at all; None when it can."""
    offered = session.client.capabilities
    # RFC 6531 §3.1: an SMTPUTF8 server has 8BITMIME as well; §3.3: without it the mail is returned.
    if envelope.needs_smtp_utf8 and not offered.has_smtp_utf8:
        return _NO_SMTP_UTF8
    if envelope.is_8bit and not offered.has_8bitmime:
        return SmtpReply(code=554, status="5.6.3", text="the next server does not take 8-bit text")  # RFC 6152 §3
    if offered.size_bytes is not None and envelope.size_bytes > offered.size_bytes:
        # RFC 1870 §6.1
        return SmtpReply(code=552, status="5.3.4", text=f"the next server takes at most {offered.size_bytes} octets")
    return None


async def transact(session: Session, envelope: Envelope, content: bytes, verdicts: Verdicts) -> SmtpReply:
    """Fills verdicts; returns the reply that counts for all recipients without one. Raises Lost."""
    waiting = [index for index in range(len(envelope.recipients)) if index not in verdicts.outcomes]
    if not waiting:
        return NOBODY_LEFT
    if session.client.capabilities.has_pipelining:
        mail, data = await _pipelined(session, envelope, waiting, verdicts)
    else:
        mail, data = await _one_by_one(session, envelope, waiting, verdicts)
    accepted = mail.is_positive and any(index not in verdicts.outcomes for index in waiting)
    final = data
    if data is not None and data.code == 354:
        # RFC 2920 §3.1: a DATA that was accepted without a recipient is ended by its dot alone.
        final = await _content(session, content if accepted else b"")
    elif data is not None and data.is_positive:
        raise Lost(f"a reply of {data.code} to DATA", status="4.5.0")
    return (final if final is not None and mail.is_positive else mail).as_outcome()


async def _pipelined(
    session: Session, envelope: Envelope, waiting: Sequence[int], verdicts: Verdicts
) -> tuple[Reply, Reply | None]:
    lines = [_mail(session, envelope, waiting)]
    lines += [session.client.rcpt(envelope.recipients[index]) for index in waiting]
    await session.send(*lines, session.client.data())
    mail = await session.answer()
    for index in waiting:
        reply = await session.answer()
        if mail.is_positive:
            _note_rcpt(reply, index, verdicts)
    return mail, await session.answer(timeout_s=session.timeouts.data_s)


async def _one_by_one(
    session: Session, envelope: Envelope, waiting: Sequence[int], verdicts: Verdicts
) -> tuple[Reply, Reply | None]:
    mail = await session.command(_mail(session, envelope, waiting))
    if not mail.is_positive:
        return mail, None
    for index in waiting:
        _note_rcpt(await session.command(session.client.rcpt(envelope.recipients[index])), index, verdicts)
    if all(index in verdicts.outcomes for index in waiting):
        return mail, None
    return mail, await session.command(session.client.data(), timeout_s=session.timeouts.data_s)


def _mail(session: Session, envelope: Envelope, waiting: Sequence[int]) -> bytes:
    is_utf8 = envelope.needs_smtp_utf8 or any(needs_smtp_utf8(envelope.recipients[index]) for index in waiting)
    return session.client.mail(
        envelope.reverse_path,
        size_bytes=envelope.size_bytes,
        is_8bit=envelope.is_8bit or is_utf8,
        smtp_utf8=is_utf8,
    )


def _note_rcpt(reply: Reply, index: int, verdicts: Verdicts) -> None:
    if reply.is_positive:
        return
    outcome = reply.as_outcome()
    if outcome.code == 552 and outcome.status in ("", "5.5.3"):
        # RFC 5321 §4.5.3.1.10: 552 to RCPT for too many recipients is 452, wrongly spelt.
        outcome = SmtpReply(code=452, status="4.5.3", text=outcome.text)
    verdicts.settle(index, outcome)


async def _content(session: Session, content: bytes) -> Reply:
    session.client.content()
    try:
        for piece in write_content(content):
            await session.send(piece)
        return await session.answer(timeout_s=session.timeouts.end_s)
    except Lost as fault:
        # The mail may be there: another host would take it a second time.
        raise Lost(fault.reply.text, status=fault.reply.status) from fault


_NO_SMTP_UTF8 = SmtpReply(code=553, status="5.6.7", text="the next server does not take internationalised addresses")


def _unwritable(path: str, status: str) -> SmtpReply | None:
    try:
        write_path(path)
    except Invalid as fault:
        return SmtpReply(code=553, status=status, text=fault.detail)
    return None
