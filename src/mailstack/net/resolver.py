"""DNS questions over dnspython: a deadline on each, answers kept for as long as they say.

Not validating: the AD bit is looked at nowhere. RFC 1035, RFC 2308 (negative answers), RFC 6761 §6.3 (localhost).
"""

import asyncio
import ipaddress
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

import dns.asyncresolver
import dns.exception
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolverLimits:
    """deadline_s: for a question, all servers and retries together. records: of one answer, the rest is passed over.

    RFC 2308 §5: negative answers up to a few hours.
    """

    deadline_s: float = 10
    server_timeout_s: float = 3
    records: int = 100
    cache_entries: int = 20_000
    cache_ttl_s: int = 3_600
    negative_ttl_s: int = 300


@dataclass(frozen=True, slots=True)
class _Kept:
    until: Instant
    records: tuple[object, ...]


class DnsResolver:
    """Works as ports.resolver.Resolver. nameservers: `host`, `host:port` or `[v6]:port`; none: /etc/resolv.conf's.

    A name that cannot be written in DNS is absent like any other.
    """

    def __init__(self, *, clock: Clock, nameservers: Sequence[str] = (), limits: ResolverLimits | None = None) -> None:
        self._limits = limits or ResolverLimits()
        self._clock = clock
        self._kept: OrderedDict[tuple[dns.name.Name, dns.rdatatype.RdataType], _Kept] = OrderedDict()
        self._resolver = stub_resolver(nameservers, timeout_s=self._limits.server_timeout_s)

    async def mail_exchangers(self, domain: str) -> Sequence[MailExchanger]:
        found = await self._ask(domain, dns.rdatatype.MX, MX)
        # RFC 7505 §3: a null MX is "." and comes out as "".
        return tuple(
            MailExchanger(preference=mx.preference, host=mx.exchange.to_text(omit_final_dot=True).strip(".").lower())
            for mx in found
        )

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
        family = dns.rdatatype.AAAA if version == 6 else dns.rdatatype.A
        return tuple(str(record) for record in await self._ask(host, family, object))

    async def names_of(self, address: str) -> Sequence[str]:
        try:
            reverse = dns.reversename.from_address(address)
        except (dns.exception.DNSException, ValueError):
            return ()
        found = await self._ask(reverse.to_text(), dns.rdatatype.PTR, PTR)
        return tuple(ptr.target.to_text(omit_final_dot=True).lower() for ptr in found)

    async def texts(self, name: str) -> Sequence[str]:
        found = await self._ask(name, dns.rdatatype.TXT, TXT)
        # RFC 7208 §3.3, RFC 6376 §3.6.2.2: strings are joined without anything between.
        return tuple(b"".join(txt.strings).decode("ascii", "surrogateescape") for txt in found)

    async def _ask(self, text: str, rdtype: dns.rdatatype.RdataType, kind: type[Rdata]) -> Sequence[Rdata]:
        try:
            name = dns.name.from_text(text)
        except (dns.exception.DNSException, UnicodeError):
            return ()
        key = (name, rdtype)
        kept = self._kept.get(key)
        if kept is None or kept.until <= self._clock():
            kept = await self._learn(name, rdtype)
            self._keep(key, kept)
        return tuple(record for record in kept.records if isinstance(record, kind))

    async def _learn(self, name: dns.name.Name, rdtype: dns.rdatatype.RdataType) -> _Kept:
        try:
            answer = await self._resolver.resolve(
                name, rdtype, raise_on_no_answer=False, search=False, lifetime=self._limits.deadline_s
            )
        except dns.resolver.NXDOMAIN:
            return self._kept_for(self._limits.negative_ttl_s, ())
        except (dns.exception.DNSException, OSError) as fault:
            raise TryAgainLater(f"DNS: {name} {rdtype.name}: {type(fault).__name__}") from fault
        if answer.rrset is None:
            return self._kept_for(self._limits.negative_ttl_s, ())
        # An answer of 64 KB, kept for every name of a hostile zone, would fill the memory.
        records = tuple(islice(answer.rrset, self._limits.records))
        return self._kept_for(min(answer.rrset.ttl, self._limits.cache_ttl_s), records)

    def _kept_for(self, ttl_s: int, records: tuple[object, ...]) -> _Kept:
        return _Kept(Instant(self._clock() + ttl_s * SECOND_MS), records)

    def _keep(self, key: tuple[dns.name.Name, dns.rdatatype.RdataType], kept: _Kept) -> None:
        self._kept[key] = kept
        self._kept.move_to_end(key)
        if len(self._kept) > self._limits.cache_entries:
            self._kept.popitem(last=False)


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
