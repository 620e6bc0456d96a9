"""Reconcilers as a server makes them: for its own state, for the world outside too, and for a sandbox.

The command line's are in cli.reconciling: a person is there to release a brake.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from mailstack.app.holdings import holders_in
from mailstack.app.issuing import issuing_with, nobody_is_told
from mailstack.app.sandbox import CERTIFICATE_NAMES, SandboxJob
from mailstack.app.sandbox_state import zones_folder
from mailstack.app.store_address import StoreAddress
from mailstack.ports.store import Store
from mailstack.reconcile.brake import EVERYTHING_ALLOWED, Brake, nobody
from mailstack.reconcile.dns.targets import ZoneFiles
from mailstack.reconcile.reconciler import Reconciler
from mailstack.services.identity.passwords import HashCost, hash_password
from mailstack.spec.load import LoadedSpec

SERVE = "mailstack serve"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What is applied to."""

    store: Store
    storage: StoreAddress


def reconciler_of(store: Store, storage: StoreAddress, loaded: LoadedSpec) -> Reconciler:
    """For the API."""
    place = Place(store=store, storage=storage)
    return outward(inward(place, loaded, who="the API", on_issued=nobody_is_told), loaded)


def inward(
    place: Place, loaded: LoadedSpec, *, who: str = SERVE, on_issued: Callable[[], Awaitable[None]]
) -> Reconciler:
    """For the server's own state: it asks nobody in DNS yet."""
    store, storage = place.store, place.storage
    return Reconciler(
        state=store.state,
        clock=store.clock,
        hash_password=_hash(HashCost.NORMAL),
        # A saved file alone releases no brake but what its own reconcile.allow_destroy names.
        brake=Brake(holders=holders_in(storage)),
        # The supervisor serves what was applied before anything is ordered.
        issuing=issuing_with(store, storage, loaded.spec, who=who, has_server=True, on_issued=on_issued),
    )


def outward(reconciler: Reconciler, loaded: LoadedSpec) -> Reconciler:
    # Late: a reload must not wait for what is needed only once mail is served.
    from mailstack.reconcile.dns.authoritative import authoritative_dns

    return replace(reconciler, live_dns=authoritative_dns(loaded.spec))


def sandbox_reconciler(store: Store, sandbox: SandboxJob, passwords: Mapping[str, str]) -> Reconciler:
    from mailstack.reconcile.dns.zone_text import ZoneFileDns

    zones = zones_folder(Path(sandbox.state))
    return Reconciler(
        state=store.state,
        clock=store.clock,
        hash_password=_hash(HashCost.LOW),
        brake=Brake(holders=nobody, allowed=EVERYTHING_ALLOWED),
        # No secret of the spec needs to exist here, and none is read.
        resolve=lambda _reference, _directory: "sandbox",
        passwords=passwords,
        certificate_names=CERTIFICATE_NAMES,
        dns=ZoneFiles(directory=zones),
        live_dns=ZoneFileDns(zones),
    )


def _hash(cost: HashCost) -> Callable[[str], str]:
    return lambda plain: hash_password(plain, cost=cost)
