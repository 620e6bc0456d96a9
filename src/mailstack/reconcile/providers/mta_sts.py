"""What a plan warns of where MTA-STS is concerned: enforcing too early, and leaving off too suddenly. Pure.

A certificate counts as one that senders accept where it is there, in date, covers the name, and was not made by whoever
shows it or by an authority for tests. Whether senders trust its authority is not known here. RFC 8461.
"""

from collections.abc import Collection, Iterator, Sequence

from mailstack.model.errors import Invalid
from mailstack.model.instant import Instant, as_datetime
from mailstack.model.resource import (
    CertificateBody,
    DomainBody,
    Kind,
    MtaStsBody,
    Operation,
    Resource,
    Snapshot,
    body_of,
)
from mailstack.reconcile.diff import Step
from mailstack.reconcile.plan import PlanWarning
from mailstack.reconcile.providers.certs import is_self_issued, lifetime_of, names_in
from mailstack.reconcile.wanted import Wanted
from mailstack.spec.model import Spec

ENFORCE = "enforce"
DAY_S = 86_400
FOR_TESTS = "staging"
"""In the names of authorities that nobody trusts on purpose."""


def ahead_of_certificate(spec: Spec, certificates: Sequence[Wanted], now: Instant) -> Iterator[PlanWarning]:
    """Policies that senders may enforce before they can verify what they find. certificates: as they will be; one that
    has yet to be ordered is not there."""
    enforcing = [name for name, domain in spec.domains.items() if domain.mta_sts and domain.mta_sts.mode == ENFORCE]
    if not enforcing:
        return
    accepted = frozenset(name for item in certificates for name in _accepted_names(item.resource, now))
    hostname = spec.server.hostname
    is_host_covered = _is_covered(hostname, accepted)
    for name in enforcing:
        text = ""
        if not is_host_covered:
            # RFC 8461 §4.1, §5: under enforce, a certificate that cannot be verified means no delivery.
            text = f"{_why_none(spec)} {hostname}: senders do not deliver"
        elif spec.server.listeners.https and not _is_covered(f"mta-sts.{name}", accepted):
            # RFC 8461 §3.3: a policy that cannot be fetched over verified HTTPS is none.
            text = f"{_why_none(spec)} mta-sts.{name}: senders cannot fetch the policy, and enforce nothing"
        if text:
            yield PlanWarning(subject=f"domain {name}", text=f"MTA-STS enforce is ahead of its certificate: {text}")


def taken_away(steps: Sequence[Step], live: Snapshot) -> Iterator[PlanWarning]:
    """Policies that senders will still enforce when nobody shows them any more."""
    for step in steps:
        resource = step.wanted.resource
        before = _policy(live.resources.get((Kind.DOMAIN, resource.name))) if resource.kind is Kind.DOMAIN else None
        if before is None or before.mode != ENFORCE:
            continue
        if step.change.operation is Operation.DESTROY or _policy(resource) is None:
            remembered = _days(before.max_age_s)
            # RFC 8461 §8.3: first a policy of mode none, for as long as the one before may be remembered.
            text = (
                f"MTA-STS enforce is taken away at once: senders that remember it hold whatever gets the mail next to"
                f" it, for up to {remembered} more; better apply `mta_sts: {{mode: none, max_age: 1d}}`, wait"
                f" {remembered}, and take it away then"
            )
            yield PlanWarning(subject=f"domain {resource.name}", text=text)


def _accepted_names(certificate: Resource, now: Instant) -> Sequence[str]:
    if certificate.kind is not Kind.CERTIFICATE:
        return ()
    body = body_of(CertificateBody, certificate)
    if not body.certificate or FOR_TESTS in body.authority:
        return ()
    try:
        lifetime = lifetime_of(body.certificate)
        is_good = lifetime.start <= as_datetime(now) < lifetime.end and not is_self_issued(body.certificate)
        return names_in(body.certificate) if is_good and body.issuer != "self-signed" else ()
    except Invalid:
        return ()


def _is_covered(host: str, names: Collection[str]) -> bool:
    # RFC 8461 §4.1: as RFC 6125 §6.4.3 has it, a wildcard stands for exactly one, the left-most, label.
    return host in names or f"*.{host.partition('.')[2]}" in names


def _why_none(spec: Spec) -> str:
    match spec.tls.issuer:
        case "acme" if FOR_TESTS in spec.tls.acme.directory_url:
            return f"{spec.tls.acme.directory} issues for tests, and nobody accepts it for"
        case "acme":
            return "none is issued yet for"
        case "files":
            return "no file of tls.files is one that senders accept for"
        case _:
            return "a self-signed one is what there is for"


def _policy(domain: Resource | None) -> MtaStsBody | None:
    return None if domain is None else body_of(DomainBody, domain).mta_sts


def _days(seconds: int) -> str:
    days = -(-seconds // DAY_S)
    return f"{days} day{'' if days == 1 else 's'}"
