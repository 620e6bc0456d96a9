"""Where a domain's mail goes, and who may send for it: MX and SPF. RFC 5321 §5, RFC 7208."""

from collections.abc import Iterator

from mailstack.reconcile.dns.record_set import RecordSet, text_record
from mailstack.spec.sections.domains import Spf

MX_PREFERENCE = 10


def mail_records(name: str, spf: Spf, hostname: str) -> Iterator[RecordSet]:
    yield RecordSet(name=name, type="MX", values=(f"{MX_PREFERENCE} {hostname}.",))
    yield text_record(name, spf_text(name, spf, hostname))


def spf_text(name: str, spf: Spf, hostname: str) -> str:
    # RFC 7208 §5.3: the host's own addresses, whoever the MX record points to while a domain moves.
    host = "a" if name == hostname else f"a:{hostname}"
    return " ".join(("v=spf1", host, *(f"include:{other}" for other in spf.include), spf.all))
