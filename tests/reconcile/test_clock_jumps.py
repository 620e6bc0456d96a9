"""A clock that jumps by hours, forward and back, while a server runs: certificates, signing keys, leases and the moment
of the next look outlive it. The timer itself, on two clocks, is in tests/app/test_due.
"""

import itertools

import pytest

from mailstack.model.instant import DAY_MS, HOUR_MS, MINUTE_MS, Instant
from mailstack.model.issuance import NotIssued, RenewalInfo
from mailstack.model.resource import KeyState, Kind
from mailstack.reconcile.issue import LEASE_MS
from mailstack.reconcile.providers.acme import RENEWALS_ASKED_EVERY_MS
from mailstack.reconcile.providers.keys import live_keys
from tests.reconcile.test_issue import HOST, World, spec_of, world
from tests.support.specs import SpecValue

__all__ = ["world"]  # the fixture

HOURS = (7, -13, 5, -2, 20, -17)
SPEC = {
    "domains": {"example.com": {"dkim": {"rotate_every": "30d"}}},
    "dns": {"zones": {"example.com": {"provider": "manual", "nameservers": ["192.0.2.53"]}}},
    "reconcile": {"drift_check": None},
}


def spec() -> SpecValue:
    return spec_of(None, **SPEC)


async def states(world: World) -> dict[str, str]:
    keys = live_keys(await world.store.state.snapshot((Kind.DKIM_KEY,)))
    return {key.selector: key.state for key in keys}


async def settled(world: World) -> None:
    for _ in range(3):
        await world.apply(spec())
        world.clock.advance(10 * MINUTE_MS)
    assert (await world.plan(spec())).plan.is_empty


async def test_jumps_by_hours_ask_for_nothing_and_the_next_look_is_ahead_of_them(world: World) -> None:
    await settled(world)
    held, orders, keys = await world.held(), len(world.issuer.orders), await states(world)
    for hours in HOURS:
        world.clock.advance(hours * HOUR_MS)
        prepared = await world.plan(spec())
        assert prepared.plan.is_empty, hours
        assert prepared.again_at is not None
        assert prepared.again_at > world.clock()
        await world.apply(spec())
    assert (await world.held(), len(world.issuer.orders), await states(world)) == (held, orders, keys)
    assert set(keys.values()) == {KeyState.SIGNS}


@pytest.mark.parametrize("hours", [-20, -5, 5, 20])
async def test_an_order_is_not_held_up_by_the_lease_of_a_process_that_died_before_the_jump(
    world: World, hours: int
) -> None:
    now = world.clock()
    assert await world.store.locks.acquire(
        f"certificate {HOST}", "who was killed", now=now, until=Instant(now + LEASE_MS)
    )
    world.clock.advance(hours * HOUR_MS)
    await world.apply(spec())
    assert (await world.held()).issuer == "acme"


@pytest.mark.parametrize("hours", [-20, 20])
async def test_a_failed_order_is_tried_again_within_its_wait_whichever_way_the_clock_jumped(
    world: World, hours: int
) -> None:
    world.issuer.refusals = [NotIssued("port 80 is closed")]
    await world.apply(spec())
    world.clock.advance(hours * HOUR_MS)
    await world.apply(spec())
    assert (await world.held()).issuer == "acme"


async def test_an_authority_is_asked_for_its_suggestion_again_after_a_jump_back(world: World) -> None:
    world.issuer.renewal = RenewalInfo(
        start=Instant(world.clock() + 50 * DAY_MS), end=Instant(world.clock() + 51 * DAY_MS)
    )
    await settled(world)
    world.clock.advance(20 * HOUR_MS)
    await world.apply(spec())
    asked = world.issuer.asked
    world.clock.advance(-20 * HOUR_MS)
    await world.apply(spec())
    assert world.issuer.asked == asked + 1
    world.clock.advance(RENEWALS_ASKED_EVERY_MS)
    await world.apply(spec())
    assert world.issuer.asked == asked + 2


async def test_a_rotation_and_a_renewal_go_on_through_jumps_and_end(world: World) -> None:
    await settled(world)
    first, certificate = set(await states(world)), (await world.held()).certificate
    jumps = itertools.cycle(HOURS)
    end = Instant(world.clock() + 70 * DAY_MS)
    applies = 0
    while world.clock() < end:
        prepared = await world.plan(spec())
        assert prepared.again_at is not None
        assert prepared.again_at > world.clock()
        assert KeyState.SIGNS in (await states(world)).values()  # at no moment is mail unsigned
        await world.apply(spec())
        applies += 1
        # No look is later than it was meant to be: serve asks both clocks.
        world.clock.now = max(prepared.again_at, Instant(world.clock() + MINUTE_MS))
        world.clock.advance(next(jumps) * HOUR_MS)
        assert applies < 500
    assert not first & set(await states(world))
    assert (await world.held()).certificate != certificate
    assert len(world.issuer.orders) == 2
