"""DNS questions over dnspython: a deadline on each, answers kept for as long as they say, nothing asked twice at once.

Not validating: the AD bit is looked at nowhere. RFC 1035, RFC 2308 (negative answers), RFC 6761 §6.3 (localhost).
"""

import asyncio
import ipaddress
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, TypeVar

import dns.asyncresolver
import dns.exception
import dns.message
import dns.name
import dns.nameserver
import dns.rdatatype
import dns.resolver
import dns.reversename
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.ANY.PTR import PTR
from dns.rdtypes.ANY.TXT import TXT

from mailstack.model.errors import TryAgainLater
from mailstack.model.instant import SECOND_MS, Clock, Instant
from mailstack.ports.resolver import IpVersion, MailExchanger

DNS_PORT = 53
EDNS_PAYLOAD_OCTETS = 1232  # what passes every path without fragments

Rdata = TypeVar("Rdata")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolverLimits:
    """deadline_s: for a question, waiting for its turn, all servers and retries together. questions: under way at once.
    records: of one answer, the rest is passed over. kept_octets: of the texts in all answers that are kept.

    RFC 2308 §5: negative answers up to a few hours.
    """

    deadline_s: float = 10
    server_timeout_s: float = 3
    questions: int = 200
    records: int = 100
    cache_entries: int = 20_000
    kept_octets: int = 16 << 20
    cache_ttl_s: int = 3_600
    negative_ttl_s: int = 300


_Key = tuple[str, dns.rdatatype.RdataType]


@dataclass(frozen=True, slots=True)
class _Type(Generic[Rdata, Value]):
    """read: from one record of dnspython's, which are of class kind, to what the port speaks of."""

    rdtype: dns.rdatatype.RdataType
    kind: type[Rdata]
    read: Callable[[Rdata], Value]


@dataclass(frozen=True, slots=True)
class _Kept:
    until: Instant
    values: tuple[Any, ...]
    octets: int


class DnsResolver:
    """Works as ports.resolver.Resolver. nameservers: `host`, `host:port` or `[v6]:port`; none: /etc/resolv.conf's.

    A name that cannot be written in DNS is absent like any other. What somebody else is asking already is waited for,
    and goes on when that one gives up: a sender who is slow to answer costs one question, however many of its mails
    come.
    """

    def __init__(self, *, clock: Clock, nameservers: Sequence[str] = (), limits: ResolverLimits | None = None) -> None:
        self._limits = limits or ResolverLimits()
        self._clock = clock
        self._kept: OrderedDict[_Key, _Kept] = OrderedDict()
        self._kept_octets = 0
        self._asking: dict[_Key, asyncio.Task[_Kept]] = {}
        self._turns = asyncio.Semaphore(self._limits.questions)
        self._resolver = stub_resolver(nameservers, timeout_s=self._limits.server_timeout_s)

    async def mail_exchangers(self, domain: str) -> Sequence[MailExchanger]:
        return await self._ask(domain, _MX)

    async def addresses(self, host: str) -> Sequence[str]:
        """IPv6 first. One family's failure is passed over when the other has an answer."""
        name = host.rstrip(".").lower()
        if name == "localhost" or name.endswith(".localhost"):
            return ("::1", "127.0.0.1")  # RFC 6761 §6.3: never asked of a server
        results = await asyncio.gather(self.addresses_of(host, 6), self.addresses_of(host, 4), return_exceptions=True)
        found = [address for result in results if isinstance(result, tuple) for address in result]
        for result in results:
            if isinstance(result, BaseException) and not (found and isinstance(result, TryAgainLater)):
                raise result
        return tuple(found)

    async def addresses_of(self, host: str, version: IpVersion) -> Sequence[str]:
        return await self._ask(host, _AAAA if version == 6 else _A)

    async def names_of(self, address: str) -> Sequence[str]:
        try:
            reverse = dns.reversename.from_address(address)
        except (dns.exception.DNSException, ValueError):
            return ()
        return await self._ask(reverse.to_text(), _PTR)

    async def texts(self, name: str) -> Sequence[str]:
        return await self._ask(name, _TXT)

    async def _ask(self, text: str, asked: _Type[Rdata, Value]) -> tuple[Value, ...]:
        # The text itself is the key: dnspython's own names would take ten times as long to make as to look up.
        key = (text.lower(), asked.rdtype)
        kept = self._kept.get(key)
        if kept is None or kept.until <= self._clock():
            kept = await self._asked_once(key, asked)
        return kept.values

    async def _asked_once(self, key: _Key, asked: _Type[Rdata, Value]) -> _Kept:
        asking = self._asking.get(key)
        if asking is None:
            try:
                name = dns.name.from_text(key[0])
            except (dns.exception.DNSException, UnicodeError):
                return _Kept(self._clock(), (), 0)
            asking = asyncio.create_task(self._learn(key, name, asked))
            self._asking[key] = asking
            asking.add_done_callback(lambda task: self._done(key, task))
        return await asyncio.shield(asking)

    def _done(self, key: _Key, task: asyncio.Task[_Kept]) -> None:
        del self._asking[key]
        if not task.cancelled():
            task.exception()  # looked at, for those who asked may all have given up

    async def _learn(self, key: _Key, name: dns.name.Name, asked: _Type[Rdata, Value]) -> _Kept:
        try:
            async with asyncio.timeout(self._limits.deadline_s), self._turns:
                answer = await self._resolver.resolve(
                    name, asked.rdtype, raise_on_no_answer=False, search=False, lifetime=self._limits.deadline_s
                )
        except dns.resolver.NXDOMAIN as absent:
            response = absent.response(name)  # type: ignore[no-untyped-call]  # dnspython left its types out here
            return self._keep_absence(key, response.resolve_chaining())
        except (dns.exception.DNSException, OSError) as fault:  # asyncio's TimeoutError is an OSError
            raise TryAgainLater(f"DNS: {name} {asked.rdtype.name}: {type(fault).__name__}") from fault
        if answer.rrset is None:
            return self._keep_absence(key, answer.chaining_result)
        records = islice(answer.rrset, self._limits.records)
        values = tuple(asked.read(record) for record in records if isinstance(record, asked.kind))
        # The least of the answer's and of the aliases' on the way to it.
        return self._keep(key, values, min(answer.chaining_result.minimum_ttl, self._limits.cache_ttl_s))

    def _keep_absence(self, key: _Key, found: dns.message.ChainingResult) -> _Kept:
        # RFC 2308 §5: for as long as the SOA record beside it says.
        return self._keep(key, (), min(found.minimum_ttl, self._limits.negative_ttl_s))

    def _keep(self, key: _Key, values: tuple[Any, ...], ttl_s: int) -> _Kept:
        # An answer of 64 KB, kept for every name of a hostile zone, would fill the memory.
        octets = len(key[0]) + sum(len(value) for value in values if isinstance(value, str))
        kept = _Kept(Instant(self._clock() + ttl_s * SECOND_MS), values, octets)
        self._forget(self._kept.pop(key, None))
        self._kept[key] = kept
        self._kept_octets += octets
        while len(self._kept) > self._limits.cache_entries or self._kept_octets > self._limits.kept_octets:
            self._forget(self._kept.popitem(last=False)[1])
        return kept

    def _forget(self, kept: _Kept | None) -> None:
        self._kept_octets -= kept.octets if kept else 0


