"""Where a domain's mail goes, and who may send for it: MX and SPF. RFC 5321 §5, RFC 7208."""

from collections.abc import Iterator, Sequence

from mailstack.reconcile.dns.record_set import RecordSet, text_record
from mailstack.spec.sections.domains import Spf

MX_PREFERENCE = 10
BACKUP_PREFERENCE = 20


def mail_records(name: str, spf: Spf, hostname: str, backups: Sequence[str]) -> Iterator[RecordSet]:
    # RFC 5321 §5.1: the lowest number is tried first.
    behind = tuple(f"{BACKUP_PREFERENCE} {backup}." for backup in backups)
    yield RecordSet(name=name, type="MX", values=(f"{MX_PREFERENCE} {hostname}.", *behind))
    yield text_record(name, spf_text(name, spf, hostname))


def spf_text(name: str, spf: Spf, hostname: str) -> str:
    # RFC 7208 §5.3: the host's own addresses, whoever the MX record points to while a domain moves.
    host = "a" if name == hostname else f"a:{hostname}"
    return " ".join(("v=spf1", host, *(f"include:{other}" for other in spf.include), spf.all))
