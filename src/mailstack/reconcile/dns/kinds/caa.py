"""Who may issue certificates for the server's own name: CAA. RFC 8659.

Names of domains and zones are left alone: what stands there binds web sites and everything below them too.
"""

from collections.abc import Iterator

from mailstack.reconcile.dns.record_set import RecordSet
from mailstack.spec.model import Spec

LETS_ENCRYPT = "letsencrypt.org"


def caa_records(spec: Spec) -> Iterator[RecordSet]:
    hostname = spec.server.hostname
    authorities = spec.dns.caa if spec.dns.caa is not None else _by_issuer(spec)
    if authorities and hostname not in spec.domains and hostname not in spec.dns.zones:
        # RFC 8659 §4.2, §4.3: these, and no wildcards. The names mta-sts.DOMAIN are aliases of this one (§3).
        issue = (f'0 issue "{authority}"' for authority in authorities)
        yield RecordSet(name=hostname, type="CAA", values=(*issue, '0 issuewild ";"'))


def _by_issuer(spec: Spec) -> tuple[str, ...]:
    """No other authority's name can be told from its directory."""
    is_known = spec.tls.issuer == "acme" and spec.tls.acme.directory.startswith("letsencrypt")
    return (LETS_ENCRYPT,) if is_known else ()
