"""Answers of name servers as texts that record sets can be compared with. Pure. RFC 1035 §5.1."""

import dns.rdata
import dns.rdataset
import dns.rdatatype
from dns.rdtypes.ANY.TXT import TXT

NAMED_TYPES = frozenset((dns.rdatatype.MX, dns.rdatatype.CNAME, dns.rdatatype.NS, dns.rdatatype.PTR, dns.rdatatype.SRV))
"""Types whose values are names, in which case says nothing (RFC 4343 §3)."""


def values_of(rdataset: dns.rdataset.Rdataset) -> tuple[str, ...]:
    """As RecordSet has them: TXT as the bare text, what is no UTF-8 in it escaped."""
    return tuple(sorted(text_of(rdata) for rdata in rdataset))


def text_of(rdata: dns.rdata.Rdata) -> str:
    if isinstance(rdata, TXT):
        return b"".join(rdata.strings).decode("utf-8", "backslashreplace")
    text = rdata.to_text()
    return text.lower() if rdata.rdtype in NAMED_TYPES else text
