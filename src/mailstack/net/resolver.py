"""DNS questions over dnspython: a deadline on each, answers kept for as long as they say, nothing asked twice at once.

Not validating itself: what a resolver says of DNSSEC is believed where it is said that it may be. RFC 1035, RFC 2308
(negative answers), RFC 6761 §6.3 (localhost), RFC 4035 §4.9.3, RFC 6840 §5.7 (the AD bit).
"""

import asyncio
import ipaddress
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any

import dns.asyncresolver
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.nameserver
import dns.rdatatype
import dns.resolver
import dns.reversename

from mailstack.model.errors import Invalid, TryAgainLater
from mailstack.model.instant import SECOND_MS, Clock, Instant
from mailstack.model.tls_policy import TlsaRecord
from mailstack.net.record_types import AAAA, CNAME, MX, PTR, TLSA, TXT, A, Rdata, RecordType, Value, host_name
from mailstack.ports.resolver import Answer, IpVersion, MailExchanger

DNS_PORT = 53
EDNS_PAYLOAD_OCTETS = 1232  # what passes every path without fragments


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolverLimits:
    """deadline_s: for a question, waiting for its turn, all servers and retries together. questions: under way at once.
    records: of one answer, the rest is passed over. kept_octets: of the texts in all answers that are kept.

    RFC 2308 §5: negative answers up to a few hours.
    """

    deadline_s: float = 10
    server_timeout_s: float = 3
    questions: int = 1_000
    records: int = 100
    cache_entries: int = 20_000
    kept_octets: int = 16 << 20
    cache_ttl_s: int = 3_600
    negative_ttl_s: int = 300


_Key = tuple[str, dns.rdatatype.RdataType]


@dataclass(frozen=True, slots=True)
class _Kept:
    until: Instant
    values: tuple[Any, ...]
    octets: int
    is_secure: bool = False
    name: str = ""


