"""The transport port over SMTP and LMTP: one mail at a time over a connection, one outcome for each recipient.

Whatever the peer or the network does is a Deferred or a Failed; a connection that is lost before the reply to the last
dot leaves the mail with us (RFC 5321 §4.5.4.1). Which host to try, and when again, is services.outbound's.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from mailstack.clients.smtp.connect import Connector, is_elsewhere
from mailstack.clients.smtp.kept import KeepLimits, KeptSessions
from mailstack.clients.smtp.session import Lost, Session, Timeouts, TurnedAway, Unreached
from mailstack.clients.smtp.sources import Sources
from mailstack.clients.smtp.tls import TlsContexts, used_beforehand
from mailstack.clients.smtp.transaction import (
    NOBODY_LEFT,
    Verdicts,
    fitted,
    refuse_internationalised,
    refuse_unwritable,
    transact,
)
from mailstack.model.delivery import Envelope, HopProtocol, NextHop, Outcome, SmtpReply
from mailstack.model.instant import Clock
from mailstack.model.source import Origin, Source
from mailstack.net.own_address import is_own
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
        token: Callable[[int], bytes],
        clock: Clock,
        sources: Sequence[Source] = (),
        timeouts: Timeouts | None = None,
        keeping: KeepLimits | None = None,
        may_be_exchanger: Callable[[str], bool] = is_elsewhere,
    ) -> None:
        """ehlo_domain: our host name. sources: the server's addresses, with the names that their reverse names show.
        token: random bytes. keeping: how sessions wait for further mails. may_be_exchanger: another one in tests
        only."""
        self._timeouts = timeouts or Timeouts()
        self._kept = KeptSessions(keeping or KeepLimits())
        self._sources = Sources(sources, hostname=ehlo_domain, is_own=is_own)
        self._connector = Connector(
            resolver=resolver,
            sources=self._sources,
            tls=tls,
            timeouts=self._timeouts,
            limits=ReplyLimits(),
            token=token,
            clock=clock,
            may_be_exchanger=may_be_exchanger,
        )

    async def deliver(self, hop: NextHop, envelope: Envelope, content: bytes) -> Sequence[Outcome]:
        verdicts = Verdicts(host="", is_final=hop.protocol is HopProtocol.LMTP)
        refuse_unwritable(envelope, verdicts)
        try:
            async with asyncio.timeout(self._timeouts.whole_s):
                rest = await self._attempt(hop, envelope, content, verdicts)
        except TimeoutError:
            rest = SmtpReply(code=451, status="4.4.2", text=f"not done after {self._timeouts.whole_s:.0f} s")
        return verdicts.in_order(len(envelope.recipients), rest)

    async def close(self) -> None:
        await self._kept.close()

    async def _attempt(self, hop: NextHop, envelope: Envelope, content: bytes, verdicts: Verdicts) -> SmtpReply:
        if len(verdicts.outcomes) == len(envelope.recipients):
            return NOBODY_LEFT
        kept = self._kept.take(hop, partial(self._is_from_there, envelope.origin))
        if kept is not None:
            known = dict(verdicts.outcomes)
            rest = await self._converse(kept, hop, envelope, content, verdicts)
            if not _is_gone(rest, verdicts):
                return rest
            # What was heard before the session ended is asked again.
            verdicts.host, verdicts.outcomes = "", known
        verdicts.tls = replace(used_beforehand(hop), failure=None)
        try:
            session = await self._connector.open(hop, envelope.origin, envelope.trace_id)
        except Unreached as fault:
            verdicts.tls, verdicts.source = fault.tls or verdicts.tls, fault.source
            return fault.reply
        except TurnedAway as fault:
            verdicts.host, verdicts.is_turned_away, verdicts.tls = hop.host, True, fault.tls
            verdicts.source = fault.source
            return fault.reply
        return await self._converse(session, hop, envelope, content, verdicts)

    def _is_from_there(self, origin: Origin, session: Session) -> bool:
        """Whether the mail would leave as this session does."""
        return session.chosen == self._sources.toward(session.peer_host, origin)

    async def _converse(
        self, session: Session, hop: NextHop, envelope: Envelope, content: bytes, verdicts: Verdicts
    ) -> SmtpReply:
        verdicts.host, verdicts.tls, verdicts.source = hop.host, session.tls_used, session.source
        verdicts.will_notify = session.client.capabilities.has_dsn
        is_kept = False
        try:
            rest = await _transaction(session, hop, envelope, content, verdicts)
            # Only after content that was taken: else a transaction may still be open there.
            is_kept = 200 <= rest.code < 300 and verdicts.has_delivered and self._kept.keep(hop, session)
            if not is_kept:
                await session.quit()
            return rest
        except Lost as fault:
            return fault.reply
        finally:
            if not is_kept:
                session.abort()


async def _transaction(
    session: Session, hop: NextHop, envelope: Envelope, content: bytes, verdicts: Verdicts
) -> SmtpReply:
    if envelope.handling.requires_tls and hop.is_mailbox_here and not session.has_tls:
        # RFC 8689 §4.4: here it is delivered. §2: REQUIRETLS is said under TLS alone.
        envelope = replace(envelope, handling=replace(envelope.handling, requires_tls=False))
    if envelope.handling.requires_tls and not session.client.capabilities.has_requiretls:
        # RFC 8689 §4.2.1: another host of the domain may have it.
        verdicts.is_turned_away = True
    refuse_internationalised(session, envelope, verdicts)
    fit = await fitted(session, envelope, content)
    rest = fit if isinstance(fit, SmtpReply) else _for_now(await transact(session, hop.protocol, *fit, verdicts))
    # Before QUIT: what the server took must not be forgotten when time runs out over the good-byes.
    for index in range(len(envelope.recipients)):
        verdicts.settle(index, rest)
    return rest


def _is_gone(rest: SmtpReply, verdicts: Verdicts) -> bool:
    """Whether a server took leave of a session before it took any of the mail, as it may of one that was kept; 421 is
    also what a connection is recorded as that was lost before the content."""
    said = (rest, *(outcome.reply for outcome in verdicts.outcomes.values()))
    return not verdicts.has_delivered and any(reply.code == 421 for reply in said)


def _for_now(reply: SmtpReply) -> SmtpReply:
    """A relay that wants to know us first is the operator's mistake: mail waits until it is put right."""
    if reply.code not in _WANTS_AUTH:
        return reply
    return SmtpReply(code=451, status="4.7.0", text=f"the next server wants a login: {reply}")


# RFC 4954 §6: authentication required, mechanism too weak, credentials invalid, encryption required.
_WANTS_AUTH = frozenset({530, 534, 535, 538})
