"""LiveDns on the real servers: those that a zone's NS records name, or that the spec names, each asked directly.

Bounded in time and number, and it never raises for what DNS does. Not a resolver: answers are not cached, for a record
is looked at again to see it come. RFC 1034 §4.3.1 (questions without recursion), RFC 1035, RFC 7766 (TCP).
"""

import asyncio
import ipaddress
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import dns.asyncquery
import dns.asyncresolver
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.resolver
import dns.rrset

from mailstack.net.resolver import DNS_PORT, EDNS_PAYLOAD_OCTETS, host_and_port, stub_resolver
from mailstack.reconcile.dns.live import NOT_ASKED, Seen, Sight, is_reserved
from mailstack.reconcile.dns.presentation import text_of, values_of
from mailstack.spec.model import Spec


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveLimits:
    """server_timeout_s: of one packet, and of one connection. deadline_s: of one server for one question. silent_after:
    so many questions without any answer, and a server is not asked again for silent_s.
    """

    server_timeout_s: float = 2
    deadline_s: float = 4
    resolver_deadline_s: float = 4
    servers: int = 13
    addresses: int = 4
    questions: int = 64
    values: int = 100
    silent_after: int = 2
    silent_s: float = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class _Server:
    """name: as people know it. addresses: none when it has none."""

    name: str
    addresses: tuple[str, ...]
    port: int = DNS_PORT


@dataclass(slots=True)
class _Silence:
    """How often in a row a server gave no answer, and until when that is believed."""

    times: int = 0
    until: float = 0.0

    def is_believed(self, limits: LiveLimits, now: float) -> bool:
        return self.times >= limits.silent_after and now < self.until

    def note(self, until: float) -> None:
        self.times += 1
        self.until = until


class _NotFound(Exception):
    """No server can be asked; str() says why."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A zone's servers, or why there are none, which is believed until then."""

    servers: tuple[_Server, ...]
    failure: str = ""
    until: float = math.inf


