"""What a generation is built from."""

from dataclasses import replace

import pytest

from mailstack.app.blueprint import Blueprint
from mailstack.app.generation import identities_of, jmap_limits, signing_keys
from mailstack.mailauth.dkim.keys import generate
from mailstack.model.ids import Generation
from mailstack.model.resource import (
    Body,
    CertificateBody,
    DkimKeyBody,
    DomainBody,
    KeyState,
    Kind,
    Resource,
    ServerBody,
    fields_of,
)
from mailstack.servers.http.limits import HttpLimits


def blueprint(*states: KeyState) -> Blueprint:
    """With an Ed25519 key of example.org in each of these states, its selector named after it."""
    pairs = {state: generate("ed25519") for state in states}
    bodies = {
        f"{state}._domainkey.example.org": DkimKeyBody(
            domain="example.org",
            selector=state.value,
            algorithm="ed25519",
            public_key=pair.public_key,
            state=state.value,
        )
        for state, pair in pairs.items()
    }
    return Blueprint(
        generation=Generation(1),
        postmaster=None,
        secret_key=b"k" * 32,
        resources=tuple(
            Resource(kind=Kind.DKIM_KEY, name=name, fields=fields_of(body)) for name, body in bodies.items()
        ),
        secrets={
            Kind.DKIM_KEY: {
                f"{state}._domainkey.example.org": {"private_key": pair.private_pem} for state, pair in pairs.items()
            }
        },
    )


def test_only_keys_whose_record_was_seen_and_that_have_not_retired_sign() -> None:
    keys = signing_keys(blueprint(*KeyState))
    assert {domain: [key.selector for key in found] for domain, found in keys.items()} == {"example.org": ["signs"]}


def test_signatures_of_a_domain_hold_as_long_as_it_says() -> None:
    made = blueprint(KeyState.SIGNS)
    assert [key.life_s for key in signing_keys(made)["example.org"]] == [None]
    domain = DomainBody(
        catch_all=None,
        subaddress_separators="+",
        alias_of=None,
        dkim_algorithms=("ed25519",),
        dkim_expire_after_s=604_800,
    )
    resource = Resource(kind=Kind.DOMAIN, name="example.org", fields=fields_of(domain))
    expiring = replace(made, resources=(*made.resources, resource))
    assert [key.life_s for key in signing_keys(expiring)["example.org"]] == [604_800]


def test_a_domain_none_of_whose_keys_is_seen_sends_its_mail_unsigned() -> None:
    assert signing_keys(blueprint(KeyState.PUBLISHED)) == {}


@pytest.mark.parametrize(
    ("message_octets", "upload_octets"),
    [(1 << 20, 50_000_000), (60_000_000, 60_000_000), (1 << 30, HttpLimits().body_bytes)],
)
def test_what_may_be_a_message_may_be_uploaded_as_far_as_http_takes_it(message_octets: int, upload_octets: int) -> None:
    limits = jmap_limits(a_server(message_octets))
    assert (limits.message_octets, limits.upload_octets) == (message_octets, upload_octets)
    assert limits.attachments_octets < message_octets


def a_server(message_octets: int) -> ServerBody:
    return ServerBody(
        hostname="mail.example.com",
        addresses=(),
        workers=1,
        message_size_bytes=message_octets,
        recipients=10,
        connections_per_ip=5,
        connections_per_account=7,
    )


def test_who_asks_for_no_name_is_shown_the_certificate_that_is_good_for_the_host_a_wildcard_too() -> None:
    server = a_server(1 << 20)
    named = (("a.example.org",), ("example.com", "*.Example.com"), ("*.example.net",))
    bodies: list[tuple[Kind, str, Body]] = [(Kind.SERVER, "server", server)]
    for names in named:
        body = CertificateBody(issuer="files", names=names, certificate="", not_after="")
        bodies.append((Kind.CERTIFICATE, names[0], body))
    held = Blueprint(
        generation=Generation(1),
        postmaster=None,
        secret_key=b"k" * 32,
        resources=tuple(Resource(kind=kind, name=name, fields=fields_of(body)) for kind, name, body in bodies),
        secrets={Kind.CERTIFICATE: {names[0]: {"key": ""} for names in named}},
    )
    assert identities_of(held)[0].names == ("example.com", "*.Example.com")
