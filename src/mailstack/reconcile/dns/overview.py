"""Every record that the spec asks for, with the keys that the server holds, and who publishes it.

For looking: unlike a plan it reads no secret, asks no provider, and knows nothing of what apply would change.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from mailstack.model.resource import DkimKeyBody
from mailstack.ports.state import State
from mailstack.reconcile.dns.material import MATERIAL_KINDS, Material, material_of
from mailstack.reconcile.dns.records import wanted_records
from mailstack.reconcile.dns.zones import PlacedRecord, place
from mailstack.spec.model import Spec
from mailstack.spec.sections.domains import MANUAL_PROVIDER, Dns

BY_HAND = "by hand"


async def every_record(spec: Spec, state: State | None) -> tuple[PlacedRecord, ...]:
    """state: None where nothing was applied yet. In the order of names. Raises Invalid for a damaged certificate."""
    material, generation = Material(), 0
    if state is not None:
        snapshot = await state.snapshot(MATERIAL_KINDS)
        material, generation = material_of(spec, snapshot.resources.values()), snapshot.generation
    complete = _with_what_comes(spec, material, generation + 1)
    placed = place(wanted_records(spec, complete), spec.dns, _supported(spec.dns))
    by_zone = (PlacedRecord(zone=zone, record=record) for zone, found in placed.by_zone.items() for record in found)
    return tuple(sorted((*by_zone, *placed.by_hand), key=lambda item: (item.zone == "", item.zone, item.record.key)))


def publisher_of(item: PlacedRecord, spec: Spec) -> str:
    """A name of dns.providers, or by hand and why."""
    if item.reason:
        return f"{BY_HAND}: {item.reason}"
    provider = spec.dns.zones[item.zone].provider if item.zone else MANUAL_PROVIDER
    return BY_HAND if provider == MANUAL_PROVIDER else provider


def _supported(dns: Dns) -> Mapping[str, Collection[str]]:
    """By zone, as far as it can be known without the secrets of providers."""
    names = {zone: entry.provider for zone, entry in dns.zones.items() if entry.provider != MANUAL_PROVIDER}
    if not names:
        return {}
    from mailstack.reconcile.dns.providers import declared_types

    declared = {name: declared_types(dns.providers[name].class_) for name in set(names.values())}
    return {zone: types for zone, name in names.items() if (types := declared[name]) is not None}


def _with_what_comes(spec: Spec, material: Material, generation: int) -> Material:
    """With a stand-in for each key that the apply of this generation has yet to make."""
    digests = ("",) if spec.tls.dane and not material.key_digests else material.key_digests
    return replace(
        material, dkim_keys=(*material.dkim_keys, *_keys_to_come(spec, material, generation)), key_digests=digests
    )


def _keys_to_come(spec: Spec, material: Material, generation: int) -> Iterator[DkimKeyBody]:
    held = {(key.domain, key.algorithm) for key in material.dkim_keys}
    for name, domain in spec.domains.items():
        given = {key.algorithm: key.selector for key in domain.dkim.keys}
        for algorithm in dict.fromkeys((*domain.dkim.algorithms, *given)):
            if (name, algorithm) not in held:
                selector = given.get(algorithm, f"{algorithm}-{generation}")
                yield DkimKeyBody(domain=name, selector=selector, algorithm=algorithm, public_key="")
