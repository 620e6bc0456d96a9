"""From a next hop to a session that is ready for MAIL: addresses, greeting, EHLO, TLS, AUTH.

RFC 5321 §3.1, §3.2, §5.1; RFC 3207; RFC 4954; RFC 7672 §3.
"""

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, zip_longest

import structlog

from mailstack.clients.smtp.login import log_in
from mailstack.clients.smtp.session import Fault, HandshakeFailed, Lost, Session, Timeouts, TurnedAway, Unreached
from mailstack.clients.smtp.sources import Sources
from mailstack.clients.smtp.tls import Demand, TlsContexts, demand_on, used_beforehand
from mailstack.mailauth import dane
from mailstack.model.delivery import HopProtocol, NextHop, SmtpReply, TlsMode
from mailstack.model.errors import TryAgainLater
from mailstack.model.instant import Clock
from mailstack.model.networks import THIS_MACHINE
from mailstack.model.source import Origin
from mailstack.model.tls_policy import LeastTls, TlsFailure, TlsUsed
from mailstack.net.stream import Stream, dial, dial_socket
from mailstack.ports.resolver import Resolver
from mailstack.wire.smtp.reply import Reply, ReplyLimits

MAX_ADDRESSES = 8
MAX_TOLD = 3
NONCE_BYTES = 18

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Connector:
    """token: random bytes. may_be_exchanger: whether an address that some domain's DNS names is dialled."""

    resolver: Resolver
    sources: Sources
    tls: TlsContexts
    timeouts: Timeouts
    limits: ReplyLimits
    token: Callable[[int], bytes]
    clock: Clock
    may_be_exchanger: Callable[[str], bool]

    async def open(self, hop: NextHop, origin: Origin, trace_id: str) -> Session:
        """origin, trace_id: of the mail that it is for. Raises Unreached, TurnedAway."""
        if hop.socket:
            try:
                return await self._start(hop, THIS_MACHINE, origin, trace_id)
            except Lost as fault:
                raise Unreached(fault.reply, fault.tls, fault.source) from fault
        found = await self._addresses(hop.host)
        usable = [address for address in found if not hop.is_exchanger or self.may_be_exchanger(address)]
        alone = f", only {', '.join(found[:MAX_TOLD])}" if found else ""
        text = f"{hop.host} has no address that mail can be sent to{alone}"
        last = Unreached(SmtpReply(code=451, status="4.4.4", text=text))
        for address in self.sources.order(_families_in_turn(usable), origin)[:MAX_ADDRESSES]:
            try:
                return await self._start(hop, address, origin, trace_id)
            except (Lost, Unreached) as fault:
                last = Unreached(fault.reply, fault.tls, fault.source)
        raise last

    async def _addresses(self, host: str) -> Sequence[str]:
        try:
            return (str(ipaddress.ip_address(host.strip("[]"))),)
        except ValueError:
            pass
        try:
            return await self.resolver.addresses(host)
        except TryAgainLater as fault:
            raise Unreached(SmtpReply(code=451, status="4.4.3", text=fault.detail)) from fault

    async def _start(self, hop: NextHop, address: str, origin: Origin, trace_id: str) -> Session:
        demand = demand_on(hop)
        tls = used_beforehand(hop)
        begin = partial(self._introduce, hop, address, origin)
        if hop.tls is not TlsMode.OPPORTUNISTIC:
            return await begin(hop.tls, demand, tls)
        if demand.is_verified:
            try:
                return await begin(TlsMode.OPPORTUNISTIC, demand, tls)
            except HandshakeFailed as fault:
                if demand.least is LeastTls.VERIFIED:
                    raise
                # RFC 8461 §5, of a policy that is tested: the fault is told, and the mail goes out as without it.
                tls, demand = fault.tls or tls, replace(demand, is_verified=False)
        try:
            return await begin(TlsMode.OPPORTUNISTIC, demand, tls)
        except HandshakeFailed as fault:
            if demand.is_required:
                raise
            # RFC 7435 §3: a failed handshake must not stop mail that would have gone in plain to a server without TLS.
            known = log.bind(trace=trace_id, host=hop.host, address=address)
            known.info("sending without TLS", fault=fault.reply.text)
            return await begin(TlsMode.NONE, demand, fault.tls or tls)

    async def _introduce(
        self, hop: NextHop, address: str, origin: Origin, mode: TlsMode, demand: Demand, tls: TlsUsed
    ) -> Session:
        """tls: what is known of it before."""
        chosen = self.sources.toward(address, origin)
        try:
            stream = await self._dial(hop, address, chosen.address)
        except TryAgainLater as fault:
            left_from = chosen if chosen.address else None
            raise Unreached(SmtpReply(code=451, status="4.4.1", text=fault.detail), tls, left_from) from fault
        session = Session(stream, self.timeouts, self.limits, tls_used=tls, chosen=chosen)
        try:
            if mode is TlsMode.IMPLICIT:
                await self._secure(session, hop, demand)
            _require(await session.answer(timeout_s=self.timeouts.greeting_s))
            await self._hello(session, hop)
            if mode in (TlsMode.OPPORTUNISTIC, TlsMode.STARTTLS):
                await self._protect(session, hop, demand)
            if hop.credentials is not None:
                await log_in(session, hop.credentials, mode, nonce=self.token(NONCE_BYTES).hex())
        except (TurnedAway, Unreached) as fault:
            # RFC 5321 §3.1, RFC 8689 §4.2.1: whoever will not do for the mail is taken leave of.
            await session.leave()
            fault.tls, fault.source = session.tls_used, session.source
            raise
        except BaseException as fault:
            session.abort()
            if isinstance(fault, Fault):
                fault.tls, fault.source = session.tls_used, session.source
            raise
        return session

    async def _dial(self, hop: NextHop, address: str, source: str) -> Stream:
        if hop.socket:
            return await dial_socket(hop.socket, timeout_s=self.timeouts.connect_s)
        return await dial(address, hop.port, timeout_s=self.timeouts.connect_s, source=source)

    async def _hello(self, session: Session, hop: NextHop) -> None:
        if hop.protocol is HopProtocol.LMTP:
            reply = await session.command(session.client.lhlo(session.chosen.name))
            if reply.code in _UNKNOWN:
                # RFC 2033 §4.1: LMTP has no other greeting. The operator's mistake: mail waits until it is put right.
                raise Unreached(SmtpReply(code=451, status="4.5.0", text=f"{hop.host} does not speak LMTP"))
            _require(reply)
            return
        reply = await session.command(session.client.ehlo(session.chosen.name))
        if reply.code in _UNKNOWN:
            # RFC 5321 §3.2: a server that does not know EHLO is greeted with HELO.
            reply = await session.command(session.client.helo(session.chosen.name))
        _require(reply)

    async def _protect(self, session: Session, hop: NextHop, demand: Demand) -> None:
        if not session.client.capabilities.has_starttls:
            _go_without_tls(session, demand, f"{hop.host} does not offer STARTTLS")
            return
        reply = await session.command(session.client.starttls())
        if reply.code != 220:
            _go_without_tls(session, demand, f"{hop.host} refused STARTTLS: {reply.code}")
            return
        session.client.tls_started()
        await self._secure(session, hop, demand)
        if demand.dane is not None:
            verdict = dane.verify(session.chain, demand.dane, now=self.clock())
            if verdict.record is None:
                session.note_failure(verdict.failure)
                # RFC 7672 §2.2: a server that DNS does not know by its certificate gets no mail; another may.
                text = demand.unmet(f"{hop.host}: {verdict.reason}")
                raise Unreached(SmtpReply(code=451, status="4.7.5", text=text))
        await self._hello(session, hop)  # RFC 3207 §4.2: what was learned before does not count

    async def _secure(self, session: Session, hop: NextHop, demand: Demand) -> None:
        try:
            await session.start_tls(self.tls.verified if demand.is_verified else self.tls.any_certificate, demand.name)
        except HandshakeFailed as fault:
            raise HandshakeFailed(demand.unmet(f"{hop.host}: {fault.reply.text}")) from fault


def _go_without_tls(session: Session, demand: Demand, fault: str) -> None:
    """Raises Unreached where that must not be."""
    session.note_failure(TlsFailure.STARTTLS_NOT_SUPPORTED)
    if demand.is_required:
        # RFC 8689 §4.2.1: X.7.10 is for a server that no TLS comes about with.
        raise Unreached(SmtpReply(code=451, status="4.7.10", text=demand.unmet(fault)))


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


# What servers say to a greeting that they do not know.
_UNKNOWN = frozenset({500, 501, 502, 504, 550})


def _require(reply: Reply) -> None:
    if not reply.is_positive:
        raise TurnedAway(reply.as_outcome())
