"""One check_host(): the record of a domain, those it includes, and what they say of one client. RFC 7208 §4 to §7.

The work is bounded whatever strangers publish: 10 terms that ask DNS, each at most 11 questions, 2 terms to which DNS
has no answer. Time is the resolver's: what it could not learn raises TryAgainLater.
"""

import ipaddress
from dataclasses import dataclass, replace

from mailstack.mailauth.iprev import has_address
from mailstack.mailauth.spf.macro import (
    MacroString,
    MacroValues,
    end_of_name,
    explanation,
    has_validated_name,
    is_name,
    macro_string,
)
from mailstack.mailauth.spf.record import (
    MOST_RECORD_OCTETS,
    All,
    Directive,
    Exists,
    Hosts,
    Include,
    Mechanism,
    Network,
    Ptr,
    Record,
    parse_record,
    select,
)
from mailstack.model.errors import Invalid, TryAgainLater
from mailstack.model.verdict import SpfResult
from mailstack.ports.resolver import IpVersion, Resolver

MOST_TERMS = 10  # RFC 7208 §4.6.4: include, a, mx, ptr, exists, redirect
MOST_VOID_TERMS = 2  # RFC 7208 §4.6.4
MOST_EXCHANGERS = 10  # RFC 7208 §4.6.4
MOST_NAMES = 10  # RFC 7208 §4.6.4, of the client's address
MOST_EXPLANATION_OCTETS = 400  # with the code before it, one line of a reply (RFC 5321 §4.5.3.1.5)

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Who asks to send, for whom, and who checks. sender: local_part@sender_domain."""

    ip: IpAddress
    local_part: str
    sender_domain: str
    helo: str
    receiver: str
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """directive: that matched, None for none. domain: whose record it stands in."""

    result: SpfResult
    domain: str
    directive: Directive | None
    explanation: MacroString | None


class Evaluation:
    """Of one client and one sender; counts and remembers across the records. terms: that asked DNS. is_unsure: it did
    not answer for a name of the client, which might have matched."""

    def __init__(self, resolver: Resolver, client: Client) -> None:
        self._resolver = resolver
        self._client = client
        self._version: IpVersion = 4 if client.ip.version == 4 else 6
        self._address = int(client.ip)
        self.terms = 0
        self.is_unsure = False
        self._void_terms = 0
        self._names: list[str] | None = None
        self._is_validated: dict[str, bool] = {}

    async def check_host(self, domain: str) -> Found | None:
        """None without a record. Raises Invalid for a permanent error, TryAgainLater for one that may pass."""
        # RFC 7208 §4.3: labels too long or empty, or only one of them.
        if not is_name(domain) or "." not in domain:
            return None
        text = select(await self._resolver.texts(domain))
        if text is None:
            return None
        record = parse_record(text)
        for directive in record.directives:
            if await self._matches(directive.mechanism, domain):
                return Found(
                    result=directive.result, domain=domain, directive=directive, explanation=record.explanation
                )
        return await self._without_match(record, domain)

    async def explain(self, found: Found) -> str:
        """What the domain says to those it does not let send, "" where it says nothing. RFC 7208 §6.2."""
        if found.result != SpfResult.FAIL or found.explanation is None:
            return ""
        try:
            target = await self._target(found.explanation, found.domain)
            texts = await self._resolver.texts(target) if target else ()
            # RFC 7208 §6.2: several records, or one that cannot be read, and it is as if there were none.
            if len(texts) != 1 or not texts[0].isascii() or len(texts[0]) > MOST_RECORD_OCTETS:
                return ""
            parts = macro_string(texts[0])
        except (Invalid, TryAgainLater):
            return ""
        return explanation(parts, await self._values(parts, found.domain), MOST_EXPLANATION_OCTETS)

    async def _without_match(self, record: Record, domain: str) -> Found:
        if record.redirect is None:
            # RFC 7208 §4.7
            return Found(result=SpfResult.NEUTRAL, domain=domain, directive=None, explanation=None)
        self._count_term()
        target = await self._target(record.redirect, domain)
        found = await self.check_host(target) if target else None
        if found is None:
            raise Invalid("redirect= leads to no SPF record")  # RFC 7208 §6.1
        return found

    async def _matches(self, mechanism: Mechanism, domain: str) -> bool:
        match mechanism:
            case Network():
                return mechanism.version == self._version and self._address >> mechanism.shift == mechanism.prefix
            case All():
                return True
            case Include():
                return await self._includes(mechanism, domain)
            case Hosts():
                return await self._is_host(mechanism, domain)
            case Exists():
                return await self._exists(mechanism, domain)
            case Ptr():
                return await self._is_named(mechanism, domain)

    async def _includes(self, include: Include, domain: str) -> bool:
        self._count_term()
        target = await self._target(include.target, domain)
        found = await self.check_host(target) if target else None
        if found is None:
            raise Invalid("include: leads to no SPF record")  # RFC 7208 §5.2
        return found.result == SpfResult.PASS

    async def _is_host(self, hosts: Hosts, domain: str) -> bool:
        self._count_term()
        target = await self._target(hosts.target, domain)
        if target is None:
            return False
        names = await self._exchangers(target) if hosts.is_mx else (target,)
        bits = hosts.ip4_bits if self._version == 4 else hosts.ip6_bits
        shift = self._client.ip.max_prefixlen - bits
        has_answer = False
        for name in names:
            for address in await self._resolver.addresses_of(name, self._version):
                has_answer = True
                if self._address >> shift == int(ipaddress.ip_address(address)) >> shift:
                    return True
        if not has_answer:
            self._count_void_term()
        return False

    async def _exchangers(self, domain: str) -> tuple[str, ...]:
        exchangers = await self._resolver.mail_exchangers(domain)
        # RFC 7208 §4.6.4: here more than ten are an error, while more names of an address are passed over.
        if len(exchangers) > MOST_EXCHANGERS:
            raise Invalid(f"mx: more than {MOST_EXCHANGERS} mail exchangers")
        # RFC 7208 §5.4: no implicit MX; RFC 7505 §3: a null MX names nobody.
        return tuple(exchanger.host for exchanger in exchangers if exchanger.host)

    async def _exists(self, exists: Exists, domain: str) -> bool:
        self._count_term()
        target = await self._target(exists.target, domain)
        if target is None:
            return False
        # RFC 7208 §5.7: A records, for IPv6 clients too.
        if await self._resolver.addresses_of(target, 4):
            return True
        self._count_void_term()
        return False

    async def _is_named(self, ptr: Ptr, domain: str) -> bool:
        self._count_term()
        target = await self._target(ptr.target, domain)
        if target is None:
            return False
        target = target.lower()
        for name in await self._names_of_client():
            if (name == target or name.endswith(f".{target}")) and await self._validated(name):
                return True
        return False

    async def _names_of_client(self) -> list[str]:
        if self._names is None:
            try:
                names = await self._resolver.names_of(str(self._client.ip))
            except TryAgainLater:
                # RFC 7208 §5.5: then nothing matches. It is no temporary error where the time for DNS is over (§4.6.4)
                # either: the client's reverse zone is in the hands of who sends, and would be a way past such records.
                names = ()
                self.is_unsure = True
            self._names = [name.rstrip(".").lower() for name in names[:MOST_NAMES]]
        return self._names

    async def _validated(self, name: str) -> bool:
        """RFC 7208 §5.5: does the name have the client's address."""
        known = self._is_validated.get(name)
        if known is None:
            try:
                known = await has_address(self._resolver, name, self._client.ip)
            except TryAgainLater:
                known = False  # RFC 7208 §5.5: this name is passed over
                self.is_unsure = True
            self._is_validated[name] = known
        return known

    async def _validated_name(self, domain: str) -> str:
        """RFC 7208 §7.3: the domain itself, else a name below it, else any."""
        names = await self._names_of_client()
        domain = domain.lower()
        for name in sorted(names, key=lambda name: 0 if name == domain else 1 if name.endswith(f".{domain}") else 2):
            if await self._validated(name):
                return name
        return "unknown"

    async def _target(self, spec: MacroString, domain: str) -> str | None:
        """RFC 7208 §4.8: the domain itself where the term names no other."""
        if not spec:
            return domain
        name = spec if isinstance(spec, str) else end_of_name(spec, await self._values(spec, domain))
        name = name.removesuffix(".")
        return name if is_name(name) else None

    async def _values(self, parts: MacroString, domain: str) -> MacroValues:
        client = self._client
        is_ip4 = self._version == 4
        values = MacroValues(
            sender=f"{client.local_part}@{client.sender_domain}",
            local_part=client.local_part,
            sender_domain=client.sender_domain,
            domain=domain,
            # RFC 7208 §7.3: an IPv6 address is 32 digits with dots between.
            dotted_ip=str(client.ip) if is_ip4 else ".".join(f"{self._address:032X}"),
            readable_ip=str(client.ip),
            ip_zone="in-addr" if is_ip4 else "ip6",
            helo=client.helo,
            receiver=client.receiver,
            seconds=client.seconds,
        )
        if has_validated_name(parts):
            return replace(values, validated_name=await self._validated_name(domain))
        return values

    def _count_term(self) -> None:
        self.terms += 1
        if self.terms > MOST_TERMS:
            raise Invalid(f"more than {MOST_TERMS} terms ask DNS")

    def _count_void_term(self) -> None:
        """RFC 7208 §4.6.4 counts terms. Not what names the client's address has: the domain's owner cannot help it."""
        self._void_terms += 1
        if self._void_terms > MOST_VOID_TERMS:
            raise Invalid(f"more than {MOST_VOID_TERMS} terms name what is not in DNS")
