"""One mail transaction on a session: MAIL, RCPT for each, DATA or BDAT; and what it came to for each recipient.
In LMTP too, which answers for each recipient after the content.

RFC 5321 §3.3, §4.1.1; RFC 2033; RFC 2920 (pipelining); RFC 3030 (chunks); RFC 1870; RFC 3461 §5.2; RFC 6152; RFC 6531;
RFC 8689 §4.2.1.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mailstack.clients.smtp.session import Lost, Session
from mailstack.formats.lines import in_lines
from mailstack.formats.seven_bit import has_8bit, in_7bit
from mailstack.model.delivery import Deferred, Delivered, Envelope, Failed, HopProtocol, Outcome, SmtpReply
from mailstack.model.errors import Invalid
from mailstack.model.source import Source
from mailstack.model.tls_policy import TlsUsed
from mailstack.wire.smtp.content import write_chunks, write_content
from mailstack.wire.smtp.path import needs_smtp_utf8, write_path
from mailstack.wire.smtp.reply import Reply

CHUNKS_AHEAD = 4
"""Sent without a reply to the first of them: a refusal is heard before much of a large mail is on its way."""

NOBODY_LEFT = SmtpReply(code=451, status="", text="nobody to send to")


@dataclass(slots=True)
class Verdicts:
    """What is known about each recipient so far, by index; it survives a connection that does not."""

    host: str
    is_final: bool = False
    is_turned_away: bool = False
    will_notify: bool = False
    tls: TlsUsed | None = None
    source: Source | None = None
    outcomes: dict[int, Outcome] = field(default_factory=dict)

    @property
    def has_delivered(self) -> bool:
        return any(isinstance(outcome, Delivered) for outcome in self.outcomes.values())

    def settle(self, index: int, reply: SmtpReply) -> None:
        self.outcomes.setdefault(index, self._outcome(reply))

    def refuse(self, index: int, reply: SmtpReply) -> None:
        """By a reply to RCPT."""
        outcome = self._outcome(reply)
        if isinstance(outcome, Failed):
            outcome = replace(outcome, is_of_recipient=True)
        self.outcomes.setdefault(index, outcome)

    def in_order(self, count: int, rest: SmtpReply) -> list[Outcome]:
        """rest: about those that nothing was learned of."""
        return [self.outcomes.get(index) or self._outcome(rest) for index in range(count)]

    def _outcome(self, reply: SmtpReply) -> Outcome:
        if 200 <= reply.code < 300:
            return Delivered(
                reply=reply,
                host=self.host,
                will_notify=self.will_notify,
                is_final=self.is_final,
                tls=self.tls,
                source=self.source,
            )
        # RFC 5321 §4.2.1: 5yz must not be repeated as it is; all others may be.
        kind = Failed if 500 <= reply.code < 600 else Deferred
        return kind(reply=reply, host=self.host, is_turned_away=self.is_turned_away, tls=self.tls, source=self.source)


def refuse_unwritable(envelope: Envelope, verdicts: Verdicts) -> None:
    """Paths that no command can carry fail before anybody is asked."""
    for index, recipient in enumerate(envelope.recipients):
        fault = _unwritable(envelope.reverse_path, "5.1.7") or _unwritable(recipient.address, "5.1.3")
        if fault is not None:
            verdicts.settle(index, fault)


def refuse_internationalised(session: Session, envelope: Envelope, verdicts: Verdicts) -> None:
    """RFC 6531 §3.3: they come back; recipients of the same mail with ASCII paths need not."""
    if not session.client.capabilities.has_smtp_utf8:
        for index, recipient in enumerate(envelope.recipients):
            if needs_smtp_utf8(recipient.address):
                verdicts.settle(index, _NO_SMTP_UTF8)


async def fitted(session: Session, envelope: Envelope, content: bytes) -> tuple[Envelope, bytes] | SmtpReply:
    """The mail as this server takes it, or why it cannot at all."""
    offered = session.client.capabilities
    if envelope.handling.requires_tls and not offered.has_requiretls:
        # RFC 8689 §4.2.1: X.7.30, REQUIRETLS support required
        return SmtpReply(
            code=550, status="5.7.30", text="the sender requires TLS: the next server does not offer REQUIRETLS"
        )
    # RFC 6531 §3.1: an SMTPUTF8 server has 8BITMIME as well; §3.3: without it the mail is returned.
    if _all_need_smtp_utf8(envelope) and not offered.has_smtp_utf8:
        return _NO_SMTP_UTF8
    if envelope.handling.is_binary and not offered.has_binarymime:
        # RFC 3030 §3: converted without a loss, or returned.
        lines = await asyncio.to_thread(in_lines, content)
        if lines is None:
            return SmtpReply(code=554, status="5.6.3", text="the next server does not take binary messages")
        handling = replace(envelope.handling, is_binary=False)
        envelope, content = replace(envelope, is_8bit=has_8bit(lines), handling=handling), lines
    if envelope.is_8bit and not (offered.has_8bitmime or envelope.handling.is_binary):
        # RFC 6152 §3: converted without a loss, or returned.
        lowered = await asyncio.to_thread(in_7bit, content)
        if lowered is None:
            return SmtpReply(code=554, status="5.6.3", text="the next server does not take 8-bit text")
        envelope, content = replace(envelope, is_8bit=False), lowered
    if offered.size_bytes is not None and len(content) > offered.size_bytes:
        # RFC 1870 §6.1
        return SmtpReply(code=552, status="5.3.4", text=f"the next server takes at most {offered.size_bytes} octets")
    return envelope, content


async def transact(
    session: Session, protocol: HopProtocol, envelope: Envelope, content: bytes, verdicts: Verdicts
) -> SmtpReply:
    """Fills verdicts; returns the reply that counts for all recipients without one. Raises Lost."""
    waiting = [index for index in range(len(envelope.recipients)) if index not in verdicts.outcomes]
    if not waiting:
        return NOBODY_LEFT
    work = _Work(
        session=session, protocol=protocol, envelope=envelope, content=content, verdicts=verdicts, waiting=waiting
    )
    by = _by_chunks if session.client.capabilities.has_chunking else _by_data
    return (await by(work)).as_outcome()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """waiting: recipients to ask for, by index."""

    session: Session
    protocol: HopProtocol
    envelope: Envelope
    content: bytes
    verdicts: Verdicts
    waiting: Sequence[int]

    @property
    def takers(self) -> list[int]:
        """Those whom the server has not refused."""
        return [index for index in self.waiting if index not in self.verdicts.outcomes]

    @property
    def replies(self) -> int:
        """To the content. RFC 2033 §4.2: LMTP has one for each recipient that was accepted."""
        return len(self.takers) if self.protocol is HopProtocol.LMTP else 1


async def _by_data(work: _Work) -> Reply:
    session = work.session
    if session.client.capabilities.has_pipelining:
        await session.send(*_commands(work), session.client.data())
        mail = await _answers(work)
        data = await session.answer(timeout_s=session.timeouts.data_s)
    else:
        mail = await _one_by_one(work)
        if not (mail.is_positive and work.takers):
            return mail
        data = await session.command(session.client.data(), timeout_s=session.timeouts.data_s)
    if data.is_positive:
        raise Lost(f"a reply of {data.code} to DATA", status="4.5.0")
    if data.code != 354:
        return data if mail.is_positive else mail
    if mail.is_positive and work.takers:
        return await _committed(_content(work))
    if work.protocol is HopProtocol.SMTP:
        # RFC 2920 §3.1: a DATA that was accepted without a recipient is ended by its dot alone. RFC 2033 §4.2: LMTP
        # does not accept it, and would have no reply to the dot.
        await _committed(_nothing(session))
    return mail


async def _by_chunks(work: _Work) -> Reply:
    session = work.session
    if session.client.capabilities.has_pipelining:
        await session.send(*_commands(work))
        mail = await _answers(work)
    else:
        mail = await _one_by_one(work)
    return await _committed(_chunks(work)) if mail.is_positive and work.takers else mail


def _commands(work: _Work) -> list[bytes]:
    return [_mail(work), *(_rcpt(work, index) for index in work.waiting)]


async def _answers(work: _Work) -> Reply:
    """To MAIL; those to RCPT are noted."""
    mail = await work.session.answer()
    for index in work.waiting:
        reply = await work.session.answer()
        if mail.is_positive:
            _note_rcpt(reply, index, work.verdicts)
    return mail


async def _one_by_one(work: _Work) -> Reply:
    mail = await work.session.command(_mail(work))
    if mail.is_positive:
        for index in work.waiting:
            _note_rcpt(await work.session.command(_rcpt(work, index)), index, work.verdicts)
    return mail


def _mail(work: _Work) -> bytes:
    envelope = work.envelope
    is_utf8 = _all_need_smtp_utf8(envelope) or any(
        needs_smtp_utf8(envelope.recipients[index].address) for index in work.waiting
    )
    return work.session.client.mail(
        envelope.reverse_path,
        size_bytes=len(work.content),
        is_8bit=envelope.is_8bit or is_utf8,
        smtp_utf8=is_utf8,
        handling=envelope.handling,
    )


def _rcpt(work: _Work, index: int) -> bytes:
    recipient = work.envelope.recipients[index]
    return work.session.client.rcpt(recipient.address, recipient.notification)


def _all_need_smtp_utf8(envelope: Envelope) -> bool:
    """Whoever receives it."""
    return envelope.smtp_utf8 or needs_smtp_utf8(envelope.reverse_path)


def _note_rcpt(reply: Reply, index: int, verdicts: Verdicts) -> None:
    if reply.is_positive:
        return
    outcome = reply.as_outcome()
    if outcome.code == 552 and outcome.status in ("", "5.5.3"):
        # RFC 5321 §4.5.3.1.10: 552 to RCPT for too many recipients is 452, wrongly spelt.
        outcome = SmtpReply(code=452, status="4.5.3", text=outcome.text)
    verdicts.refuse(index, outcome)


async def _content(work: _Work) -> Reply:
    session = work.session
    session.client.content(replies=work.replies)
    for piece in write_content(work.content):
        await session.send(piece)
    return await _final(work)


async def _nothing(session: Session) -> Reply:
    session.client.content()
    await session.send(*write_content(b""))
    return await session.answer(timeout_s=session.timeouts.end_s)


async def _chunks(work: _Work) -> Reply:
    """The reply to the last, or the first that is a refusal: what follows is not sent then."""
    session = work.session
    unheard = 0
    ahead = CHUNKS_AHEAD if session.client.capabilities.has_pipelining else 0
    for chunk, is_last in write_chunks(work.content, is_binary=work.envelope.handling.is_binary):
        replies = work.replies if is_last else 1
        await session.send(session.client.bdat(len(chunk), is_last=is_last, replies=replies), chunk)
        unheard += not is_last
        while unheard > (0 if is_last else ahead):
            reply = await session.answer(timeout_s=session.timeouts.end_s)
            unheard -= 1
            if not reply.is_positive:
                return reply
    return await _final(work)


async def _final(work: _Work) -> Reply:
    """To the whole content; in LMTP the last of them, each noted as it comes."""
    for index in work.takers[: work.replies]:
        reply = await work.session.answer(timeout_s=work.session.timeouts.end_s)
        if work.protocol is HopProtocol.LMTP:
            work.verdicts.settle(index, reply.as_outcome())
    return reply


async def _committed(sent: Coroutine[Any, Any, Reply]) -> Reply:
    """sent: from the first octet of content to the reply."""
    try:
        return await sent
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