def stub_resolver(nameservers: Sequence[str], *, timeout_s: float) -> dns.asyncresolver.Resolver:
    """nameservers: as DnsResolver's. timeout_s: of one server. Raises dns.resolver.NoResolverConfiguration."""
    resolver = dns.asyncresolver.Resolver(configure=not nameservers)
    if nameservers:
        resolver.nameservers = [_nameserver(text) for text in nameservers]
    resolver.timeout = timeout_s
    resolver.use_edns(0, 0, EDNS_PAYLOAD_OCTETS)
    return resolver


def _nameserver(text: str) -> dns.nameserver.Nameserver:
    """Raises ValueError for what is no address."""
    host, port = host_and_port(text, DNS_PORT)
    return dns.nameserver.Do53Nameserver(str(ipaddress.ip_address(host)), port)


def host_and_port(text: str, default_port: int) -> tuple[str, int]:
    """Of `host`, `host:port`, `[v6]:port` or a bare IPv6 address. Raises ValueError for a port that is no number."""
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return host, int(rest.removeprefix(":") or default_port)
    if text.count(":") == 1:
        host, _, rest = text.partition(":")
        return host, int(rest)
    return text, default_port


def _exchanger(mx: MX) -> MailExchanger:
    # RFC 7505 §3: a null MX is "." and comes out as "".
    return MailExchanger(preference=mx.preference, host=_host(mx.exchange))


def _target(ptr: PTR) -> str:
    return _host(ptr.target)


def _text(txt: TXT) -> str:
    # RFC 7208 §3.3, RFC 6376 §3.6.2.2: strings are joined without anything between.
    return b"".join(txt.strings).decode("ascii", "surrogateescape")


def _host(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).strip(".").lower()


_A = _Type(dns.rdatatype.A, object, str)
_AAAA = _Type(dns.rdatatype.AAAA, object, str)
_MX = _Type(dns.rdatatype.MX, MX, _exchanger)
_PTR = _Type(dns.rdatatype.PTR, PTR, _target)
_TXT = _Type(dns.rdatatype.TXT, TXT, _text)
