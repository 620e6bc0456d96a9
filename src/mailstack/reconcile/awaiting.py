"""What an apply has just published is looked for, for a bounded time, so that what waits for it goes on at once.

Not what follows from its being seen: the next plan says that. Records that people publish are not waited for.
`serve` does in app.rollout, generation by generation, what carry_out does at once.
"""

import asyncio
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from mailstack.mailauth.dkim.keys import record
from mailstack.model.ids import Generation
from mailstack.model.instant import MINUTE_MS, Instant, from_iso
from mailstack.model.resource import DkimKeyBody, KeyState, Kind, Snapshot
from mailstack.reconcile.dns.check import judge
from mailstack.reconcile.dns.live import Seen
from mailstack.reconcile.dns.publish import with_zone_files
from mailstack.reconcile.dns.record_set import RecordSet
from mailstack.reconcile.dns.sighting import Question, observe, sighting
from mailstack.reconcile.dns.targets import NoDns, ZoneFiles
from mailstack.reconcile.dns.zones import zone_of
from mailstack.reconcile.issue import split_orders
from mailstack.reconcile.plan import DNS_RECORD, ByHand
from mailstack.reconcile.prepared import LoadedSpec, Prepared
from mailstack.reconcile.progress import Progress, RecordsAwaited, TurnAwaited, unseen
from mailstack.reconcile.providers.dmarc import unseen_stages
from mailstack.reconcile.providers.keys import live_keys, question_of, resource_name
from mailstack.reconcile.reconciler import Reconciler
from mailstack.spec.model import Spec
from mailstack.spec.sections.domains import MANUAL_PROVIDER

LOOK_AFTER_S = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0)
"""Secondaries follow within a minute where somebody tells them; after that the next apply goes on."""
AGREED_TO = (Kind.DKIM_KEY, Kind.DMARC)
JUST_MS = 10 * MINUTE_MS
"""What was published before that has had its wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedOut:
    """waiting: names of the records that are not seen yet, so that nothing is signed with their keys."""

    generation: Generation
    by_hand: tuple[ByHand, ...]
    waiting: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Awaited:
    question: Question
    is_seen: Callable[[Seen], bool]


async def carry_out(
    reconciler: Reconciler,
    loaded: LoadedSpec,
    prepared: Prepared,
    progress: Progress = unseen,
    look_after_s: Sequence[float] = LOOK_AFTER_S,
) -> CarriedOut:
    """Applies, then waits for what was published, and lets keys sign whose records are seen. What an authority is asked
    for is left to Reconciler.order. Raises as apply does."""
    generation = await reconciler.apply(prepared, progress)
    if await until_seen(reconciler, loaded, progress, look_after_s):
        following = await reconciler.plan(loaded)
        at_once, orders = split_orders(following.steps)
        ordered = {step.wanted.resource.name for step in orders}
        # Whoever agreed to the plan agreed to its keys and stages; what else has changed meanwhile waits for the next.
        if at_once and all(change.kind in AGREED_TO or change.name in ordered for change in following.plan.changes):
            generation = await reconciler.apply(following, progress)
    return CarriedOut(
        generation=generation,
        by_hand=await reconciler.by_hand(prepared),
        waiting=await _waiting(reconciler, loaded.spec),
    )


async def order(
    reconciler: Reconciler,
    loaded: LoadedSpec,
    prepared: Prepared,
    progress: Progress = unseen,
    names: Collection[str] | None = None,
) -> Generation:
    """What carry_out leaves, for whoever holds no turn any more; then the record that names the account, where that is
    news. Raises as Reconciler.order and apply do."""
    if reconciler.issuing is None or reconciler.state is None:
        return prepared.plan.generation
    before = await reconciler.state.snapshot((Kind.ACME_ACCOUNT,))
    generation = await reconciler.order(prepared, progress, names=names)
    after = await reconciler.state.snapshot((Kind.ACME_ACCOUNT,))
    if before.resources == after.resources:
        return generation
    async with reconciler.issuing.turn("the CAA record", lambda holder: progress(TurnAwaited(holder=holder))):
        following = await reconciler.plan(loaded)
        records = [change.name.endswith(" CAA") for change in following.plan.changes if change.kind == DNS_RECORD]
        if records and all(records) and not split_orders(following.steps)[0]:
            return await reconciler.apply(following, progress)
    return generation


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
    snapshot = await reconciler.state.snapshot((Kind.DKIM_KEY, Kind.DMARC))
    awaited = list(_awaited(snapshot, spec, reconciler.clock()))
    seen = 0
    for wait_s in look_after_s if awaited else ():
        await asyncio.sleep(wait_s)
        observed = await observe(reconciler.live_dns, [item.question for item in awaited])
        seen = sum(item.is_seen(observed[item.question.key]) for item in awaited)
        progress(RecordsAwaited(seen=seen, total=len(awaited)))
        if seen == len(awaited) or all(found.failure for found in observed.values()):
            break
    return seen > 0


async def _waiting(reconciler: Reconciler, spec: Spec) -> tuple[str, ...]:
    if reconciler.state is None:
        return ()
    keys = live_keys(await reconciler.state.snapshot((Kind.DKIM_KEY,)))
    return tuple(resource_name(key) for key in keys if key.state == KeyState.PUBLISHED and key.domain in spec.domains)


def _awaited(snapshot: Snapshot, spec: Spec, now: Instant) -> Iterator[_Awaited]:
    """What was published just now, in zones that a provider publishes."""
    for key in live_keys(snapshot):
        is_new = key.state == KeyState.PUBLISHED and now - (from_iso(key.since) or now) < JUST_MS
        question = question_of(key, spec)
        if is_new and key.domain in spec.domains and _has_provider(question, spec):
            yield _Awaited(question=question, is_seen=partial(_is_key_seen, key))
    for domain, record_set in unseen_stages(spec, snapshot).items():
        since = from_iso(str(snapshot.resources[Kind.DMARC, domain].fields.get("published")))
        question = Question(zone=zone_of(record_set.name, spec.dns.zones) or "", key=record_set.key)
        if since is not None and now - since < JUST_MS and _has_provider(question, spec):
            yield _Awaited(question=question, is_seen=partial(_is_record_seen, record_set))


def _has_provider(question: Question, spec: Spec) -> bool:
    zone = spec.dns.zones.get(question.zone)
    return zone is not None and zone.provider != MANUAL_PROVIDER


def _is_key_seen(key: DkimKeyBody, seen: Seen) -> bool:
    return sighting(seen, record(key.algorithm, key.public_key)).is_seen


def _is_record_seen(record_set: RecordSet, seen: Seen) -> bool:
    return judge("", record_set, seen).is_right