class DnsResolver:
    """Works as ports.resolver.Resolver and SecureResolver. nameservers: `host`, `host:port` or `[v6]:port`; none:
    /etc/resolv.conf's. is_validating: they check DNSSEC, and nobody comes between them and us.

    A name that cannot be written in DNS is absent like any other. What somebody else is asking already is waited for,
    and goes on when that one gives up: a sender who is slow to answer costs one question, however many of its mails
    come. Raises Invalid where the machine has no resolver either.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        nameservers: Sequence[str] = (),
        is_validating: bool = False,
        limits: ResolverLimits | None = None,
    ) -> None:
        self._limits = limits or ResolverLimits()
        self._clock = clock
        self._kept: OrderedDict[_Key, _Kept] = OrderedDict()
        self._kept_octets = 0
        self._asking: dict[_Key, asyncio.Task[_Kept]] = {}
        self._turns = asyncio.Semaphore(self._limits.questions)
        try:
            self._resolver = stub_resolver(nameservers, timeout_s=self._limits.server_timeout_s)
        except dns.resolver.NoResolverConfiguration as fault:
            raise Invalid("no resolver is named: neither dns.resolvers nor /etc/resolv.conf has one") from fault
        self._is_validating = is_validating
        if is_validating:
            # RFC 6840 §5.7: with AD in the question, the answer has it where it is due, without the signatures.
            self._resolver.set_flags(dns.flags.RD | dns.flags.AD)

    async def mail_exchangers(self, domain: str) -> Sequence[MailExchanger]:
        return (await self._ask(domain, MX)).values

    async def addresses(self, host: str) -> Sequence[str]:
        """IPv6 first. One family's failure is passed over when the other has an answer."""
        return tuple(address for kept in await self._both_families(host) for address in kept.values)

    async def _both_families(self, host: str) -> Sequence[_Kept]:
        name = host.rstrip(".").lower()
        if name == "localhost" or name.endswith(".localhost"):
            # RFC 6761 §6.3: never asked of a server.
            return (_Kept(self._clock(), ("::1", "127.0.0.1"), 0, name=name),)
        results = await asyncio.gather(self._ask(host, AAAA), self._ask(host, A), return_exceptions=True)
        found = [result for result in results if isinstance(result, _Kept)]
        for result in results:
            if isinstance(result, BaseException) and not (
                any(kept.values for kept in found) and isinstance(result, TryAgainLater)
            ):
                raise result
        return found

    async def addresses_of(self, host: str, version: IpVersion) -> Sequence[str]:
        return (await self._ask(host, AAAA if version == 6 else A)).values

    async def names_of(self, address: str) -> Sequence[str]:
        try:
            reverse = _reverse_name(address)
        except (dns.exception.DNSException, ValueError):
            return ()
        return (await self._ask(reverse, PTR)).values

    async def texts(self, name: str) -> Sequence[str]:
        return (await self._ask(name, TXT)).values

    async def exchangers_answer(self, domain: str) -> Answer[MailExchanger]:
        return _answer(await self._ask(domain, MX))

    async def addresses_answer(self, host: str) -> Answer[str]:
        found = await self._both_families(host)
        told = [kept for kept in found if kept.values] or found
        return Answer(
            values=tuple(address for kept in told for address in kept.values),
            is_secure=all(kept.is_secure for kept in told),
            name=told[0].name,
        )

    async def alias_answer(self, name: str) -> Answer[str]:
        return _answer(await self._ask(name, CNAME))

    async def tlsa_answer(self, name: str) -> Answer[TlsaRecord]:
        return _answer(await self._ask(name, TLSA))

    async def _ask(self, text: str, asked: RecordType[Rdata, Value]) -> _Kept:
        # The text itself is the key: dnspython's own names would take ten times as long to make as to look up.
        key = (text.lower(), asked.rdtype)
        kept = self._kept.get(key)
        if kept is None or kept.until <= self._clock():
            kept = await self._asked_once(key, asked)
        return kept

    async def _asked_once(self, key: _Key, asked: RecordType[Rdata, Value]) -> _Kept:
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

    async def _learn(self, key: _Key, name: dns.name.Name, asked: RecordType[Rdata, Value]) -> _Kept:
        try:
            async with asyncio.timeout(self._limits.deadline_s), self._turns:
                answer = await self._resolver.resolve(
                    name, asked.rdtype, raise_on_no_answer=False, search=False, lifetime=self._limits.deadline_s
                )
        except dns.resolver.NXDOMAIN as absent:
            response = absent.response(name)  # type: ignore[no-untyped-call]  # dnspython left its types out here
            return self._keep_absence(key, response, response.resolve_chaining())
        except (dns.exception.DNSException, OSError) as fault:  # asyncio's TimeoutError is an OSError
            raise TryAgainLater(f"DNS: {name} {asked.rdtype.name}: {_told(fault)}") from fault
        if answer.rrset is None:
            return self._keep_absence(key, answer.response, answer.chaining_result)
        records = islice(answer.rrset, self._limits.records)
        values = tuple(asked.read(record) for record in records if isinstance(record, asked.kind))
        # The least of the answer's and of the aliases' on the way to it.
        ttl_s = min(answer.chaining_result.minimum_ttl, self._limits.cache_ttl_s)
        is_secure = self._vouches(answer.response)
        return self._keep(key, values, ttl_s, is_secure=is_secure, name=host_name(answer.canonical_name))

    def _keep_absence(self, key: _Key, response: dns.message.Message, found: dns.message.ChainingResult) -> _Kept:
        # RFC 2308 §5: for as long as the SOA record beside it says.
        ttl_s = min(found.minimum_ttl, self._limits.negative_ttl_s)
        return self._keep(key, (), ttl_s, is_secure=self._vouches(response), name=host_name(found.canonical_name))

    def _vouches(self, response: dns.message.Message) -> bool:
        # RFC 4035 §4.9.3: the AD bit is only worth what the resolver and the way from it are.
        return self._is_validating and bool(response.flags & dns.flags.AD)

    def _keep(
        self, key: _Key, values: tuple[Any, ...], ttl_s: int, *, is_secure: bool = False, name: str = ""
    ) -> _Kept:
        # An answer of 64 KB, kept for every name of a hostile zone, would fill the memory.
        octets = len(key[0]) + sum(map(_octets, values))
        if name == key[0]:
            name = key[0]
        else:
            octets += len(name)
        kept = _Kept(Instant(self._clock() + ttl_s * SECOND_MS), values, octets, is_secure, name)
        self._forget(self._kept.pop(key, None))
        self._kept[key] = kept
        self._kept_octets += octets
        while len(self._kept) > self._limits.cache_entries or self._kept_octets > self._limits.kept_octets:
            self._forget(self._kept.popitem(last=False)[1])
        return kept

    def _forget(self, kept: _Kept | None) -> None:
        self._kept_octets -= kept.octets if kept else 0


def _answer(kept: _Kept) -> Answer[Any]:
    return Answer(values=kept.values, is_secure=kept.is_secure, name=kept.name)


def _octets(value: object) -> int:
    match value:
        case str():
            return len(value)
        case TlsaRecord():
            return len(value.data)
        case _:
            return 0


def _told(fault: Exception) -> str:
    """For a person who reads why mail waits."""
    match fault:
        case dns.exception.Timeout() | TimeoutError():
            return "no answer in time"
        case dns.resolver.NoNameservers():
            return "no name server can answer"
        case _:
            return type(fault).__name__


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


# Takes fifty times as long as the look at what is kept, and most mail comes from the same servers.
@lru_cache(maxsize=4096)
def _reverse_name(address: str) -> str:
    """Raises DNSException or ValueError for what is no address."""
    return dns.reversename.from_address(address).to_text()
