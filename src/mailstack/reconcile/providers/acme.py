"""Which certificates are ordered from an authority, and when: a function of spec, live state, time and failures. Pure.

Not how they are ordered (reconcile.issue). RFC 8555, RFC 9773; who decides what is in
docs/decisions/0009-certificates.md.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from mailstack.model.client_settings import settings_hosts
from mailstack.model.errors import Damaged, Invalid
from mailstack.model.instant import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    Instant,
    as_datetime,
    earliest,
    from_datetime,
    from_iso,
    iso,
)
from mailstack.model.issuance import IssuanceFailure
from mailstack.model.resource import (
    AcmeAccountBody,
    CertificateBody,
    Kind,
    Renewal,
    Resource,
    Snapshot,
    body_of,
    fields_of,
)
from mailstack.reconcile.plan import PlanWarning
from mailstack.reconcile.providers.certs import Lifetime, lifetime_of
from mailstack.reconcile.providers.key_roll import (
    MADE,
    Roll,
    RollStep,
    Watched,
    roll_step,
    with_next_key,
    with_old_key,
)
from mailstack.reconcile.wanted import Wanted
from mailstack.spec.model import Spec
from mailstack.spec.sections.acme import Acme

ACME, FILES = "acme", "files"
RENEWED = ("certificate", "not_after")
WITH_NEW_KEY = (*RENEWED, "key")
BACK_OFF_MS = (5 * MINUTE_MS, 15 * MINUTE_MS, HOUR_MS, 3 * HOUR_MS, 6 * HOUR_MS, 12 * HOUR_MS, 24 * HOUR_MS)
KEY_LIFETIME_MS = 365 * DAY_MS
SETTLES = timedelta(days=2)
"""After a certificate was issued: until then no new key is begun by age."""
SPREAD = 30
"""Renewals come up to a thirtieth of the lifetime before their time, so that servers set up together part."""
SOONEST = timedelta(days=1)
"""After a certificate was issued: an authority that would have it renewed before is not obeyed, lest it never ends."""
LATEST_SHARE = 10
"""Whatever the authority suggests, no less than a tenth of the lifetime is left for what may go wrong."""
RENEWALS_ASKED_EVERY_MS = 6 * HOUR_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordering:
    """can_order: whoever plans this can show the authority its proofs. can_ask: it can be spoken to at all. why_not:
    who else will order and when, "" to say nothing of it. failures: by certificate, and of contacts by `contact_name`.
    """

    can_order: bool = False
    can_ask: bool = False
    why_not: str = ""
    failures: Mapping[str, IssuanceFailure] = field(default_factory=dict)


NO_ORDERING = Ordering()
LEFT_TO_SERVE = "mailstack serve orders it when it runs, for the server itself has to show the proof"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """One certificate: what is wanted now, None to keep or make a self-signed one; and what comes next."""

    wanted: Wanted | None
    warning: PlanWarning | None = None
    again_at: Instant | None = None


def certificate_groups(spec: Spec) -> tuple[tuple[str, ...], ...]:
    """The names of each certificate, the one that names it first. The host's own is apart from those of the domains,
    and each domain's from all others', so that a name that cannot be proved stops no other."""
    own = ((spec.server.hostname,),)
    return tuple(dict.fromkeys((*own, *(names for name in spec.domains for names in domain_groups(spec, name)))))


def all_names(spec: Spec) -> tuple[str, ...]:
    """Every host name that this server has to show a certificate for."""
    return tuple(dict.fromkeys(name for group in certificate_groups(spec) for name in group))


def domain_groups(spec: Spec, domain: str) -> Iterator[tuple[str, ...]]:
    """Hosts of that domain that this server answers for besides its own name. That of a policy stays apart: mail must
    not wait for a name that only helps to set up programs."""
    if spec.domains[domain].mta_sts:
        yield (f"mta-sts.{domain}",)
    if spec.domains[domain].autoconfig:
        names = tuple(name for name in settings_hosts(domain) if name != spec.server.hostname)
        yield names


def contact_name(authority: str) -> str:
    """Of what failed when an authority was told whom to write to."""
    return f"contact {authority}"


def wanted_accounts(spec: Spec, live: Snapshot, now: Instant, ordering: Ordering) -> Iterator[Outlook]:
    """One with the authority in use, and whom it writes to; all others as they are, for a lost account key is lost for
    good."""
    url, email = spec.tls.acme.directory_url, spec.tls.acme.email or ""
    is_used = spec.tls.issuer == ACME
    for (kind, name), resource in live.resources.items():
        if kind is Kind.ACME_ACCOUNT:
            is_new_contact = is_used and name == url and resource.fields["email"] != email
            yield _told(resource, spec, now, ordering) if is_new_contact else Outlook(wanted=Wanted(resource=resource))
    if is_used and (Kind.ACME_ACCOUNT, url) not in live.resources:
        body = AcmeAccountBody(email=email)
        account = Resource(kind=Kind.ACME_ACCOUNT, name=url, fields=fields_of(body))
        yield Outlook(wanted=Wanted(resource=account, made=("key",)))


def _told(account: Resource, spec: Spec, now: Instant, ordering: Ordering) -> Outlook:
    acme, kept = spec.tls.acme, Wanted(resource=account)
    failure = ordering.failures.get(contact_name(account.name))
    if failure is not None and _is_waited_for(failure, order_mark((), acme), now):
        text = f"does not know {acme.email or 'that it may write to nobody'} yet: {failure.reason};"
        warning = PlanWarning(
            subject=f"acme_account {account.name}", text=f"{text} tried again after {_minute(failure.retry_at)}"
        )
        return Outlook(wanted=kept, warning=warning, again_at=failure.retry_at)
    if not ordering.can_ask:
        return Outlook(wanted=kept)
    fields = {**account.fields, "email": acme.email or ""}
    reason = f"{authority_name(acme)} is told"
    return Outlook(wanted=Wanted(resource=replace(account, fields=fields), reason=reason))


def outlook(
    names: tuple[str, ...], acme: Acme, live: Snapshot, now: Instant, ordering: Ordering, dns: Watched | None
) -> Outlook:
    """dns: of the TLSA records that name this certificate's keys, None where none do."""
    old = live.resources.get((Kind.CERTIFICATE, names[0]))
    held, lifetime = _held(old)
    step = RollStep()
    if held is not None and lifetime is not None and old is not None and dns is not None:
        roll_at = _roll_at(held, lifetime)
        # A renewal that is due goes before, so that an apply never leaves one of the two to do.
        is_time = roll_at is not None and roll_at <= now < renewal_at(held, lifetime)
        step = roll_step(held, dns, now, wants_new=is_time or held.key_type != acme.key, key_type=acme.key)
        step = replace(step, again_at=earliest(step.again_at, roll_at if roll_at and now < roll_at else None))
        if step.body is not None:
            return Outlook(wanted=_rolled(old, step))
    found = _order_or_keep(names, acme, old, now, ordering, step)
    if step.told and found.warning is None:
        found = replace(found, warning=PlanWarning(subject=f"certificate {names[0]}", text=step.told))
    return replace(found, again_at=earliest(found.again_at, step.again_at))


