"""What `mailstack dkim` says of keys: their state, what comes next, and what DNS shows of their records."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mailstack.cli.account_facts import Facts
from mailstack.cli.reconciling import store_to_read
from mailstack.cli.screen import fail
from mailstack.model.resource import DkimKeyBody, KeyState, Kind, Rotation

if TYPE_CHECKING:
    from mailstack.app.store_address import StoreAddress
    from mailstack.cli.place import Place
    from mailstack.spec.model import Spec

NOT_ASKED = "not asked"


async def key_facts(place: "Place", domain: str | None, *, ask_dns: bool) -> list[Facts]:
    from mailstack.reconcile.dns.sighting import observe
    from mailstack.reconcile.providers.keys import look_at, question_of

    keys, spec = [key for key in await held_keys(place.storage) if domain in (None, key.domain)], place.spec
    if not ask_dns:
        return [_facts(key, spec, NOT_ASKED) for key in keys]
    observed = await observe(place.live_dns(), [question_of(key, spec) for key in keys])
    return [_facts(key, spec, look_at(key, observed).told) for key in keys]


async def held_keys(storage: "StoreAddress") -> Sequence[DkimKeyBody]:
    """By domain, then algorithm, the oldest first."""
    from mailstack.reconcile.providers.keys import live_keys

    async with store_to_read(storage) as store:
        if store is None:
            fail(f"{storage}: nothing was applied yet; `mailstack apply` does it")
        keys = live_keys(await store.state.snapshot((Kind.DKIM_KEY,)))
    return sorted(keys, key=lambda key: (key.domain, key.algorithm, key.since, key.selector))


def _facts(key: DkimKeyBody, spec: "Spec", seen: str) -> Facts:
    next_step, next_at = _next(key, spec)
    return {
        "domain": key.domain,
        "selector": key.selector,
        "algorithm": key.algorithm,
        "state": key.state,
        "since": key.since or None,
        "origin": key.origin or "made here",
        "next": next_step,
        "next_at": next_at,
        "dns": seen,
    }


def _next(key: DkimKeyBody, spec: "Spec") -> tuple[str, str | None]:
    from mailstack.model.instant import iso
    from mailstack.reconcile.providers.key_life import turn_at
    from mailstack.reconcile.providers.keys import linger_ms, rotate_after_ms

    domain = spec.domains.get(key.domain)
    if domain is None or key.rotation == Rotation.AT_ONCE:
        return "goes with the next apply", None
    if key.state == KeyState.PUBLISHED:
        return "signs once its record is seen", None
    if key.state == KeyState.SIGNS and key.rotation == Rotation.ASKED:
        return "is followed by another, as asked", None
    rotate_ms = None if key.origin else rotate_after_ms(domain.dkim)
    due = turn_at(key, rotate_after_ms=rotate_ms, linger_ms=linger_ms(spec, key.domain))
    step = "its record goes" if key.state == KeyState.RETIRED else "is followed by another"
    return ("signs on", None) if due is None else (step, iso(due))
