"""From a next hop to a session that is ready for MAIL: addresses, greeting, EHLO, TLS, AUTH.

RFC 5321 §3.1, §3.2, §5.1; RFC 3207; RFC 4954.
"""

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest

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
    """ehlo_domain: our host name, the one that our addresses' reverse names show. may_be_exchanger: whether an address
    that some domain's DNS names is dialled."""

    resolver: Resolver
    ehlo_domain: str
    tls: TlsContexts
    timeouts: Timeouts
    limits: ReplyLimits
    may_be_exchanger: Callable[[str], bool]

    async def open(self, hop: NextHop) -> Session:
        """Raises Unreached, TurnedAway."""
        last = SmtpReply(code=451, status="4.4.4", text=f"{hop.host} has no address that mail can be sent to")
        found = await self._addresses(hop.host)
        usable = [address for address in found if not hop.is_exchanger or self.may_be_exchanger(address)]
        for address in _families_in_turn(usable)[:MAX_ADDRESSES]:
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
                await _authenticate(session, hop.credentials, mode)
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


def is_elsewhere(address: str) -> bool:
    """False for this machine and its link: an exchanger's name is anybody's to write, and must not make us talk to
    what listens there for us alone. Private networks pass: companies with DNS of their own have exchangers there.
    """
    found = ipaddress.ip_address(address)
    found = getattr(found, "ipv4_mapped", None) or found
    return not (found.is_loopback or found.is_unspecified or found.is_link_local or found.is_multicast)


def _families_in_turn(addresses: Sequence[str]) -> list[str]:
    """A host with many IPv6 addresses that lead nowhere is still reached over IPv4."""
    families = ([a for a in addresses if ":" in a], [a for a in addresses if ":" not in a])
    return [address for address in chain.from_iterable(zip_longest(*families)) if address is not None]


def _require(reply: Reply) -> None:
    if not reply.is_positive:
        raise TurnedAway(reply.as_outcome())


def may_show_password(*, has_tls: bool, mode: TlsMode, peer_host: str) -> bool:
    # RFC 4954 §4: PLAIN and LOGIN show it to whoever listens, and to whoever answers under any certificate.
    is_verified = has_tls and mode in (TlsMode.STARTTLS, TlsMode.IMPLICIT)
    return is_verified or ipaddress.ip_address(peer_host).is_loopback


async def _authenticate(session: Session, credentials: Credentials, mode: TlsMode) -> None:
    if not may_show_password(has_tls=session.has_tls, mode=mode, peer_host=session.peer_host):
        raise Unreached(
            SmtpReply(code=451, status="4.7.11", text="no password is sent to a server that is not verified")
        )
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