def _order_or_keep(
    names: tuple[str, ...], acme: Acme, old: Resource | None, now: Instant, ordering: Ordering, step: RollStep
) -> Outlook:
    held, lifetime = _held(old)
    reason = step.reason or _reason(names, acme, held, lifetime, now, step.roll)
    if old is not None and not reason:
        return Outlook(wanted=Wanted(resource=old), again_at=_look_at(held, lifetime, now))
    kept = None if old is None or lifetime is None else Wanted(resource=old)
    failure = ordering.failures.get(names[0])
    if failure is not None and _is_waited_for(failure, order_mark(names, acme), now):
        return Outlook(wanted=kept, warning=_failed(names[0], failure, lifetime, now), again_at=failure.retry_at)
    if not ordering.can_order:
        return Outlook(wanted=kept, warning=_not_now(names[0], acme, held, ordering))
    return Outlook(wanted=_order(names, acme, old, now, reason, step.roll))


def _is_waited_for(failure: IssuanceFailure, order: str, now: Instant) -> bool:
    # One that has yet to happen was noted by a clock that was ahead, and may have been its fault.
    return failure.order == order and failure.failed_at <= now < failure.retry_at


def _look_at(held: CertificateBody | None, lifetime: Lifetime | None, now: Instant) -> Instant | None:
    if held is None or lifetime is None:
        return None
    asked_at = Instant(now + RENEWALS_ASKED_EVERY_MS) if held.renew_from else None
    return earliest(renewal_at(held, lifetime), asked_at)


