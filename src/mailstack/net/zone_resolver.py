"""Questions answered from one master file, with nobody asked: DNS as somebody wrote it down. RFC 1035 §5.

The file may hold the records of many zones. A name that is not there does not exist; what the file delegates (NS
records without a SOA record, RFC 1034 §4.2) would have to be asked elsewhere, and is as a name server that does not
answer.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import cast

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.CNAME
import dns.reversename
import dns.tokenizer
import dns.transaction
import dns.zonefile

from mailstack.model.errors import Invalid, TryAgainLater
from mailstack.net.record_types import AAAA, MX, PTR, TXT, A, Rdata, RecordType, Value
from mailstack.ports.resolver import Answer, IpVersion, MailExchanger

# Not $INCLUDE, which reads other files, and not $GENERATE, which writes millions of records in a line.
DIRECTIVES = ("$ORIGIN", "$TTL")
DEFAULT_TTL_S = 3_600
MOST_ALIASES = 8

_Node = dict[dns.rdatatype.RdataType, list[dns.rdata.Rdata]]


class ZoneResolver:
    """Works as ports.resolver.Resolver and HostResolver; no signature is looked at."""

    def __init__(self, text: str, *, name: str) -> None:
        """name: of the file, for what is wrong with it. Raises Invalid, naming the line."""
        self._nodes = _read(text, name)

    async def mail_exchangers(self, domain: str) -> Sequence[MailExchanger]:
        return self._ask(domain, MX)

    async def addresses(self, host: str) -> Sequence[str]:
        return (*self._ask(host, AAAA), *self._ask(host, A))

    async def addresses_of(self, host: str, version: IpVersion) -> Sequence[str]:
        return self._ask(host, AAAA if version == 6 else A)

    async def names_of(self, address: str) -> Sequence[str]:
        try:
            reverse = dns.reversename.from_address(address).to_text()
        except (dns.exception.DNSException, ValueError):
            return ()
        return self._ask(reverse, PTR)

    async def texts(self, name: str) -> Sequence[str]:
        return self._ask(name, TXT)

    async def exchangers_answer(self, domain: str) -> Answer[MailExchanger]:
        return _unvouched(domain, self._ask(domain, MX))

    async def addresses_answer(self, host: str) -> Answer[str]:
        return _unvouched(host, tuple(await self.addresses(host)))

    def _ask(self, text: str, asked: RecordType[Rdata, Value]) -> tuple[Value, ...]:
        try:
            name = dns.name.from_text(text)
        except (dns.exception.DNSException, UnicodeError):
            return ()
        for _ in range(MOST_ALIASES):
            self._require_here(name)
            node = self._node(name)
            if asked.rdtype in node:
                return tuple(asked.read(record) for record in node[asked.rdtype] if isinstance(record, asked.kind))
            alias = next(iter(node.get(dns.rdatatype.CNAME, ())), None)
            if not isinstance(alias, dns.rdtypes.ANY.CNAME.CNAME):
                return ()
            name = alias.target
        raise TryAgainLater(f"DNS: {text}: aliases without end")

    def _node(self, name: dns.name.Name) -> _Node:
        """Empty for what is not there."""
        for above in _upwards(name):
            if above in self._nodes:
                return self._nodes[above] if above == name else {}
            # RFC 4592 §3.3.1: a wildcard stands for what its closest encloser does not have.
            wildcard = dns.name.Name((b"*", *above.labels[1:]))
            if wildcard in self._nodes:
                return self._nodes[wildcard]
        return {}

    def _require_here(self, name: dns.name.Name) -> None:
        for above in _upwards(name):
            node = self._nodes.get(above, {})
            if dns.rdatatype.NS in node and dns.rdatatype.SOA not in node:
                raise TryAgainLater(f"DNS: {name} is delegated, and nobody is asked")


def _unvouched(name: str, values: tuple[Value, ...]) -> Answer[Value]:
    return Answer(values=values, is_secure=False, name=name)


class _Records:
    """Stands where a zone's transaction would, which takes the names of one zone only."""

    def __init__(self) -> None:
        self.manager = self
        self.nodes: dict[dns.name.Name, _Node] = {}

    # What follows is called by the reader of dnspython.

    def origin_information(self) -> tuple[dns.name.Name, bool, dns.name.Name]:
        return dns.name.root, False, dns.name.root

    def check_put_rdataset(self, _check: Callable[..., None]) -> None: ...

    def _set_origin(self, _origin: dns.name.Name) -> None: ...

    def add(self, name: dns.name.Name, _ttl: int, record: dns.rdata.Rdata) -> None:
        self.nodes.setdefault(name, {}).setdefault(record.rdtype, []).append(record)


def _read(text: str, file_name: str) -> Mapping[dns.name.Name, _Node]:
    records = _Records()
    reader = dns.zonefile.Reader(
        dns.tokenizer.Tokenizer(text, file_name),
        dns.rdataclass.IN,
        cast(dns.transaction.Transaction, records),  # as much of it as the reader calls
        allow_directives=DIRECTIVES,
        default_ttl=DEFAULT_TTL_S,
    )
    try:
        reader.read()
    except (dns.exception.DNSException, ValueError, OverflowError) as fault:
        raise Invalid(f"no master file of DNS: {str(fault) or type(fault).__name__}") from fault
    return records.nodes


def _upwards(name: dns.name.Name) -> Sequence[dns.name.Name]:
    """From the name itself to the one below the root."""
    return [name.split(labels)[1] for labels in range(len(name), 1, -1)]
