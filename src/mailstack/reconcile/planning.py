"""From the desired state to the steps towards it, and what else of a plan follows from what was gathered. Pure."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace

from mailstack.model.instant import MINUTE_MS, SECOND_MS, Instant, earliest
from mailstack.model.resource import Kind, Snapshot
from mailstack.reconcile.desired import Desired
from mailstack.reconcile.diff import Step, diff
from mailstack.reconcile.dns.publish import DnsWork
from mailstack.reconcile.dns.targets import DnsContext, FromSpec, NoDns
from mailstack.reconcile.moves import former_logins, moves_of, with_moves
from mailstack.reconcile.owners import leave_to_users, name_owners
from mailstack.reconcile.wanted import Digest, Held, Wanted

AFTER_RENEWAL_MS = MINUTE_MS


def steps_towards(desired: Desired, context: DnsContext, digest: Digest) -> tuple[Step, ...]:
    """digest: under the key of the store that is compared with."""
    wanted, compared = desired.wanted, context.live
    if isinstance(context.mode, NoDns):
        wanted, compared = _new_zones_only(wanted, compared)
    moves = moves_of(context.spec, wanted, compared, digest)
    wanted = leave_to_users(wanted, moves.live)
    return name_owners(with_moves(diff(wanted, moves.live, desired.endings), moves, wanted), moves.live)


def again_at(desired: Desired, context: DnsContext, steps: Sequence[Step], now: Instant) -> Instant | None:
    """When the same spec may ask for something else."""
    interval = context.spec.reconcile.drift_check
    is_checked = interval is not None and isinstance(context.mode, FromSpec) and context.spec.dns.zones
    is_renewing = any(step.wanted.resource.kind is Kind.CERTIFICATE for step in steps)
    return earliest(
        desired.again_at,
        Instant(now + round(interval.total_seconds() * SECOND_MS)) if interval is not None and is_checked else None,
        # Only a plan that is made after an order, or with a new key, knows what comes next.
        Instant(now + AFTER_RENEWAL_MS) if is_renewing else None,
    )


def held_digests(context: DnsContext) -> Held:
    """Of what the server has, under the names that accounts had before they moved too."""

    def digest_of(kind: Kind, name: str, secret: str) -> str | None:
        names = (name, *former_logins(context.spec, name)) if kind is Kind.ACCOUNT else (name,)
        held = (context.live.resources[kind, each] for each in names if (kind, each) in context.live.resources)
        return next((resource.digests.get(secret) for resource in held), None)

    return digest_of


def live_hash(snapshot: Snapshot, work: DnsWork) -> str:
    """Another one once the state or a zone has moved: such a plan is refused."""
    zones = sorted((plan.zone, plan.live_hash) for plan in work.plans)
    text = json.dumps([snapshot.generation, snapshot.spec_hash, zones])
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _new_zones_only(wanted: tuple[Wanted, ...], live: Snapshot) -> tuple[tuple[Wanted, ...], Snapshot]:
    """A zone that changes or leaves must stay as it is known until its provider has been asked."""
    held = {key for key in live.resources if key[0] is Kind.DNS_ZONE}
    resources = {key: resource for key, resource in live.resources.items() if key not in held}
    kept = tuple(item for item in wanted if (item.resource.kind, item.resource.name) not in held)
    return kept, replace(live, resources=resources)