def is_order(wanted: Wanted) -> bool:
    """Something that an authority has to be asked for."""
    resource = wanted.resource
    is_asked = "certificate" in wanted.made and resource.fields.get("issuer") == ACME
    return resource.kind is Kind.CERTIFICATE and is_asked


def order_mark(names: tuple[str, ...], acme: Acme) -> str:
    """Says whether a failure was one of the same order; who changes what is asked for, or who asks, need not wait."""
    # The CA by its file's name alone: a spec is read from more than one place.
    account = (acme.email or "", acme.ca.name if acme.ca else "", acme.eab.key_id if acme.eab else "")
    told = "\0".join((acme.directory_url, acme.challenge, acme.key, *account, *names))
    return hashlib.sha256(told.encode("utf-8")).hexdigest()[:16]


def renewal_at(body: CertificateBody, lifetime: Lifetime) -> Instant:
    """When the authority would have it renewed, within reason; by its age where it says nothing."""
    start, end = from_iso(body.renew_from), from_iso(body.renew_until)
    if start is None or end is None:
        return renew_at(body.names[0], lifetime)
    # RFC 9773 §4.2: a moment by chance within the window; always the same one, until the window is another.
    suggested = start + round((end - start) * _draw(body.names[0], f"{lifetime.start}\0{start}"))
    latest = lifetime.end - (lifetime.end - lifetime.start) / LATEST_SHARE
    soonest = min(lifetime.start + SOONEST, latest)
    return Instant(min(max(suggested, from_datetime(soonest)), from_datetime(latest)))


def renew_at(name: str, lifetime: Lifetime) -> Instant:
    """When a third of the lifetime is left, or somewhat before; always the same moment for one certificate."""
    length = lifetime.end - lifetime.start
    return from_datetime(lifetime.end - length / 3 - length / SPREAD * _draw(name, str(lifetime.start)))


def _draw(name: str, what: str) -> float:
    """From 0 to 1, as if by chance."""
    return int.from_bytes(hashlib.sha256(f"{name}\0{what}".encode()).digest()[:4], "big") / (1 << 32)


def retry_at(now: Instant, tries: int, not_before: Instant | None) -> Instant:
    """tries: failed in a row, >= 1. not_before: the authority's own word."""
    return max(Instant(now + BACK_OFF_MS[min(tries, len(BACK_OFF_MS)) - 1]), not_before or now)


def authority_name(acme: Acme) -> str:
    """As people say it."""
    names = {"letsencrypt": "Let's Encrypt", "letsencrypt-staging": "Let's Encrypt (staging)"}
    return names.get(acme.directory, acme.directory)


def renewed_at(certificate: Resource) -> Instant | None:
    """When another one is ordered; None where that is nobody's to do, or it cannot be read."""
    held, lifetime = _held(certificate)
    if held is None or lifetime is None or held.issuer != ACME:
        return None
    return renewal_at(held, lifetime)


def lifetime_in(certificate: Resource) -> Lifetime | None:
    """None for one that cannot be read."""
    return _held(certificate)[1]


def _held(old: Resource | None) -> tuple[CertificateBody | None, Lifetime | None]:
    if old is None:
        return None, None
    try:
        body = body_of(CertificateBody, old)
        if body.issuer == FILES:  # whose next key is not ours to use
            body = replace(body, next_key_digest="", next_key_made="", next_key_since="")
        return body, lifetime_of(body.certificate)
    except (Damaged, Invalid):
        return None, None


