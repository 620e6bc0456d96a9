"""The types of records that ports.resolver speaks of, and how each is read from dnspython's.

RFC 1035 §3.3, §3.4; RFC 6698 §2.1 (TLSA).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import dns.name
import dns.rdatatype
import dns.rdtypes.ANY.CNAME
import dns.rdtypes.ANY.MX
import dns.rdtypes.ANY.PTR
import dns.rdtypes.ANY.TLSA
import dns.rdtypes.ANY.TXT

from mailstack.model.tls_policy import TlsaRecord
from mailstack.ports.resolver import MailExchanger

# RFC 7671 §4.1: a digest of the wrong length makes one record unusable, which mailauth.dane sees to. dnspython would
# refuse the whole answer, and take a host's good records for none that can be had.
dns.rdtypes.ANY.TLSA.TLSA._cert_length_by_mtype = {}  # noqa: SLF001  # it has no other way to say so

Rdata = TypeVar("Rdata")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class RecordType(Generic[Rdata, Value]):
    """read: from one record of dnspython's, which are of class kind, to what the port speaks of."""

    rdtype: dns.rdatatype.RdataType
    kind: type[Rdata]
    read: Callable[[Rdata], Value]


def _exchanger(mx: dns.rdtypes.ANY.MX.MX) -> MailExchanger:
    # RFC 7505 §3: a null MX is "." and comes out as "".
    return MailExchanger(preference=mx.preference, host=host_name(mx.exchange))


def _target(record: dns.rdtypes.ANY.PTR.PTR | dns.rdtypes.ANY.CNAME.CNAME) -> str:
    return host_name(record.target)


def _tlsa(record: dns.rdtypes.ANY.TLSA.TLSA) -> TlsaRecord:
    return TlsaRecord(record.usage, record.selector, record.mtype, record.cert)


def _text(txt: dns.rdtypes.ANY.TXT.TXT) -> str:
    # RFC 7208 §3.3, RFC 6376 §3.6.2.2: strings are joined without anything between.
    return b"".join(txt.strings).decode("ascii", "surrogateescape")


def host_name(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).strip(".").lower()


A = RecordType(dns.rdatatype.A, object, str)
AAAA = RecordType(dns.rdatatype.AAAA, object, str)
CNAME = RecordType(dns.rdatatype.CNAME, dns.rdtypes.ANY.CNAME.CNAME, _target)
MX = RecordType(dns.rdatatype.MX, dns.rdtypes.ANY.MX.MX, _exchanger)
PTR = RecordType(dns.rdatatype.PTR, dns.rdtypes.ANY.PTR.PTR, _target)
TLSA = RecordType(dns.rdatatype.TLSA, dns.rdtypes.ANY.TLSA.TLSA, _tlsa)
TXT = RecordType(dns.rdatatype.TXT, dns.rdtypes.ANY.TXT.TXT, _text)
