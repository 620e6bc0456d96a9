"""The server's own names: their addresses, and SPF for what it sends under them. RFC 1035, RFC 3596, RFC 7208."""

import ipaddress
from collections.abc import Iterator, Sequence

from mailstack.reconcile.dns.record_set import RecordSet, text_record
from mailstack.spec.model import Spec


def host_records(spec: Spec) -> Iterator[RecordSet]:
    server = spec.server
    by_name: dict[str, list[str]] = {server.hostname: []}
    for each in server.addresses:
        by_name[server.hostname].append(each.address)
        if each.name is not None and each.name != server.hostname:
            by_name.setdefault(each.name, []).append(each.address)
    for name, addresses in by_name.items():
        yield from _address_records(name, addresses)
        if name not in spec.domains:
            # RFC 7208 §2.3, §10.1.3: bounces have no other identity than the EHLO name.
            yield text_record(name, "v=spf1 a -all")


def _address_records(name: str, addresses: Sequence[str]) -> Iterator[RecordSet]:
    for record_type, version in (("A", 4), ("AAAA", 6)):
        values = tuple(text for text in addresses if ipaddress.ip_address(text).version == version)
        if values:
            yield RecordSet(name=name, type=record_type, values=values)
