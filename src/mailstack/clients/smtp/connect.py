"""From a next hop to a session that is ready for MAIL: addresses, greeting, EHLO, TLS, AUTH.

RFC 5321 §3.1, §3.2, §5.1; RFC 3207; RFC 4954.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from mailstack.clients.smtp.session import HandshakeFailed, Lost, Session, Timeouts
from mailstack.clients.smtp.tls import TlsContexts
from mailstack.model.delivery import Credentials, NextHop, SmtpReply, TlsMode
from mailstack.model.errors import Invalid, TryAgainLater
from mailstack.net.stream import dial
from mailstack.ports.resolver import Resolver
from mailstack.wire.smtp.reply import Reply, ReplyLimits

MAX_ADDRESSES = 8

log = structlog.get_logger()


class Unreached(Exception):
    """No server took part: no address, no connection, no greeting, no TLS where it must be."""

    def __init__(self, reply: SmtpReply) -> None:
        super().__init__(str(reply))
        self.reply = reply


class TurnedAway(Exception):
    """The server answered, and will not talk on."""

    def __init__(self, reply: SmtpReply) -> None:
        super().__init__(str(reply))
        self.reply = reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Connector:
    """ehlo_domain: our host name, the one that our addresses' reverse names show."""

    resolver: Resolver
    ehlo_domain: str
    tls: TlsContexts
    timeouts: Timeouts
    limits: ReplyLimits

    async def open(self, hop: NextHop) -> Session:
        """Raises Unreached, TurnedAway."""
        last = SmtpReply(code=451, status="4.4.4", text=f"{hop.host} has no address")
        for address in (await self._addresses(hop.host))[:MAX_ADDRESSES]:
            try:
                return await self._start(hop, address)
            except (Lost, Unreached) as fault:
                last = fault.reply
        raise Unreached(last)

    async def _addresses(self, host: str) -> Sequence[str]:
        try:
            return (str(ipaddress.ip_address(host.strip("[]"))),)
        except ValueError:
            pass
        try:
            return await self.resolver.addresses(host)
        except TryAgainLater as fault:
            raise Unreached(SmtpReply(code=451, status="4.4.3", text=fault.detail)) from fault

    async def _start(self, hop: NextHop, address: str) -> Session:
        if hop.tls is not TlsMode.OPPORTUNISTIC:
            return await self._introduce(hop, address, hop.tls)
        try:
            return await self._introduce(hop, address, TlsMode.OPPORTUNISTIC)
        except HandshakeFailed as fault:
            # RFC 7435 §3: a failed handshake must not stop mail that would have gone in plain to a server without TLS.
            log.info("sending without TLS", host=hop.host, address=address, fault=fault.reply.text)
            return await self._introduce(hop, address, TlsMode.NONE)

    async def _introduce(self, hop: NextHop, address: str, mode: TlsMode) -> Session:
        try:
            stream = await dial(address, hop.port, timeout_s=self.timeouts.connect_s)
        except TryAgainLater as fault:
            raise Unreached(SmtpReply(code=451, status="4.4.1", text=fault.detail)) from fault
        session = Session(stream, self.timeouts, self.limits)
        try:
            if mode is TlsMode.IMPLICIT:
                await session.start_tls(self.tls.verified, hop.host)
            _require(await session.answer(timeout_s=self.timeouts.greeting_s))
            await self._hello(session)
            await self._protect(session, hop.host, mode)
            if hop.credentials is not None:
                await _authenticate(session, hop.credentials)
        except BaseException:
            session.abort()
            raise
        return session

    async def _hello(self, session: Session) -> None:
        reply = await session.command(session.client.ehlo(self.ehlo_domain))
        if reply.code in (500, 501, 502, 504, 550):
            # RFC 5321 §3.2: a server that does not know EHLO is greeted with HELO.
            reply = await session.command(session.client.helo(self.ehlo_domain))
        _require(reply)

    async def _protect(self, session: Session, host: str, mode: TlsMode) -> None:
        if mode not in (TlsMode.OPPORTUNISTIC, TlsMode.STARTTLS):
            return
        must = mode is TlsMode.STARTTLS
        if not session.client.capabilities.has_starttls:
            if must:
                raise Unreached(SmtpReply(code=451, status="4.7.4", text=f"{host} does not offer STARTTLS"))
            return
        reply = await session.command(session.client.starttls())
        if reply.code != 220:
            if must:
                raise Unreached(SmtpReply(code=451, status="4.7.4", text=f"{host} refused STARTTLS: {reply.code}"))
            return
        session.client.tls_started()
        await session.start_tls(self.tls.verified if must else self.tls.any_certificate, host)
        await self._hello(session)  # RFC 3207 §4.2: what was learned before does not count


def _require(reply: Reply) -> None:
    if not reply.is_positive:
        raise TurnedAway(reply.as_outcome())


async def _authenticate(session: Session, credentials: Credentials) -> None:
    # RFC 4954 §4: PLAIN and LOGIN show the password to whoever listens.
    if not session.has_tls and not ipaddress.ip_address(session.peer_host).is_loopback:
        raise Unreached(SmtpReply(code=451, status="4.7.11", text="no password is sent over an unprotected connection"))
    offered = session.client.capabilities.auth
    try:
        if "PLAIN" in offered:
            reply = await session.command(session.client.auth_plain(credentials))
        elif "LOGIN" in offered:
            reply = await _login(session, credentials)
        else:
            raise Unreached(SmtpReply(code=451, status="4.7.4", text="the relay offers no AUTH mechanism we have"))
    except Invalid as fault:
        raise Unreached(SmtpReply(code=451, status="4.7.8", text=fault.detail)) from fault
    if not reply.is_positive:
        # A wrong password for the relay is the operator's mistake: mail waits until it is put right.
        text = f"the relay refused our credentials: {reply.as_outcome()}"
        raise Unreached(SmtpReply(code=451, status="4.7.8", text=text))


async def _login(session: Session, credentials: Credentials) -> Reply:
    reply = await session.command(session.client.auth_login())
    for response in (credentials.username, credentials.password):
        if reply.code != 334:
            break
        reply = await session.command(session.client.auth_response(response))
    return reply
