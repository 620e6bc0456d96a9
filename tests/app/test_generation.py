"""What a generation is built from."""

from mailstack.app.blueprint import Blueprint
from mailstack.app.generation import signing_keys
from mailstack.mailauth.dkim.keys import generate
from mailstack.model.ids import Generation
from mailstack.model.resource import DkimKeyBody, KeyState, Kind, Resource, fields_of


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


def test_a_domain_none_of_whose_keys_is_seen_sends_its_mail_unsigned() -> None:
    assert signing_keys(blueprint(KeyState.PUBLISHED)) == {}
