"""Which certificates the server should have: of its own making, renewed in time, the files that the spec names, or
what an authority issues (reconcile.providers.acme).

The X.509 of it is in reconcile.providers.certs.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from mailstack.model.errors import Damaged, Invalid
from mailstack.model.instant import Instant, as_datetime, earliest, from_datetime, iso
from mailstack.model.resource import CertificateBody, Kind, Resource, Snapshot, body_of, fields_of
from mailstack.reconcile.dns.sighting import Observed, Question
from mailstack.reconcile.plan import PlanWarning
from mailstack.reconcile.providers.acme import (
    ACME,
    FILES,
    RENEWED,
    Ordering,
    all_names,
    certificate_groups,
    outlook,
    wanted_accounts,
)
from mailstack.reconcile.providers.certs import (
    ECDSA,
    RENEW_BEFORE,
    check_pair,
    covers,
    digest_of_key,
    make_key,
    names_in,
    not_after,
    self_signed,
)
from mailstack.reconcile.providers.file_roll import FileOutlook, file_outlook
from mailstack.reconcile.providers.key_roll import tlsa_question, watched
from mailstack.reconcile.safety import named
from mailstack.reconcile.wanted import Secret, Secrets, Wanted
from mailstack.spec.faults import Path as SpecPath
from mailstack.spec.model import Spec
from mailstack.spec.sections.server import CertificateFiles

MADE = ("certificate", "not_after", "key")
NEXT_KEY = "next_key"
SELF_SIGNED = "self-signed"
MAX_CHAIN_BYTES = 1 << 20
REPLACE = "put another one in place of the files (tls.files), for mail programs refuse this one"


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates:
    """again_at: when another one may be wanted of the same spec, None where only a change can ask for it."""

    wanted: tuple[Wanted, ...]
    warnings: tuple[PlanWarning, ...] = ()
    again_at: Instant | None = None


def wanted_certificates(
    spec: Spec,
    live: Snapshot,
    secrets: Secrets,
    *,
    now: Instant,
    further_names: tuple[str, ...],
    ordering: Ordering,
    observed: Observed,
) -> Certificates:
    """Files that cannot be used are gathered in secrets.faults."""
    match spec.tls.issuer:
        case "acme":
            _read_eab(spec, live, secrets)
            found = _ordered(spec, live, now, ordering, observed)
        case "files":
            found = _given(spec, live, secrets, now, observed)
        case _:
            names = (spec.server.hostname, *further_names, *all_names(spec))
            found = _of_our_making(tuple(dict.fromkeys(names)), live, now)
    accounts = tuple(wanted_accounts(spec, live, now, ordering))
    return Certificates(
        wanted=(*(look.wanted for look in accounts if look.wanted is not None), *found.wanted),
        warnings=(*(look.warning for look in accounts if look.warning is not None), *found.warnings),
        again_at=earliest(found.again_at, *(look.again_at for look in accounts)),
    )


def certificate_questions(spec: Spec, live: Snapshot) -> tuple[Question, ...]:
    """What DNS has to be asked while a new key waits for its record to be seen, and of files, which may have one."""
    held = live.resources.get((Kind.CERTIFICATE, spec.server.hostname))
    is_waiting = held is not None and held.fields.get("next_key_digest") and not held.fields.get("next_key_since")
    return (tlsa_question(spec),) if spec.tls.dane and (is_waiting or spec.tls.issuer == FILES) else ()


def make_next_key(wanted: Wanted) -> tuple[Resource, Mapping[str, str]]:
    """The resource with its next key's digest, and the key."""
    key = make_key(body_of(CertificateBody, wanted.resource).next_key_type)
    fields = {**wanted.resource.fields, "next_key_digest": digest_of_key(key)}
    return replace(wanted.resource, fields=fields), {"next_key": key}


def make_certificate(wanted: Wanted, now: Instant, key: str | None) -> tuple[Resource, Mapping[str, str]]:
    """The resource with its chain, and the secrets. key: the one held, for a certificate that keeps it."""
    body = body_of(CertificateBody, wanted.resource)
    chain, key = self_signed(body.names, now, make_key(body.key_type) if key is None or "key" in wanted.made else key)
    fields = {**wanted.resource.fields, "certificate": chain, "not_after": iso(from_datetime(not_after(chain)))}
    return replace(wanted.resource, fields=fields), {"key": key}


