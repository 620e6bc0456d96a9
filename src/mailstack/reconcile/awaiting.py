"""What an apply has just published is looked for, for a bounded time, so that what waits for it goes on at once.

Not what follows from its being seen: the next plan says that. Records that people publish are not waited for.
`serve` does in app.applier, generation by generation, what carry_out does at once.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mailstack.mailauth.dkim.keys import record
from mailstack.model.ids import Generation
from mailstack.model.instant import MINUTE_MS, Instant, from_iso
from mailstack.model.resource import DkimKeyBody, KeyState, Kind
from mailstack.reconcile.dns.publish import with_zone_files
from mailstack.reconcile.dns.sighting import Observed, observe, sighting
from mailstack.reconcile.dns.targets import NoDns, ZoneFiles
from mailstack.reconcile.plan import ByHand
from mailstack.reconcile.progress import Progress, RecordsAwaited, unseen
from mailstack.reconcile.providers.keys import live_keys, question_of, resource_name
from mailstack.reconcile.reconciler import LoadedSpec, Prepared, Reconciler
from mailstack.spec.model import Spec
from mailstack.spec.sections.domains import MANUAL_PROVIDER

LOOK_AFTER_S = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0)
"""Secondaries follow within a minute where somebody tells them; after that the next apply goes on."""
JUST_MS = 10 * MINUTE_MS
"""What was published before that has had its wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedOut:
    """waiting: names of the records that are not seen yet, so that nothing is signed with their keys."""

    generation: Generation
    by_hand: tuple[ByHand, ...]
    waiting: tuple[str, ...]


async def carry_out(
    reconciler: Reconciler,
    loaded: LoadedSpec,
    prepared: Prepared,
    progress: Progress = unseen,
    look_after_s: Sequence[float] = LOOK_AFTER_S,
) -> CarriedOut:
    """Applies, then waits for what was published, and lets keys sign whose records are seen. Raises as apply does."""
    generation = await reconciler.apply(prepared, progress)
    if await until_seen(reconciler, loaded, progress, look_after_s):
        following = await reconciler.plan(loaded)
        # Whoever agreed to the plan agreed to its keys; what else has changed meanwhile waits for the next one.
        if following.steps and all(change.kind == Kind.DKIM_KEY for change in following.plan.changes):
            generation = await reconciler.apply(following, progress)
    return CarriedOut(
        generation=generation,
        by_hand=await reconciler.by_hand(prepared),
        waiting=await _waiting(reconciler, loaded.spec),
    )


async def until_seen(
    reconciler: Reconciler,
    loaded: LoadedSpec,
    progress: Progress = unseen,
    look_after_s: Sequence[float] = LOOK_AFTER_S,
) -> bool:
    """Whether another plan is worth while: a record that something waits for is seen."""
    if reconciler.state is None or isinstance(reconciler.dns, NoDns):
        return False
    spec = loaded.spec
    if isinstance(reconciler.dns, ZoneFiles):
        spec = with_zone_files(spec, reconciler.dns.directory)
    snapshot = await reconciler.state.snapshot((Kind.DKIM_KEY,))
    awaited = list(_awaited(live_keys(snapshot), spec, reconciler.clock()))
    seen = 0
    for wait_s in look_after_s if awaited else ():
        await asyncio.sleep(wait_s)
        questions = [question_of(key, spec) for key in awaited]
        observed = await observe(reconciler.live_dns, questions)
        seen = sum(_is_seen(key, observed, spec) for key in awaited)
        progress(RecordsAwaited(seen=seen, total=len(awaited)))
        if seen == len(awaited) or all(found.failure for found in observed.values()):
            break
    return seen > 0


async def _waiting(reconciler: Reconciler, spec: Spec) -> tuple[str, ...]:
    if reconciler.state is None:
        return ()
    keys = live_keys(await reconciler.state.snapshot((Kind.DKIM_KEY,)))
    return tuple(resource_name(key) for key in keys if key.state == KeyState.PUBLISHED and key.domain in spec.domains)


def _awaited(keys: Sequence[DkimKeyBody], spec: Spec, now: Instant) -> Iterator[DkimKeyBody]:
    for key in keys:
        zone = spec.dns.zones.get(question_of(key, spec).zone)
        since = from_iso(key.since) or now
        is_new = key.state == KeyState.PUBLISHED and now - since < JUST_MS
        if is_new and key.domain in spec.domains and zone is not None and zone.provider != MANUAL_PROVIDER:
            yield key


def _is_seen(key: DkimKeyBody, observed: Observed, spec: Spec) -> bool:
    seen = observed[question_of(key, spec).key]
    return sighting(seen, record(key.algorithm, key.public_key)).is_seen
