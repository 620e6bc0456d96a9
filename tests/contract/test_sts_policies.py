"""ports.sts_policies on every engine."""

import pytest

from mailstack.model.instant import DAY_MS, Instant
from mailstack.model.tls_policy import KnownStsPolicy, StsFetchFailure, StsMemory, StsMode, StsPolicy, TlsFailure
from mailstack.ports.store import Store
from tests.support.fake_clock import FakeClock

pytestmark = pytest.mark.in_memory


def known(domain: str, now: Instant, *, policy_id: str = "a1", mode: StsMode = StsMode.ENFORCE) -> KnownStsPolicy:
    mx = () if mode is StsMode.NONE else (f"mx.{domain}", f"*.{domain}")
    policy = StsPolicy(mode=mode, max_age_s=604_800, mx=mx)
    return KnownStsPolicy(domain=domain, policy_id=policy_id, policy=policy, fetched_at=now)


def failure(now: Instant) -> StsFetchFailure:
    return StsFetchFailure(
        policy_id="a2", failure=TlsFailure.STS_WEBPKI_INVALID, detail="certificate has expired", failed_at=now
    )


async def keep(store: Store, policy: KnownStsPolicy, *, most: int = 100) -> None:
    at = policy.fetched_at
    await store.sts_policies.keep(policy, refresh_at=Instant(at + DAY_MS), ends_at=Instant(at + 7 * DAY_MS), most=most)


async def domains_due(store: Store, now: Instant, *, used_after: int = 0, most: int = 10) -> list[str]:
    found = await store.sts_policies.due(now=now, used_after=Instant(used_after), most=most)
    return [one.domain for one in found]


async def test_of_a_domain_that_nobody_asked_about_nothing_is_known(store: Store) -> None:
    assert await store.sts_policies.find("them.test") == StsMemory()


async def test_a_policy_is_found_as_it_was_fetched(store: Store, clock: FakeClock) -> None:
    for mode in StsMode:
        fetched = known(f"{mode}.test", clock(), mode=mode)
        await keep(store, fetched)
        assert await store.sts_policies.find(fetched.domain) == StsMemory(known=fetched, used_at=clock())


async def test_a_failure_leaves_the_policy_and_a_new_policy_ends_the_failure(store: Store, clock: FakeClock) -> None:
    first = known("them.test", clock())
    await keep(store, first)
    used_at = clock()
    clock.advance(1_000)
    failed = failure(clock())
    await store.sts_policies.failed("them.test", failed, retry_at=Instant(clock() + 1))
    assert await store.sts_policies.find("them.test") == StsMemory(known=first, failure=failed, used_at=used_at)
    second = known("them.test", clock(), policy_id="a2", mode=StsMode.TESTING)
    await keep(store, second)
    assert await store.sts_policies.find("them.test") == StsMemory(known=second, used_at=used_at)


async def test_a_failure_is_remembered_without_a_policy_too(store: Store, clock: FakeClock) -> None:
    failed = failure(clock())
    await store.sts_policies.failed("them.test", failed, retry_at=Instant(clock() + 1_000))
    await store.sts_policies.used("them.test", now=Instant(clock() + 500))
    assert await store.sts_policies.find("them.test") == StsMemory(failure=failed, used_at=clock())
    clock.advance(1_000)
    again = failure(clock())
    await store.sts_policies.failed("them.test", again, retry_at=Instant(clock() + 1_000))
    assert await store.sts_policies.forget(now=clock()) == 0
    clock.advance(1_000)
    assert await store.sts_policies.forget(now=clock()) == 1
    assert await domains_due(store, Instant(clock() + DAY_MS)) == []


async def test_what_has_ended_is_forgotten_and_nothing_else(store: Store, clock: FakeClock) -> None:
    await keep(store, known("first.test", clock()))
    clock.advance(1_000)
    await keep(store, known("second.test", clock()))
    await store.sts_policies.failed("first.test", failure(clock()), retry_at=Instant(clock() + 30 * DAY_MS))
    clock.advance(7 * DAY_MS - 1_000)
    assert await store.sts_policies.forget(now=clock()) == 1
    assert await store.sts_policies.forget(now=clock()) == 0
    assert (await store.sts_policies.find("first.test")).known is None
    assert (await store.sts_policies.find("second.test")).known is not None


async def test_those_are_due_that_mail_asked_for_lately_the_oldest_first(store: Store, clock: FakeClock) -> None:
    began = clock()
    for domain in ("c.test", "a.test", "b.test"):
        await keep(store, known(domain, clock()))
        clock.advance(1_000)
    assert await domains_due(store, Instant(began + DAY_MS - 1)) == []
    assert await domains_due(store, Instant(began + DAY_MS + 1_000)) == ["c.test", "a.test"]
    assert await domains_due(store, Instant(began + 2 * DAY_MS), most=2) == ["c.test", "a.test"]
    assert await domains_due(store, Instant(began + 2 * DAY_MS), used_after=began + 999) == ["a.test", "b.test"]
    await store.sts_policies.used("c.test", now=Instant(began + DAY_MS))
    assert await domains_due(store, Instant(began + 2 * DAY_MS), used_after=began + 3_000) == ["c.test"]
    assert await domains_due(store, Instant(began + 7 * DAY_MS)) == [
        "a.test",
        "b.test",
    ]  # what has ended is due no more


async def test_what_failed_is_due_again_then(store: Store, clock: FakeClock) -> None:
    began = clock()
    await keep(store, known("them.test", began))
    retry_at = Instant(began + 2 * DAY_MS)
    await store.sts_policies.failed("them.test", failure(began), retry_at=retry_at)
    assert await domains_due(store, Instant(retry_at - 1)) == []
    assert await domains_due(store, retry_at) == ["them.test"]


async def test_no_more_are_remembered_than_that_and_those_in_use_stay(store: Store, clock: FakeClock) -> None:
    for number in range(4):
        await keep(store, known(f"{number}.test", clock()))
        clock.advance(1_000)
    await store.sts_policies.used("0.test", now=clock())
    clock.advance(1_000)
    await keep(store, known("4.test", clock()), most=3)
    left = [number for number in range(5) if (await store.sts_policies.find(f"{number}.test")).known]
    assert left == [0, 3, 4]
    clock.advance(1_000)
    await store.sts_policies.failed("5.test", failure(clock()), retry_at=Instant(clock() + 1), most=2)
    assert [n for n in range(6) if await store.sts_policies.find(f"{n}.test") != StsMemory()] == [4, 5]
