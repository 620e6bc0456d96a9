"""Signing keys: one for each domain and algorithm, made by apply, kept from then on. RFC 6376 §3.1."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from mailstack.mailauth.dkim.keys import generate
from mailstack.model.resource import DkimKeyBody, Kind, Resource, Snapshot, body_of, fields_of
from mailstack.reconcile.wanted import Wanted
from mailstack.spec.model import Spec

MADE = ("public_key", "private_key")


def wanted_keys(spec: Spec, live: Snapshot) -> Iterator[Wanted]:
    kept = {(body.domain, body.algorithm): resource for resource, body in live_keys(live)}
    for domain, settings in spec.domains.items():
        for algorithm in settings.dkim.algorithms:
            resource = kept.get((domain, algorithm))
            yield Wanted(resource=resource) if resource else _new_key(domain, algorithm)


def live_keys(live: Snapshot) -> Iterator[tuple[Resource, DkimKeyBody]]:
    for (kind, _), resource in live.resources.items():
        if kind is Kind.DKIM_KEY:
            yield resource, body_of(DkimKeyBody, resource)


def make_key(wanted: Wanted) -> tuple[Resource, Mapping[str, str]]:
    """The resource with its public key, and the secrets."""
    pair = generate(str(wanted.resource.fields["algorithm"]))
    resource = replace(wanted.resource, fields={**wanted.resource.fields, "public_key": pair.public_key})
    return resource, {"private_key": pair.private_pem}


def _new_key(domain: str, algorithm: str) -> Wanted:
    selector = f"{algorithm}-1"
    body = DkimKeyBody(domain=domain, selector=selector, algorithm=algorithm, public_key="")
    resource = Resource(kind=Kind.DKIM_KEY, name=f"{selector}._domainkey.{domain}", fields=fields_of(body))
    return Wanted(resource=resource, made=MADE)
