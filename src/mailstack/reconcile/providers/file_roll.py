"""Under DANE, certificate files with another key wait until everybody knows its TLSA record, as keys of ours do
(providers.key_roll). Until then the server goes on with what it holds: the files' former content is in its state. Pure.

RFC 7671 §8.1. Not waited for is what would leave the server with a certificate that ends meanwhile, nor where no record
names the former key.
"""

from dataclasses import dataclass, replace

from mailstack.model.errors import Damaged, Invalid
from mailstack.model.instant import DAY_MS, Instant, from_datetime, iso
from mailstack.model.resource import CertificateBody, Resource, body_of, fields_of
from mailstack.reconcile.dns.live import spread
from mailstack.reconcile.plan import PlanWarning
from mailstack.reconcile.providers.certs import key_digest, not_after
from mailstack.reconcile.providers.key_roll import Roll, Watched, roll_step, with_next_key
from mailstack.reconcile.wanted import Wanted

SHORTEST_LEFT_MS = DAY_MS
ANNOUNCED = "the files have a new key: its TLSA record is published before it is used"
SWITCHED_AT_ONCE = (
    "the files have a new key, which is used at once, for the certificate before it ends: senders that still know its"
    " TLSA record alone may wait for an hour or two"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOutlook:
    wanted: Wanted
    warning: PlanWarning | None = None
    again_at: Instant | None = None


def file_outlook(given: Wanted, old: Resource | None, now: Instant, dns: Watched) -> FileOutlook:
    """given: as the files are now. old: what is held for the name, None for nothing. dns: of the host's records."""
    held = _readable(old)
    if old is None or held is None:
        return FileOutlook(wanted=given)
    new = body_of(CertificateBody, given.resource)
    current, coming = key_digest(held.certificate), key_digest(new.certificate)
    if current == coming:
        return _same_key(given, new, held, now, dns)
    if _is_unknown(current, dns):
        return FileOutlook(wanted=_filled(given, with_next_key(new, held, now, is_published=False), ""))
    if from_datetime(not_after(held.certificate)) - now < SHORTEST_LEFT_MS:
        replaced = with_next_key(new, held, now, is_published=True)
        warning = PlanWarning(subject=f"certificate {given.resource.name}", text=SWITCHED_AT_ONCE)
        return FileOutlook(wanted=_filled(given, replaced, SWITCHED_AT_ONCE.partition(",")[0]), warning=warning)
    return _other_key(given, old, held, coming, now, dns)


def _other_key(
    given: Wanted, old: Resource, held: CertificateBody, coming: str, now: Instant, dns: Watched
) -> FileOutlook:
    if held.next_key_digest != coming:
        announced = replace(held, next_key_digest=coming, next_key_type="", next_key_made=iso(now), next_key_since="")
        kept = Wanted(resource=replace(old, fields=fields_of(announced)), reason=ANNOUNCED)
        return FileOutlook(wanted=kept)
    step = roll_step(held, dns, now, wants_new=False, key_type="")
    if step.roll is Roll.READY:
        new = body_of(CertificateBody, given.resource)
        return FileOutlook(wanted=_filled(given, with_next_key(new, held, now, is_published=True), step.reason))
    warning = PlanWarning(subject=f"certificate {given.resource.name}", text=step.told) if step.told else None
    fields = old.fields if step.body is None else fields_of(step.body)
    kept = Wanted(resource=replace(old, fields=fields), reason=step.reason)
    return FileOutlook(wanted=kept, warning=warning, again_at=step.again_at)


def _same_key(given: Wanted, new: CertificateBody, held: CertificateBody, now: Instant, dns: Watched) -> FileOutlook:
    """Perhaps the record of the key before is still there, and has to go once its time has come."""
    before = replace(new, last_key_digest=held.last_key_digest, last_key_since=held.last_key_since)
    step = roll_step(before, dns, now, wants_new=False, key_type="")
    return FileOutlook(wanted=_filled(given, step.body or before, step.reason), again_at=step.again_at)


def _is_unknown(digest: str, dns: Watched) -> bool:
    """No record names that key, as when DANE has only just been switched on: whoever answers says so."""
    found = spread(dns.seen, [f"3 1 1 {digest}"])
    return bool(found.missing_at) and not found.at and not found.unknown_at


def _filled(given: Wanted, body: CertificateBody, reason: str) -> Wanted:
    return replace(given, resource=replace(given.resource, fields=fields_of(body)), reason=reason)


def _readable(old: Resource | None) -> CertificateBody | None:
    if old is None:
        return None
    try:
        body = body_of(CertificateBody, old)
        key_digest(body.certificate)
    except (Damaged, Invalid):
        return None
    return body
