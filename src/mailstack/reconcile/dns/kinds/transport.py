"""How senders are to reach the domain's server: MTA-STS, reports about failed TLS, and DANE's TLSA.

Not the MTA-STS policy itself, which servers.http serves. RFC 8461, RFC 8460, RFC 6698, RFC 7671, RFC 7672.
"""

from collections.abc import Iterator, Sequence

from mailstack.formats.mta_sts import write_record
from mailstack.model.tls_policy import StsMode, StsPolicy
from mailstack.reconcile.dns.kinds.dmarc import mailto
from mailstack.reconcile.dns.record_set import RecordSet, text_record
from mailstack.reconcile.plan import KNOWN_AFTER_APPLY
from mailstack.spec.sections.domains import Domain, MtaSts


def transport_records(name: str, domain: Domain, hostname: str, backups: Sequence[str]) -> Iterator[RecordSet]:
    if domain.mta_sts:
        # RFC 8461 §3.1; senders then ask the policy host over HTTPS, which is this server (§8.2 has the CNAME).
        yield text_record(f"_mta-sts.{name}", write_record(_policy(domain.mta_sts, (hostname, *backups))))
        if hostname != f"mta-sts.{name}":
            yield RecordSet(name=f"mta-sts.{name}", type="CNAME", values=(f"{hostname}.",))
    if domain.tls_rpt:
        # RFC 8460 §3: one record, whose rua is where reports go.
        yield text_record(f"_smtp._tls.{name}", f"v=TLSRPTv1; rua={mailto(domain.tls_rpt.reports_to)}")


def tlsa_records(hostname: str, key_digests: Sequence[str]) -> Iterator[RecordSet]:
    """key_digests: as in material.Material."""
    # RFC 7672 §3.1.1: DANE-EE(3) SPKI(1) SHA-256(1), which stays as long as the key does.
    values = tuple(f"3 1 1 {digest or KNOWN_AFTER_APPLY}" for digest in dict.fromkeys(key_digests))
    if values:
        yield RecordSet(name=f"_25._tcp.{hostname}", type="TLSA", values=values)


def _policy(policy: MtaSts, exchangers: tuple[str, ...]) -> StsPolicy:
    return StsPolicy(mode=StsMode(policy.mode), max_age_s=int(policy.max_age.total_seconds()), mx=exchangers)
