"""The server's own name: its addresses, and SPF for what it sends under that name. RFC 1035, RFC 3596, RFC 7208."""

import ipaddress
from collections.abc import Iterator

from mailstack.reconcile.dns.record_set import RecordSet, text_record
from mailstack.spec.model import Spec


def host_records(spec: Spec) -> Iterator[RecordSet]:
    hostname = spec.server.hostname
    by_version: dict[int, list[str]] = {4: [], 6: []}
    for text in spec.server.addresses:
        by_version[ipaddress.ip_address(text).version].append(text)
    for record_type, version in (("A", 4), ("AAAA", 6)):
        if by_version[version]:
            yield RecordSet(name=hostname, type=record_type, values=tuple(by_version[version]))
    if hostname not in spec.domains:
        # RFC 7208 §2.3, §10.1.3: bounces have no other identity than the EHLO name.
        yield text_record(hostname, "v=spf1 a -all")