def _ordered(spec: Spec, live: Snapshot, now: Instant, ordering: Ordering, observed: Observed) -> Certificates:
    acme = spec.tls.acme
    dns = watched(spec, observed) if spec.tls.dane else None
    wanted: list[Wanted] = []
    looks = [
        # Only the host's own name has TLSA records.
        (names, outlook(names, acme, live, now, ordering, dns if spec.server.hostname in names else None))
        for names in certificate_groups(spec)
    ]
    for names, look in looks:
        wanted.append(look.wanted or _self_signed(names, live, now, key_type=acme.key))
    warnings = _gathered(look.warning for _, look in looks)
    again_at = earliest(*(look.again_at for _, look in looks))
    return Certificates(wanted=tuple(wanted), warnings=warnings, again_at=again_at)


def _gathered(warnings: Iterable[PlanWarning | None]) -> tuple[PlanWarning, ...]:
    """What is the same of many certificates is said once."""
    names: dict[str, list[str]] = {}
    for warning in warnings:
        if warning is not None:
            names.setdefault(warning.text, []).append(warning.subject.removeprefix("certificate "))
    return tuple(PlanWarning(subject=named("certificate", found), text=text) for text, found in names.items())


def _read_eab(spec: Spec, live: Snapshot, secrets: Secrets) -> None:
    """Whether it can be read: it is needed once, when the account is made."""
    account = spec.tls.acme.eab
    if account is not None and (Kind.ACME_ACCOUNT, spec.tls.acme.directory_url) not in live.resources:
        secrets.require_here(("tls", "acme", "eab", "key"), account.key.get_secret_value())


def _given(spec: Spec, live: Snapshot, secrets: Secrets, now: Instant, observed: Observed) -> Certificates:
    given: dict[str, Wanted] = {}
    for index, files in enumerate(spec.tls.files):
        place: SpecPath = ("tls", "files", index)
        for found in _from_files(place, files, secrets, live, now):
            if given.setdefault(found.resource.name, found) is not found:
                told = f"{files.certificate} begins with the name {found.resource.name}, as one before it does"
                secrets.report((*place, "certificate"), f"{told}; each name has one certificate")
    looks = [_looked_at(item, spec, live, now, observed) for item in given.values()]
    wanted = tuple(look.wanted for look in looks)
    warnings = (*_gathered(look.warning for look in looks), *_warnings(spec, tuple(given.values()), now))
    return Certificates(wanted=wanted, warnings=warnings, again_at=earliest(*(look.again_at for look in looks)))


def _looked_at(given: Wanted, spec: Spec, live: Snapshot, now: Instant, observed: Observed) -> FileOutlook:
    is_named = spec.tls.dane and covers(str(given.resource.fields["certificate"]), spec.server.hostname)
    if not is_named:
        return FileOutlook(wanted=given)
    old = live.resources.get((Kind.CERTIFICATE, given.resource.name))
    return file_outlook(given, old, now, watched(spec, observed))


def _of_our_making(names: tuple[str, ...], live: Snapshot, now: Instant) -> Certificates:
    wanted = _self_signed(names, live, now, key_type=ECDSA)
    if wanted.made:
        return Certificates(wanted=(wanted,))
    ends = not_after(str(wanted.resource.fields["certificate"]))
    return Certificates(wanted=(wanted,), again_at=from_datetime(ends - RENEW_BEFORE))


def temporary(order: Wanted) -> Wanted:
    """What serves until an authority has issued what is ordered; with the key that the real one will have."""
    body = body_of(CertificateBody, order.resource)
    fresh = replace(body, issuer=SELF_SIGNED, authority="", certificate="", not_after="")
    return Wanted(resource=replace(order.resource, fields=fields_of(fresh)), made=MADE, reason=order.reason)