class AuthoritativeDns:
    """Works as LiveDns. nameservers: by zone, instead of those that NS records name. resolvers: instead of the
    machine's, as net.resolver has them. port: of servers that are named without one. trusted: zones whose NS records
    may lead to any address, None for all; those of others lead to public ones only, not into the machine's network.
    """

    def __init__(
        self,
        *,
        nameservers: Mapping[str, Sequence[str]] | None = None,
        resolvers: Sequence[str] = (),
        port: int = DNS_PORT,
        limits: LiveLimits | None = None,
        trusted: Collection[str] | None = None,
    ) -> None:
        self._limits = limits or LiveLimits()
        self._given = dict(nameservers or {})
        self._resolvers = resolvers
        self._port = port
        self._trusted = trusted
        self._resolver: dns.asyncresolver.Resolver | None = None
        self._found: dict[tuple[str, bool], _Found] = {}
        self._looking: dict[tuple[str, bool], asyncio.Lock] = {}
        self._hosts: dict[str, tuple[str, ...]] = {}
        self._silences: dict[str, _Silence] = {}
        self._slots = asyncio.Semaphore(self._limits.questions)

    async def seen(self, zone: str, name: str, record_type: str) -> Seen:
        if zone not in self._given and is_reserved(name):
            return Seen(
                failure="not asked, for its name is kept for documentation; `nameservers` of the zone says whom to ask",
                is_skipped=True,
            )
        try:
            question = _question(name, record_type)
            servers = await self._servers(zone or name, is_exact=bool(zone))
        except _NotFound as fault:
            return Seen(failure=str(fault))
        sights = await asyncio.gather(*(self._sight(server, question) for server in servers))
        return Seen(sights=tuple(sights))

    async def resolved(self, name: str, record_type: str) -> Sight:
        if is_reserved(name):
            return Sight(server="", failure=NOT_ASKED)
        try:
            question = _question(name, record_type)
            rrset = await self._resolve(question.question[0].name, question.question[0].rdtype)
        except _NotFound as fault:
            return Sight(server="", failure=str(fault))
        return _sight("", rrset, self._limits.values)

    async def _servers(self, name: str, *, is_exact: bool) -> tuple[_Server, ...]:
        """Of the zone, or of the one that holds the name. Looked up once; a failure again after a while."""
        key = (name, is_exact)
        async with self._looking.setdefault(key, asyncio.Lock()):
            found = self._found.get(key)
            if found is None or found.until <= _now():
                found = self._found[key] = await self._find(name, is_exact=is_exact)
        if found.failure:
            raise _NotFound(found.failure)
        return found.servers

    async def _find(self, name: str, *, is_exact: bool) -> _Found:
        try:
            given = self._given.get(name) if is_exact else None
            if given is not None:
                return _Found(tuple(await asyncio.gather(*map(self._server, given[: self._limits.servers]))))
            texts = await self._named_by_ns(name)
            if not texts and not is_exact and name.count(".") > 1:
                # Upwards from name to name, so that names of one zone find it together.
                return _Found(await self._servers(name.partition(".")[2], is_exact=False))
            if not texts:
                raise _NotFound(f"{name} has no name servers in DNS: is the zone delegated?")
            is_trusted = self._trusted is None or name in self._trusted
            servers = await asyncio.gather(
                *(self._named(text, is_trusted=is_trusted) for text in texts[: self._limits.servers])
            )
        except _NotFound as fault:
            return _Found((), str(fault), _now() + self._limits.silent_s)
        return _Found(tuple(servers))

    async def _named_by_ns(self, zone: str) -> Sequence[str]:
        rrset = await self._resolve(dns.name.from_text(zone), dns.rdatatype.NS)
        return sorted(text_of(rdata).rstrip(".") for rdata in rrset or ())

    async def _server(self, text: str) -> _Server:
        """As a spec names it."""
        host, port = host_and_port(text, self._port)
        try:
            return _Server(name=text, addresses=(str(ipaddress.ip_address(host)),), port=port)
        except ValueError:
            pass
        return _Server(name=text, addresses=await self._addresses_of(host), port=port)

    async def _named(self, host: str, *, is_trusted: bool) -> _Server:
        """As an NS record names it: a host name, in which neither an address nor a port means anything."""
        found = await self._addresses_of(host)
        addresses = tuple(address for address in found if is_trusted or ipaddress.ip_address(address).is_global)
        return _Server(name=host, addresses=addresses, port=self._port)

    async def _addresses_of(self, host: str) -> tuple[str, ...]:
        # One provider's servers hold hundreds of zones.
        if not self._hosts.get(host):
            self._hosts[host] = await self._addresses(host)
        return self._hosts[host]

    async def _addresses(self, host: str) -> tuple[str, ...]:
        """IPv4 first, for a machine without IPv6 says so only after a while."""
        name = dns.name.from_text(host)
        found: list[str] = []
        for family in (dns.rdatatype.A, dns.rdatatype.AAAA):
            try:
                found += [rdata.to_text() for rdata in await self._resolve(name, family) or ()]
            except _NotFound:
                continue
        return tuple(found[: self._limits.addresses])

    async def _resolve(self, name: dns.name.Name, rdtype: dns.rdatatype.RdataType) -> dns.rrset.RRset | None:
        """Raises _NotFound where nothing could be learned; None for what is not there."""
        limits, silence = self._limits, self._silence("")
        if silence.is_believed(limits, _now()):
            raise _NotFound("DNS does not answer")
        try:
            if self._resolver is None:
                self._resolver = stub_resolver(self._resolvers, timeout_s=limits.server_timeout_s)
            async with self._slots:
                answer = await self._resolver.resolve(
                    name, rdtype, raise_on_no_answer=False, search=False, lifetime=limits.resolver_deadline_s
                )
        except dns.resolver.NXDOMAIN:
            return None
        except (dns.exception.Timeout, OSError) as fault:
            silence.note(_now() + limits.silent_s)
            raise _NotFound(f"DNS does not answer ({name} {rdtype.name}: {type(fault).__name__})") from fault
        except dns.exception.DNSException as fault:
            raise _NotFound(f"DNS cannot say ({name} {rdtype.name}: {type(fault).__name__})") from fault
        silence.times = 0
        return answer.rrset

    async def _sight(self, server: _Server, question: dns.message.QueryMessage) -> Sight:
        if not server.addresses:
            return Sight(server=server.name, failure="has no address")
        silence = self._silence(server.name)
        if silence.is_believed(self._limits, _now()):
            return Sight(server=server.name, failure="does not answer")
        try:
            async with self._slots, asyncio.timeout(self._limits.deadline_s):
                response = await self._ask(server, question)
        except (dns.exception.DNSException, OSError, EOFError, TimeoutError):
            silence.note(_now() + self._limits.silent_s)
            return Sight(server=server.name, failure="does not answer")
        silence.times = 0
        return self._read(server, question, response)

    def _silence(self, server: str) -> _Silence:
        return self._silences.setdefault(server, _Silence())

    async def _ask(self, server: _Server, question: dns.message.QueryMessage) -> dns.message.Message:
        """Each address in turn, by UDP and, where that is cut off or lost, by TCP."""
        timeout = self._limits.server_timeout_s
        for address in server.addresses:
            try:
                response, _ = await dns.asyncquery.udp_with_fallback(question, address, timeout, server.port)
                return response
            except (dns.exception.Timeout, dns.exception.FormError):
                pass
            except (dns.exception.DNSException, OSError):
                continue
            try:
                return await dns.asyncquery.tcp(question, address, timeout, server.port)
            except (dns.exception.DNSException, OSError, EOFError):
                continue
        raise dns.exception.Timeout

    def _read(self, server: _Server, question: dns.message.QueryMessage, response: dns.message.Message) -> Sight:
        name, rdtype = question.question[0].name, question.question[0].rdtype
        rcode = response.rcode()
        if rcode not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            return Sight(server=server.name, failure=f"answers {dns.rcode.to_text(rcode)}")
        # RFC 1034 §4.3.1: an answer without AA is somebody else's word; below a cut it is a referral.
        if not response.flags & dns.flags.AA:
            return Sight(server=server.name, failure="is not authoritative for the name")
        found = response.get_rrset(response.answer, name, dns.rdataclass.IN, rdtype)
        if found is not None:
            return _sight(server.name, found, self._limits.values)
        alias = response.get_rrset(response.answer, name, dns.rdataclass.IN, dns.rdatatype.CNAME)
        if alias is None:
            return Sight(server=server.name)
        return Sight(server=server.name, alias=text_of(alias[0]))


