"""A certificate that somebody wants ordered now: noted in the state, and its failures forgotten, so that the next plan
orders it and no wait of an earlier try is in the way. Which plan that is, and who shows the proofs, is as always.
"""

from collections.abc import Mapping
from dataclasses import replace

from mailstack.model.errors import Conflict, NotFound
from mailstack.model.instant import Instant
from mailstack.model.issuance import IssuanceFailure
from mailstack.model.resource import Kind, Operation, Renewal, Resource, ResourceChange, Snapshot
from mailstack.ports.issuance import Issuance
from mailstack.ports.state import State
from mailstack.reconcile.providers.acme import ACME, days_left, lifetime_in


async def ask_renewal(state: State, issuance: Issuance, name: str, *, is_forced: bool, now: Instant) -> tuple[str, ...]:
    """name: of a certificate; "" for all that could not be ordered lately. is_forced: also one that is good. Raises
    NotFound, Conflict, and then nothing is noted."""
    snapshot, failures = await state.snapshot((Kind.CERTIFICATE,)), await issuance.failures()
    chosen = [_of_name(snapshot, name)] if name else _failed(snapshot, failures)
    if name and not is_forced:
        _refuse_good(chosen[0], failures, now)
    if not chosen:
        return ()
    await state.commit(list(map(_asked, chosen)), base=snapshot.generation, spec_hash=snapshot.spec_hash)
    for certificate in chosen:
        await issuance.forget(certificate.name)
    return tuple(certificate.name for certificate in chosen)


def _of_name(snapshot: Snapshot, name: str) -> Resource:
    found = snapshot.resources.get((Kind.CERTIFICATE, name))
    if found is None:
        known = ", ".join(held for _, held in snapshot.resources) or "none"
        raise NotFound(f"there is no certificate {name} (certificates: {known})")
    return found


def _failed(snapshot: Snapshot, failures: Mapping[str, IssuanceFailure]) -> list[Resource]:
    return [certificate for (_, name), certificate in snapshot.resources.items() if name in failures]


def _refuse_good(certificate: Resource, failures: Mapping[str, IssuanceFailure], now: Instant) -> None:
    lifetime = lifetime_in(certificate)
    if certificate.name in failures or certificate.fields["issuer"] != ACME or lifetime is None:
        return
    left = days_left(lifetime, now)
    raise Conflict(
        f"{certificate.name} is good for {left} days more and is renewed by itself; --force orders another one now"
    )


def _asked(certificate: Resource) -> ResourceChange:
    fields = {**certificate.fields, "renewal": Renewal.ASKED.value}
    return ResourceChange(operation=Operation.UPDATE, resource=replace(certificate, fields=fields))