def _self_signed(names: tuple[str, ...], live: Snapshot, now: Instant, *, key_type: str) -> Wanted:
    body = CertificateBody(
        issuer=SELF_SIGNED, names=names, certificate="", not_after="", key_type=key_type, key_since=iso(now)
    )
    fresh = Resource(kind=Kind.CERTIFICATE, name=names[0], fields=fields_of(body))
    old = live.resources.get((Kind.CERTIFICATE, names[0]))
    if old is None:
        return Wanted(resource=fresh, made=MADE)
    try:
        held = body_of(CertificateBody, old)
        left = not_after(held.certificate) - as_datetime(now)
    except (Damaged, Invalid):
        return Wanted(resource=fresh, made=MADE, reason="the one held cannot be read")
    if held.issuer not in (SELF_SIGNED, ACME):
        return Wanted(resource=fresh, made=MADE, reason="another issuer")
    if held.issuer == SELF_SIGNED and held.names == names and left > RENEW_BEFORE:
        return Wanted(resource=old)
    # The key stays, so that whoever holds on to it (RFC 7671 §8.1, or a person who compared it) need not be told.
    kept = replace(
        body, key_type=held.key_type, key_since=held.key_since, certificate=held.certificate, not_after=held.not_after
    )
    if held.issuer != SELF_SIGNED:
        reason = "another issuer"
    else:
        reason = "other names" if held.names != names else f"renewed: {max(left.days, 0)} days remain"
    digests = {name: digest for name, digest in old.digests.items() if name != NEXT_KEY}
    resource = replace(fresh, fields=fields_of(kept), digests=digests)
    return Wanted(resource=resource, made=RENEWED, reason=reason)


def _from_files(
    place: SpecPath, files: CertificateFiles, secrets: Secrets, live: Snapshot, now: Instant
) -> tuple[Wanted, ...]:
    path = secrets.directory / files.certificate
    try:
        chain = _read(path)
        names, end = _usable(chain, live, now)
    except Invalid as fault:
        secrets.report((*place, "certificate"), f"{path}: {fault.detail}")
        secrets.read((*place, "key"), files.key.get_secret_value())  # so that all that is missing is told at once
        return ()
    key = _key_of(chain, names[0], place, files, secrets, live)
    try:
        if isinstance(key, str) and key:
            check_pair(chain, key)
    except Invalid as fault:
        secrets.report((*place, "certificate"), f"{path}: {fault.detail}")
        return ()
    body = CertificateBody(issuer="files", names=names, certificate=chain, not_after=iso(from_datetime(end)))
    return (secrets.wanted(Kind.CERTIFICATE, names[0], body, {"key": key}),)


def _usable(chain: str, live: Snapshot, now: Instant) -> tuple[tuple[str, ...], datetime]:
    """Its names and its end. Raises Invalid. One that has expired is refused when it is new; what serves already holds
    up nothing else."""
    names, end = names_in(chain), not_after(chain)
    if not names:
        raise Invalid("the certificate names no host (subjectAltName)")
    held = live.resources.get((Kind.CERTIFICATE, names[0]))
    if end <= as_datetime(now) and (held is None or held.fields["certificate"] != chain):
        raise Invalid(f"the certificate expired on {iso(from_datetime(end))}")
    return names, end


def _key_of(
    chain: str, name: str, place: SpecPath, files: CertificateFiles, secrets: Secrets, live: Snapshot
) -> Secret:
    path, reference = (*place, "key"), files.key.get_secret_value()
    held = live.resources.get((Kind.CERTIFICATE, name))
    # A key that cannot be read here is kept for the certificate that it belongs to, and for no other.
    if held is not None and held.fields.get("certificate") == chain:
        return secrets.read_or_keep(path, reference, Kind.CERTIFICATE, name, "key")
    return secrets.read(path, reference)


def _read(path: Path) -> str:
    try:
        # Opening a FIFO would wait for whoever writes to it.
        if path.exists() and not path.is_file():
            raise Invalid("is not a regular file")
        with path.open("rb") as stream:
            return stream.read(MAX_CHAIN_BYTES).decode("ascii")
    except OSError as fault:
        raise Invalid(f"cannot be read: {fault.strerror or fault}") from None
    except UnicodeDecodeError:
        raise Invalid("is no PEM text") from None


def _warnings(spec: Spec, wanted: tuple[Wanted, ...], now: Instant) -> tuple[PlanWarning, ...]:
    warnings: list[PlanWarning] = []
    for name in all_names(spec):
        if not any(covers(str(item.resource.fields["certificate"]), name) for item in wanted):
            what = (
                "server.hostname" if name == spec.server.hostname else "this name, which the spec makes this server's"
            )
            warnings.append(PlanWarning(subject=f"certificate {name}", text=f"no file in tls.files is good for {what}"))
    for item in wanted:
        end = not_after(str(item.resource.fields["certificate"]))
        left = end - as_datetime(now)
        if left < RENEW_BEFORE:
            text = (
                f"{left.days} days remain" if left > timedelta() else f"expired on {iso(from_datetime(end))}: {REPLACE}"
            )
            warnings.append(PlanWarning(subject=f"certificate {item.resource.name}", text=text))
    return tuple(warnings)
