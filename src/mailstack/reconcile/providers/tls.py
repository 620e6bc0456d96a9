"""Which certificates the server should have: its own making, renewed in time, or the files that the spec names.

The X.509 of it is in reconcile.providers.certs.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from mailstack.model.errors import Damaged, Invalid
from mailstack.model.instant import Instant, as_datetime
from mailstack.model.resource import CertificateBody, Kind, Resource, Snapshot, body_of, fields_of
from mailstack.reconcile.plan import PlanWarning
from mailstack.reconcile.providers.certs import RENEW_BEFORE, check_pair, covers, names_in, not_after, self_signed
from mailstack.reconcile.wanted import Secret, Secrets, Wanted
from mailstack.spec.faults import Path as SpecPath
from mailstack.spec.model import Spec
from mailstack.spec.sections.server import CertificateFiles

MADE = ("certificate", "not_after", "key")
SELF_SIGNED = "self-signed"
MAX_CHAIN_BYTES = 1 << 20


def wanted_certificates(
    spec: Spec, live: Snapshot, secrets: Secrets, *, now: Instant, further_names: tuple[str, ...]
) -> tuple[tuple[Wanted, ...], tuple[PlanWarning, ...]]:
    """Files that cannot be used are gathered in secrets.faults."""
    if spec.tls.issuer == SELF_SIGNED:
        names = tuple(dict.fromkeys((spec.server.hostname, *further_names)))
        return (_self_signed(names, live, now),), ()
    wanted: dict[str, Wanted] = {}
    for index, files in enumerate(spec.tls.files):
        for found in _from_files(("tls", "files", index), files, secrets, live, now):
            wanted[found.resource.name] = found
    return tuple(wanted.values()), _warnings(spec, tuple(wanted.values()), now)


def make_certificate(wanted: Wanted, now: Instant) -> tuple[Resource, Mapping[str, str]]:
    """The resource with its chain, and the secrets."""
    names = body_of(CertificateBody, wanted.resource).names
    chain, key = self_signed(names, now)
    fields = {**wanted.resource.fields, "certificate": chain, "not_after": _iso(not_after(chain))}
    return replace(wanted.resource, fields=fields), {"key": key}


def _self_signed(names: tuple[str, ...], live: Snapshot, now: Instant) -> Wanted:
    body = CertificateBody(issuer=SELF_SIGNED, names=names, certificate="", not_after="")
    fresh = Resource(kind=Kind.CERTIFICATE, name=names[0], fields=fields_of(body))
    old = live.resources.get((Kind.CERTIFICATE, names[0]))
    if old is None:
        return Wanted(resource=fresh, made=MADE)
    try:
        held = body_of(CertificateBody, old)
        days_left = (not_after(held.certificate) - as_datetime(now)).days
    except (Damaged, Invalid):
        return Wanted(resource=fresh, made=MADE, reason="the one held cannot be read")
    if (held.issuer, held.names) != (SELF_SIGNED, names):
        return Wanted(resource=fresh, made=MADE, reason="other names or another issuer")
    if days_left < RENEW_BEFORE.days:
        return Wanted(resource=fresh, made=MADE, reason=f"renewed: {max(days_left, 0)} days remain")
    return Wanted(resource=old)


def _from_files(
    place: SpecPath, files: CertificateFiles, secrets: Secrets, live: Snapshot, now: Instant
) -> tuple[Wanted, ...]:
    path = secrets.directory / files.certificate
    try:
        chain = _read(path)
        names, end = _usable(chain, now)
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
    body = CertificateBody(issuer="files", names=names, certificate=chain, not_after=_iso(end))
    return (secrets.wanted(Kind.CERTIFICATE, names[0], body, {"key": key}),)


def _usable(chain: str, now: Instant) -> tuple[tuple[str, ...], datetime]:
    """Its names and its end. Raises Invalid."""
    names, end = names_in(chain), not_after(chain)
    if not names:
        raise Invalid("the certificate names no host (subjectAltName)")
    if end <= as_datetime(now):
        raise Invalid(f"the certificate expired on {_iso(end)}")
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
    hostname = spec.server.hostname
    if not any(covers(str(item.resource.fields["certificate"]), hostname) for item in wanted):
        warnings.append(
            PlanWarning(subject=f"certificate {hostname}", text="no file in tls.files is good for server.hostname")
        )
    for item in wanted:
        days_left = (not_after(str(item.resource.fields["certificate"])) - as_datetime(now)).days
        if days_left < RENEW_BEFORE.days:
            warnings.append(PlanWarning(subject=f"certificate {item.resource.name}", text=f"{days_left} days remain"))
    return tuple(warnings)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