def _reason(
    names: tuple[str, ...],
    acme: Acme,
    held: CertificateBody | None,
    lifetime: Lifetime | None,
    now: Instant,
    roll: Roll,
) -> str:
    """Why it has to be ordered; "" where it has not."""
    if held is None or lifetime is None or held.issuer != ACME:
        return f"ordered from {authority_name(acme)}"
    if held.authority != acme.directory_url:
        return f"ordered anew from {authority_name(acme)}"
    if held.names != names:
        return "ordered anew: its names change"
    if held.renewal == Renewal.ASKED:
        return "ordered anew, as somebody asked"
    if now >= renewal_at(held, lifetime):
        return f"renewed: {days_left(lifetime, now)} days remain{_suggested(held)}"
    if roll is Roll.UNNAMED and (held.next_key_digest or held.key_type != acme.key):
        return "ordered anew: another kind of key"
    return ""


def _suggested(held: CertificateBody) -> str:
    if not held.renew_from:
        return ""
    return f", and the authority suggests it{f' ({held.renewal_page})' if held.renewal_page else ''}"


def _order(names: tuple[str, ...], acme: Acme, old: Resource | None, now: Instant, reason: str, roll: Roll) -> Wanted:
    held, _ = _held(old)
    body = CertificateBody(
        issuer=ACME,
        names=names,
        # Until the new one is there; whoever asks for the key of the wanted one finds that of this one, which it keeps.
        certificate=held.certificate if held else "",
        not_after=held.not_after if held else "",
        authority=acme.directory_url,
        key_type=acme.key,
        key_since=iso(now),
        renew_from=held.renew_from if held else "",
        renew_until=held.renew_until if held else "",
        renewal_page=held.renewal_page if held else "",
    )
    digests: Mapping[str, str] = {}
    made: tuple[str, ...] = WITH_NEW_KEY
    if held is not None and held.next_key_digest and roll in (Roll.READY, Roll.UNNAMED):
        body = with_next_key(body, held, now, is_published=roll is Roll.READY)
    elif held is not None and old is not None and (roll is not Roll.UNNAMED or not _wants_new_key(held, acme, now)):
        body, digests, made = with_old_key(body, held), old.digests, RENEWED
    resource = Resource(kind=Kind.CERTIFICATE, name=names[0], fields=fields_of(body), digests=digests)
    return Wanted(resource=resource, made=made, reason=reason)


def _wants_new_key(held: CertificateBody, acme: Acme, now: Instant) -> bool:
    since = from_iso(held.key_since)
    return held.key_type != acme.key or (since is not None and now - since >= KEY_LIFETIME_MS)


def _roll_at(held: CertificateBody, lifetime: Lifetime) -> Instant | None:
    since = from_iso(held.key_since)
    settled = from_datetime(lifetime.start + SETTLES)
    return None if since is None else max(Instant(since + KEY_LIFETIME_MS), settled)


def _rolled(old: Resource, step: RollStep) -> Wanted:
    """The certificate stays; what is known of its next key changes."""
    fields = old.fields if step.body is None else fields_of(step.body)
    return Wanted(resource=replace(old, fields=fields), made=MADE if step.makes_key else (), reason=step.reason)


def _failed(name: str, failure: IssuanceFailure, lifetime: Lifetime | None, now: Instant) -> PlanWarning:
    left = "" if lifetime is None else f"; the one in use is good for {days_left(lifetime, now)} days more"
    times = "" if failure.tries == 1 else f" ({failure.tries} times now)"
    text = f"could not be ordered{times}: {failure.reason}; tried again after {_minute(failure.retry_at)}{left}"
    return PlanWarning(subject=f"certificate {name}", text=text)


def _not_now(name: str, acme: Acme, held: CertificateBody | None, ordering: Ordering) -> PlanWarning | None:
    if not ordering.why_not:
        return None
    meanwhile = "the one in use goes on" if held else "a self-signed one is used until then"
    text = f"is to come from {authority_name(acme)}: {ordering.why_not} ({acme.challenge}); {meanwhile}"
    return PlanWarning(subject=f"certificate {name}", text=text)


def days_left(lifetime: Lifetime, now: Instant) -> int:
    return max((lifetime.end - as_datetime(now)) // timedelta(days=1), 0)


def _minute(moment: Instant) -> str:
    return f"{as_datetime(moment):%Y-%m-%d %H:%M} UTC"