def authoritative_dns(
    spec: Spec, *, resolvers: Sequence[str] | None = None, trusted: Collection[str] | None = None
) -> AuthoritativeDns:
    """resolvers: instead of the spec's, where it is somebody else's."""
    given = {name: zone.nameservers for name, zone in spec.dns.zones.items() if zone.nameservers}
    return AuthoritativeDns(
        nameservers=given, resolvers=spec.dns.resolvers if resolvers is None else resolvers, trusted=trusted
    )


def _now() -> float:
    return asyncio.get_running_loop().time()


def _question(name: str, record_type: str) -> dns.message.QueryMessage:
    """Raises _NotFound for a name that DNS cannot hold."""
    try:
        question = dns.message.make_query(name, record_type, use_edns=0, payload=EDNS_PAYLOAD_OCTETS)
    except (dns.exception.DNSException, UnicodeError) as fault:
        raise _NotFound(f"{name} {record_type} cannot be asked for") from fault
    # RFC 1034 §4.3.1: what this server knows, not what it can find out.
    question.flags &= ~dns.flags.RD
    return question


def _sight(server: str, rrset: dns.rrset.RRset | None, most: int) -> Sight:
    if rrset is None:
        return Sight(server=server)
    return Sight(server=server, values=values_of(rrset)[:most], ttl_s=rrset.ttl)
