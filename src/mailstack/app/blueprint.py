"""What the servers are built from: the applied resources, without accounts and what is theirs, and their secrets.

Whoever applies reads it once and hands it to every worker, so a worker that starts again builds the generation that
was proved to work, not whatever the state has come to hold since.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mailstack.model.errors import Invalid
from mailstack.model.ids import Generation
from mailstack.model.resource import (
    BODY_TYPES,
    RSPAMD_PASSWORD,
    AnyBody,
    DomainBody,
    Kind,
    ListenerBody,
    ReceivingBody,
    Resource,
    ServerBody,
    SieveBody,
    SpamBody,
    body_of,
)
from mailstack.ports.state import State

# Accounts, scripts, aliases and lists are looked up in the directory as needed: there may be a hundred thousand.
KINDS = (
    Kind.SERVER,
    Kind.LISTENER,
    Kind.RECEIVING,
    Kind.SPAM,
    Kind.SIEVE,
    Kind.CERTIFICATE,
    Kind.DOMAIN,
    Kind.DKIM_KEY,
    Kind.SENDING,
    Kind.RELAY,
    Kind.ROUTES,
)
WITH_SECRETS = (Kind.SPAM, Kind.CERTIFICATE, Kind.DKIM_KEY, Kind.RELAY)
Secrets = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Blueprint:
    """postmaster: the login of an administrator, for the postmaster addresses that nobody declared. secret_key: the
    same on every node and in every generation."""

    generation: Generation
    postmaster: str | None
    secret_key: bytes
    resources: tuple[Resource, ...]
    secrets: Mapping[Kind, Mapping[str, Secrets]]

    def __repr__(self) -> str:
        return f"Blueprint(generation={self.generation}, {len(self.resources)} resources)"

    def bodies(self, body_type: type[AnyBody]) -> dict[str, AnyBody]:
        """By resource name. Raises Damaged."""
        return {
            resource.name: body_of(body_type, resource)
            for resource in self.resources
            if BODY_TYPES.get(resource.kind) is body_type
        }

    def secrets_of(self, kind: Kind, name: str) -> Secrets:
        return self.secrets.get(kind, {}).get(name, {})

    def secret(self, kind: Kind, name: str, secret: str) -> str:
        """Raises Invalid where it is missing."""
        try:
            return self.secrets_of(kind, name)[secret]
        except KeyError:
            raise Invalid(f"{kind} {name} has lost its {secret.replace('_', ' ')}") from None

    def key_for(self, purpose: str) -> bytes:
        """32 bytes, for what is sealed for this purpose and for no other."""
        return hashlib.blake2b(purpose.encode(), key=self.secret_key, digest_size=32).digest()

    @property
    def server(self) -> ServerBody | None:
        return next(iter(self.bodies(ServerBody).values()), None)

    @property
    def receiving(self) -> ReceivingBody:
        return next(iter(self.bodies(ReceivingBody).values()), ReceivingBody())

    @property
    def spam(self) -> SpamBody:
        return next(iter(self.bodies(SpamBody).values()), SpamBody())

    @property
    def rspamd_password(self) -> str:
        """ "" for none."""
        return next(iter(self.secrets.get(Kind.SPAM, {}).values()), {}).get(RSPAMD_PASSWORD, "")

    @property
    def sieve(self) -> SieveBody:
        return next(iter(self.bodies(SieveBody).values()), SieveBody())

    @property
    def listeners(self) -> dict[str, tuple[str, ...]]:
        return {service: body.endpoints for service, body in self.bodies(ListenerBody).items()}

    @property
    def domains(self) -> dict[str, DomainBody]:
        return self.bodies(DomainBody)


async def read_blueprint(state: State) -> Blueprint:
    snapshot = await state.snapshot(KINDS)
    return Blueprint(
        generation=snapshot.generation,
        postmaster=await state.administrator(),
        # Not the state's own key: whoever serves has no need to tell whether a secret has changed.
        secret_key=hashlib.blake2b(b"serving", key=await state.digest_key(), digest_size=32).digest(),
        resources=tuple(snapshot.resources.values()),
        secrets={kind: await state.secrets(kind) for kind in WITH_SECRETS},
    )


def to_json(blueprint: Blueprint) -> dict[str, Any]:
    return {
        "generation": blueprint.generation,
        "postmaster": blueprint.postmaster,
        "secret_key": blueprint.secret_key.hex(),
        "resources": [[item.kind.value, item.name, dict(item.fields)] for item in blueprint.resources],
        "secrets": {
            kind.value: {name: dict(values) for name, values in by_name.items()}
            for kind, by_name in blueprint.secrets.items()
        },
    }


def from_json(value: Mapping[str, Any]) -> Blueprint:
    return Blueprint(
        generation=Generation(value["generation"]),
        postmaster=value["postmaster"],
        secret_key=bytes.fromhex(value["secret_key"]),
        resources=tuple(
            Resource(kind=Kind(kind), name=name, fields=fields) for kind, name, fields in value["resources"]
        ),
        secrets={Kind(kind): by_name for kind, by_name in value["secrets"].items()},
    )
