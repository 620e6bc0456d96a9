"""A rotation that somebody asks for: noted in the state, and carried out by the next apply, like any other.

What the next apply does with the note is key_life's.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

from mailstack.model.errors import Conflict, Invalid, NotFound
from mailstack.model.resource import (
    DkimKeyBody,
    KeyState,
    Kind,
    Operation,
    ResourceChange,
    Rotation,
    Snapshot,
)
from mailstack.ports.state import State
from mailstack.reconcile.providers.keys import live_keys, resource_name


async def ask_rotation(
    state: State, domain: str, algorithms: Collection[str], rotation: Rotation
) -> tuple[DkimKeyBody, ...]:
    """The keys that are to be followed, or to go. algorithms: none for all. Raises NotFound, Invalid or Conflict, and
    then nothing is noted."""
    snapshot = await state.snapshot()
    keys = [key for key in live_keys(snapshot) if key.domain == domain]
    held = [key for key in keys if not algorithms or key.algorithm in algorithms]
    current = [key for key in held if key.state != KeyState.RETIRED]
    # Whoever has the keys has those as well that were retired and are still in DNS.
    chosen = held if rotation is Rotation.AT_ONCE else _signing(current)
    if not chosen:
        raise NotFound(f"no DKIM key of {domain} signs or is about to")
    for key in current:
        _check(key)
    changes = [_noted(snapshot, key, rotation) for key in chosen]
    await state.commit(changes, base=snapshot.generation, spec_hash=snapshot.spec_hash)
    return tuple(chosen)


def _signing(keys: Sequence[DkimKeyBody]) -> list[DkimKeyBody]:
    waiting = [key for key in keys if key.state == KeyState.PUBLISHED]
    if waiting:
        raise Conflict(f"{resource_name(waiting[0])} is not seen in DNS yet, and takes over as soon as it is")
    return list(keys)


def _check(key: DkimKeyBody) -> None:
    if key.origin:
        raise Invalid(
            f"{resource_name(key)} is given by the spec (domains.{key.domain}.dkim.keys):"
            " give another one there, or take the entry out"
        )


def _noted(snapshot: Snapshot, key: DkimKeyBody, rotation: Rotation) -> ResourceChange:
    resource = snapshot.resources[Kind.DKIM_KEY, resource_name(key)]
    noted = replace(resource, fields={**resource.fields, "rotation": rotation.value})
    return ResourceChange(operation=Operation.UPDATE, resource=noted)
