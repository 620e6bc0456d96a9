"""The transport port over SMTP: one connection, one mail, one outcome for each recipient.

Whatever the peer or the network does is a Deferred or a Failed; a connection that is lost before the reply to the last
dot leaves the mail with us (RFC 5321 §4.5.4.1). Which host to try, and when again, is services.outbound's.
"""

import asyncio
from collections.abc import Callable, Sequence

from mailstack.clients.smtp.connect import Connector, TurnedAway, Unreached, is_elsewhere
from mailstack.clients.smtp.session import Lost, Session, Timeouts
from mailstack.clients.smtp.tls import TlsContexts
from mailstack.clients.smtp.transaction import (
    NOBODY_LEFT,
    Envelope,
    Verdicts,
    missing_extension,
    refuse_internationalised,
    refuse_unwritable,
    transact,
)
from mailstack.model.delivery import NextHop, Outcome, SmtpReply
from mailstack.ports.resolver import Resolver
from mailstack.wire.smtp.reply import ReplyLimits


class SmtpTransport:
    """Works as ports.transport.Transport."""

    def __init__(
        self,
        resolver: Resolver,
        *,
        ehlo_domain: str,
        tls: TlsContexts,
        timeouts: Timeouts | None = None,
        may_be_exchanger: Callable[[str], bool] = is_elsewhere,
    ) -> None:
        """may_be_exchanger: another one in tests only."""
        self._timeouts = timeouts or Timeouts()
        self._connector = Connector(
            resolver=resolver,
            ehlo_domain=ehlo_domain,
            tls=tls,
            timeouts=self._timeouts,
            limits=ReplyLimits(),
            may_be_exchanger=may_be_exchanger,
        )

    async def deliver(
        self,
        hop: NextHop,
        *,
        reverse_path: str,
        recipients: Sequence[str],
        content: bytes,
        is_8bit: bool,
        smtp_utf8: bool,
    ) -> Sequence[Outcome]:
        envelope = Envelope(
            reverse_path=reverse_path,
            recipients=recipients,
            size_bytes=len(content),
            is_8bit=is_8bit,
            smtp_utf8=smtp_utf8,
        )
        verdicts = Verdicts(host="")
        refuse_unwritable(envelope, verdicts)
        try:
            async with asyncio.timeout(self._timeouts.whole_s):
                rest = await self._attempt(hop, envelope, content, verdicts)
        except TimeoutError:
            rest = SmtpReply(code=451, status="4.4.2", text=f"not done after {self._timeouts.whole_s:.0f} s")
        return verdicts.in_order(len(recipients), rest)

    async def _attempt(self, hop: NextHop, envelope: Envelope, content: bytes, verdicts: Verdicts) -> SmtpReply:
        if len(verdicts.outcomes) == len(envelope.recipients):
            return NOBODY_LEFT
        try:
            session = await self._connector.open(hop)
        except Unreached as fault:
            return fault.reply
        except TurnedAway as fault:
            verdicts.host, verdicts.is_turned_away = hop.host, True
            return fault.reply
        verdicts.host = hop.host
        try:
            return await _converse(session, envelope, content, verdicts)
        except Lost as fault:
            return fault.reply
        finally:
            session.abort()


async def _converse(session: Session, envelope: Envelope, content: bytes, verdicts: Verdicts) -> SmtpReply:
    refuse_internationalised(session, envelope, verdicts)
    rest = missing_extension(session, envelope)
    if rest is None:
        rest = _for_now(await transact(session, envelope, content, verdicts))
    # Before QUIT: what the server took must not be forgotten when time runs out over the good-byes.
    for index in range(len(envelope.recipients)):
        verdicts.settle(index, rest)
    await session.quit()
    return rest


def _for_now(reply: SmtpReply) -> SmtpReply:
    """A relay that wants to know us first is the operator's mistake: mail waits until it is put right."""
    if reply.code not in _WANTS_AUTH:
        return reply
    return SmtpReply(code=451, status="4.7.0", text=f"the next server wants a login: {reply}")


# RFC 4954 §6: authentication required, mechanism too weak, credentials invalid, encryption required.
_WANTS_AUTH = frozenset({530, 534, 535, 538})
