"""What all tests of a spec stand on: its resources as an apply would write them, with stand-ins for what is secret.

Passwords, certificates and keys are neither read nor made: accounts share one password, and no mail is signed.
"""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from mailstack.app.blueprint import Blueprint, read_blueprint
from mailstack.app.routing import route_table
from mailstack.app.silence import Silence
from mailstack.model.ids import Generation
from mailstack.model.instant import Instant
from mailstack.model.resource import Kind, Operation, ResourceChange
from mailstack.net.tally import Nobody
from mailstack.reconcile.actual import NOTHING
from mailstack.reconcile.desired import Given, desired_state
from mailstack.reconcile.dns.material import material_of
from mailstack.reconcile.dns.record_set import RecordSet
from mailstack.reconcile.dns.records import wanted_records
from mailstack.reconcile.providers.acme import NO_ORDERING
from mailstack.reconcile.wanted import Secrets, Wanted
from mailstack.servers.sasl import SaslService
from mailstack.services.identity.delays import LoginDelays
from mailstack.services.identity.login import Login
from mailstack.services.identity.passwords import HashCost, hash_password
from mailstack.services.outbound.route import RouteTable
from mailstack.spec.load import LoadedSpec
from mailstack.spec.model import Spec
from mailstack.spec.nearest import Vocabulary
from mailstack.spec.secrets import SecretMissing
from mailstack.spec.sections.spam import without_engines
from mailstack.store.memory.accounts import MemoryAccounts
from mailstack.store.memory.store import MemoryStore

STAND_IN = "stand-in"

NOW = Instant(1_767_225_600_000)
"""2026-01-01T00:00:00Z: what depends on the time is the same whenever a test runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bed:
    """Nothing in it changes while tests run: what they write is in stores of their own."""

    blueprint: Blueprint
    accounts: MemoryAccounts
    routes: RouteTable
    sasl: SaslService
    records: tuple[RecordSet, ...] = field(repr=False)
    record_names: Vocabulary = field(repr=False)


def clock() -> Instant:
    return NOW


async def make_bed(loaded: LoadedSpec) -> Bed:
    """Raises DomainError or SpecInvalid, as the first apply would."""
    spec = _without_secrets(loaded.spec)
    wanted = desired_state(spec, _given(loaded)).wanted
    store = MemoryStore(clock=clock, bus=Silence())
    await store.state.commit(tuple(map(_created, wanted)), base=Generation(0), spec_hash=loaded.digest)
    blueprint = await read_blueprint(store.state)
    records = wanted_records(spec, material_of(spec, (item.resource for item in wanted)))
    return Bed(
        blueprint=blueprint,
        accounts=store.accounts,
        routes=route_table(blueprint, hold_outbound=False),
        sasl=_sasl(store),
        records=records,
        record_names=Vocabulary(record.name for record in records),
    )


def _sasl(store: MemoryStore) -> SaslService:
    # An account is logged in by its whole address, so that no domain has to be looked through.
    delays = LoginDelays(clock, Nobody(), sleep=asyncio.sleep)
    login = Login(
        store.accounts,
        store.verifiers,
        store.app_passwords,
        delays,
        domains=(),
        clock=clock,
        cache_key=STAND_IN.encode(),
    )
    return SaslService(login=login, end_point=lambda _: None, token=bytes)


def _given(loaded: LoadedSpec) -> Given:
    password_hash = hash_password(STAND_IN, cost=HashCost.LOW)
    return Given(
        live=NOTHING,
        secrets=Secrets(_unread, loaded.directory, lambda _kind, _name, _secret, _value: STAND_IN, loaded.fault, _kept),
        now=NOW,
        passwords={login: password_hash for login, account in loaded.spec.accounts.items() if account.password},
        certificate_names=(),
        ordering=NO_ORDERING,
        scripts=loaded.scripts,
    )


def _unread(reference: str, _directory: Path) -> str:
    raise SecretMissing(f"{reference} is not read for tests")


def _kept(_kind: Kind, _name: str, _secret: str) -> str:
    """As on a server that has every secret already: then none needs to be read."""
    return STAND_IN


def _without_secrets(spec: Spec) -> Spec:
    """Certificates, logins of relays and what engines say have no bearing on where mail goes, and lie on the server."""
    relays = {
        name: relay.model_copy(update={"username": None, "password": None}) for name, relay in spec.relays.items()
    }
    tls = spec.tls.model_copy(update={"issuer": "self-signed", "files": ()})
    return spec.model_copy(update={"tls": tls, "relays": relays, "spam": without_engines(spec.spam)})


def _created(wanted: Wanted) -> ResourceChange:
    return ResourceChange(operation=Operation.CREATE, resource=wanted.resource, secrets=wanted.secrets)
