"""The records that the spec asks for: MX, addresses, SPF, DKIM, DMARC, MTA-STS and TLS-RPT. Pure.

Not who publishes them (zones), nor what else a zone holds (ownership). RFC 5321 §5, RFC 6376, RFC 7208, RFC 7489,
RFC 8460, RFC 8461, RFC 8463.
"""

import hashlib
import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from mailstack.model.resource import DkimKeyBody
from mailstack.reconcile.plan import KNOWN_AFTER_APPLY
from mailstack.spec.model import Spec
from mailstack.spec.sections.domains import Dmarc, Domain, MtaSts, Spf

DEFAULT_TTL_S = 3_600
MX_PREFERENCE = 10
TXT_CHUNK_OCTETS = 255  # RFC 1035 §3.3: a character-string has at most 255 octets

Key = tuple[str, str]
"""Name and type of a record set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSet:
    """name: fully qualified, lower-case, without the closing dot. values: as in a zone file, those of TXT as the bare
    text: one string, unquoted, however it is cut on the wire.
    """

    name: str
    type: str
    values: tuple[str, ...]
    ttl_s: int = DEFAULT_TTL_S

    @property
    def key(self) -> Key:
        return (self.name, self.type)


def wanted_records(spec: Spec, keys: Sequence[DkimKeyBody]) -> tuple[RecordSet, ...]:
    """keys: of every domain; a public key that apply has yet to make is ""."""
    found = list(_host_records(spec))
    for name, domain in spec.domains.items():
        found.extend(_domain_records(name, domain, spec.server.hostname))
    found.extend(_dkim(key) for key in keys if key.domain in spec.domains)
    return tuple(found)


def zone_file_lines(records: Sequence[RecordSet]) -> tuple[str, ...]:
    """RFC 1035 §5.1, one record a line."""
    width = max((len(record.name) for record in records), default=0) + 1
    return tuple(
        f"{record.name + '.':<{width}} {record.ttl_s} IN {record.type} {rdata}"
        for record in sorted(records, key=lambda record: record.key)
        for rdata in rdata_texts(record)
    )


def rdata_texts(record: RecordSet) -> tuple[str, ...]:
    if record.type != "TXT":
        return record.values
    return tuple(_quoted(value) for value in record.values)


def _host_records(spec: Spec) -> Iterator[RecordSet]:
    hostname = spec.server.hostname
    by_version: dict[int, list[str]] = {4: [], 6: []}
    for text in spec.server.addresses:
        by_version[ipaddress.ip_address(text).version].append(text)
    for record_type, version in (("A", 4), ("AAAA", 6)):
        if by_version[version]:
            yield RecordSet(name=hostname, type=record_type, values=tuple(by_version[version]))
    if hostname not in spec.domains:
        # RFC 7208 §2.3, §10.1.3: bounces have no other identity than the EHLO name.
        yield RecordSet(name=hostname, type="TXT", values=("v=spf1 a -all",))


def _domain_records(name: str, domain: Domain, hostname: str) -> Iterator[RecordSet]:
    yield RecordSet(name=name, type="MX", values=(f"{MX_PREFERENCE} {hostname}.",))
    yield RecordSet(name=name, type="TXT", values=(_spf(name, domain.spf, hostname),))
    yield from _dmarc(name, domain.dmarc)
    if domain.mta_sts:
        yield RecordSet(name=f"_mta-sts.{name}", type="TXT", values=(_mta_sts(domain.mta_sts, hostname),))
    if domain.tls_rpt:
        # RFC 8460 §3: one record, whose rua is where reports go.
        value = f"v=TLSRPTv1; rua={_mailto(domain.tls_rpt.reports_to)}"
        yield RecordSet(name=f"_smtp._tls.{name}", type="TXT", values=(value,))


def _spf(name: str, spf: Spf, hostname: str) -> str:
    # RFC 7208 §5.3: the host's own addresses, whoever the MX record points to while a domain moves.
    host = "a" if name == hostname else f"a:{hostname}"
    return " ".join(("v=spf1", host, *(f"include:{other}" for other in spf.include), spf.all))


def _dmarc(name: str, dmarc: Dmarc) -> Iterator[RecordSet]:
    if dmarc.reports_to is None:
        yield RecordSet(name=f"_dmarc.{name}", type="TXT", values=(f"v=DMARC1; p={dmarc.policy}",))
        return
    value = f"v=DMARC1; p={dmarc.policy}; rua={_mailto(dmarc.reports_to)}"
    yield RecordSet(name=f"_dmarc.{name}", type="TXT", values=(value,))
    receiver = dmarc.reports_to.rpartition("@")[2]
    if not _is_within(name, receiver) and not _is_within(receiver, name):
        # RFC 7489 §7.1: another domain must say that it takes the reports.
        yield RecordSet(name=f"{name}._report._dmarc.{receiver}", type="TXT", values=("v=DMARC1",))


def _mta_sts(policy: MtaSts, hostname: str) -> str:
    # RFC 8461 §3.1: the id, at most 32 letters and digits, changes whenever the policy does.
    told = f"{policy.mode} {int(policy.max_age.total_seconds())} {hostname}"
    return f"v=STSv1; id={hashlib.sha256(told.encode('ascii')).hexdigest()[:20]}"


def _dkim(key: DkimKeyBody) -> RecordSet:
    # RFC 6376 §3.6.1, RFC 8463 §4.
    key_type = "ed25519" if key.algorithm == "ed25519" else "rsa"
    value = f"v=DKIM1; k={key_type}; p={key.public_key or KNOWN_AFTER_APPLY}"
    return RecordSet(name=f"{key.selector}._domainkey.{key.domain}", type="TXT", values=(value,))


def _mailto(address: str) -> str:
    # RFC 7489 §6.2: "," and "!" end a URI in a rua list, so they are percent-encoded; RFC 6068 §2 for the rest.
    return f"mailto:{quote(address, safe='@+=')}"


def _is_within(name: str, parent: str) -> bool:
    return name == parent or name.endswith(f".{parent}")


def _quoted(text: str) -> str:
    octets = text.encode("utf-8")
    chunks = [octets[start : start + TXT_CHUNK_OCTETS] for start in range(0, len(octets), TXT_CHUNK_OCTETS)] or [b""]
    return " ".join(f'"{"".join(_escaped(octet) for octet in chunk)}"' for chunk in chunks)


def _escaped(octet: int) -> str:
    # RFC 1035 §5.1: \X for a character with a meaning of its own, \DDD for an octet that is not printable.
    if octet in b'"\\':
        return f"\\{octet:c}"
    return chr(octet) if 0x20 <= octet < 0x7F else f"\\{octet:03d}"
