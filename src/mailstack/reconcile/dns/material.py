"""What records are made of besides the spec: keys that the server holds, or that apply is about to make. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from mailstack.model.resource import (
    AcmeAccountBody,
    CertificateBody,
    DkimKeyBody,
    DmarcBody,
    Kind,
    Resource,
    body_of,
)
from mailstack.reconcile.providers.certs import covers, key_digest
from mailstack.reconcile.providers.key_roll import published_digests
from mailstack.spec.model import Spec

MATERIAL_KINDS = (Kind.ACME_ACCOUNT, Kind.DKIM_KEY, Kind.CERTIFICATE, Kind.DMARC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """dkim_keys: of every domain; a public key that apply has yet to make is "". key_digests: SHA-256 in hex of the
    public keys (SubjectPublicKeyInfo) that the host name's certificates have, "" for one that apply has yet to make;
    none without DANE. dmarc_stages: of policies that tighten themselves, by domain. account: with the authority that
    certificates come from, None where there is none.
    """

    dkim_keys: tuple[DkimKeyBody, ...] = ()
    key_digests: tuple[str, ...] = ()
    dmarc_stages: Mapping[str, str] = field(default_factory=dict)
    account: AcmeAccountBody | None = None


def material_of(spec: Spec, resources: Iterable[Resource]) -> Material:
    """Raises Invalid for a certificate that cannot be read."""
    held = tuple(resources)
    return Material(
        dkim_keys=tuple(body_of(DkimKeyBody, resource) for resource in held if resource.kind is Kind.DKIM_KEY),
        dmarc_stages={
            resource.name: body_of(DmarcBody, resource).stage for resource in held if resource.kind is Kind.DMARC
        },
        key_digests=tuple(_key_digests(spec, held)) if spec.tls.dane else (),
        account=_account(spec, held) if spec.tls.issuer == "acme" else None,
    )


def _account(spec: Spec, resources: Iterable[Resource]) -> AcmeAccountBody | None:
    url = spec.tls.acme.directory_url
    found = (resource for resource in resources if resource.kind is Kind.ACME_ACCOUNT and resource.name == url)
    return next((body_of(AcmeAccountBody, resource) for resource in found), None)


def _key_digests(spec: Spec, resources: Iterable[Resource]) -> Iterator[str]:
    hostname = spec.server.hostname
    for resource in resources:
        if resource.kind is not Kind.CERTIFICATE:
            continue
        body = body_of(CertificateBody, resource)
        if not body.certificate:
            yield from [""] if hostname in body.names else []
        elif covers(body.certificate, hostname):
            yield from published_digests(body, key_digest(body.certificate))
