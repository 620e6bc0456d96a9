"""Who may issue certificates for the server's own name: CAA. RFC 8659, RFC 8657.

Names of domains and zones are left alone: what stands there binds web sites and everything below them too.
"""

from collections.abc import Iterator

from mailstack.model.resource import AcmeAccountBody
from mailstack.reconcile.dns.record_set import RecordSet
from mailstack.spec.model import Spec

LETS_ENCRYPT = "letsencrypt.org"


def caa_records(spec: Spec, account: AcmeAccountBody | None) -> Iterator[RecordSet]:
    """account: with the authority that certificates come from, None where there is none."""
    hostname = spec.server.hostname
    authorities = spec.dns.caa if spec.dns.caa is not None else _by_issuer(spec)
    if authorities and hostname not in spec.domains and hostname not in spec.dns.zones:
        # RFC 8659 §4.2, §4.3: these, and no wildcards. The names mta-sts.DOMAIN are aliases of this one (§3).
        issue = (f'0 issue "{authority}{_for_us(spec, authority, account)}"' for authority in authorities)
        yield RecordSet(name=hostname, type="CAA", values=(*issue, '0 issuewild ";"'))


def _for_us(spec: Spec, authority: str, account: AcmeAccountBody | None) -> str:
    """RFC 8657 §3: whoever can show this host's proofs for a moment gets no certificate from there all the same."""
    if account is None or not account.uri:
        return ""
    ours = account.caa_names or _by_issuer(spec)
    return f"; accounturi={account.uri}" if authority in ours else ""


def _by_issuer(spec: Spec) -> tuple[str, ...]:
    """No other authority's name can be told from its directory."""
    is_known = spec.tls.issuer == "acme" and spec.tls.acme.directory.startswith("letsencrypt")
    return (LETS_ENCRYPT,) if is_known else ()
