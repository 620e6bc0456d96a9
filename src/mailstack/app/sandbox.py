"""Any spec made harmless: loopback only, high ports, nothing of the outside world asked for or told.

What is left of the spec is its domains, accounts, aliases, lists and limits, and they run as in production.
"""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson
from pydantic import SecretStr

from mailstack.app.runfiles import write_json
from mailstack.app.sandbox_state import LOOPBACK, PORTS, kept_database, passwords_file
from mailstack.app.store_address import StoreAddress
from mailstack.app.store_named import address_of_storage
from mailstack.model.errors import Invalid
from mailstack.model.resource import Kind, ListenerBody, RelayBody, Snapshot, body_of
from mailstack.spec.load import LoadedSpec
from mailstack.spec.model import Spec
from mailstack.spec.sections.domains import Domain
from mailstack.spec.sections.outbound import Relay, Route
from mailstack.spec.sections.server import Listeners, Tls
from mailstack.spec.sections.spam import without_engines
from mailstack.spec.sections.storage import Storage

CERTIFICATE_NAMES = ("localhost", LOOPBACK)
SMART_HOST = "sandbox-outbound"
PASSWORD_BYTES = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxJob:
    """outbound: (host, port) of a smart host, None to keep outbound mail. passwords: by account; every_password: of
    all others, "" to make them up."""

    state: str
    base_port: int
    outbound: tuple[str, int] | None = None
    passwords: Mapping[str, str] = field(default_factory=dict, repr=False)
    every_password: str = field(default="", repr=False)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> "SandboxJob":
        outbound = fields["outbound"]
        return cls(**{**fields, "outbound": (outbound[0], outbound[1]) if outbound else None})


def harmless(loaded: LoadedSpec, job: SandboxJob) -> LoadedSpec:
    return replace(loaded, spec=_harmless_spec(loaded.spec, job))


def sandbox_storage(state: Path, database: str | None = None) -> StoreAddress:
    """Where the sandbox of that folder keeps its mail. database: a reference, None for what the folder remembers.
    Raises Invalid where its secret is not there."""
    return address_of_storage(_storage(state, kept_database(state)[0] if database is None else database), state)


def job_of(state: Path, live: Snapshot) -> SandboxJob:
    """Of the sandbox that keeps itself there, by what it applied last and the passwords that it made. Raises Invalid
    where it is a server's storage."""
    listeners = {
        name: body_of(ListenerBody, resource).endpoints
        for (kind, name), resource in live.resources.items()
        if kind is Kind.LISTENER
    }
    first, *_ = (*listeners.get("smtp", ()), "")
    base_port = int(first.rpartition(":")[2] or 0) - PORTS["smtp"]
    if base_port <= 0 or any(listeners[name] != _endpoints(base_port).get(name) for name in listeners):
        raise Invalid(f"{state} is not the folder of a sandbox; name another with --state")
    smart_host = live.resources.get((Kind.RELAY, SMART_HOST))
    relay = None if smart_host is None else body_of(RelayBody, smart_host)
    return SandboxJob(
        state=str(state),
        base_port=base_port,
        outbound=None if relay is None or relay.port is None else (relay.host, relay.port),
        passwords=_kept_passwords(state),
    )


def account_passwords(logins: Iterable[str], job: SandboxJob) -> dict[str, str]:
    """Kept in the state folder, so that a second start knows the first one's."""
    kept = _kept_passwords(Path(job.state))
    found = {
        login: job.passwords.get(login)
        or job.every_password
        or kept.get(login)
        or secrets.token_urlsafe(PASSWORD_BYTES)
        for login in logins
    }
    if found != kept:
        write_json(passwords_file(Path(job.state)), found, mode=0o600)
    return found


def _kept_passwords(state: Path) -> dict[str, str]:
    file = passwords_file(state)
    kept: dict[str, str] = orjson.loads(file.read_bytes()) if file.exists() else {}
    return kept


def _harmless_spec(spec: Spec, job: SandboxJob) -> Spec:
    relays: dict[str, Relay] = {}
    routes: tuple[Route, ...] = ()
    if job.outbound is not None:
        host, port = job.outbound
        relays = {SMART_HOST: Relay(host=host, port=port, tls="none")}
        routes = (Route(to="*", via=SMART_HOST),)
    return spec.model_copy(
        update={
            "server": spec.server.model_copy(update={"listeners": Listeners.model_validate(_endpoints(job.base_port))}),
            "storage": _storage(Path(job.state), kept_database(Path(job.state))[0]),
            "tls": Tls(),
            "domains": {name: _with_made_keys(domain) for name, domain in spec.domains.items()},
            "spam": without_engines(spec.spam),
            "relays": relays,
            "routes": routes,
        }
    )


def _endpoints(base_port: int) -> dict[str, tuple[str, ...]]:
    """By service."""
    return {service: (f"{LOOPBACK}:{base_port + offset}",) for service, offset in PORTS.items()}


def _storage(state: Path, database: str) -> Storage:
    return Storage.model_construct(path=state, database=SecretStr(database) if database else None)


def _with_made_keys(domain: Domain) -> Domain:
    """What the real server signs with has no place here."""
    return domain.model_copy(update={"dkim": domain.dkim.model_copy(update={"keys": ()})})
