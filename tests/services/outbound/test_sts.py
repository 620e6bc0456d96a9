"""What is known of other domains' MTA-STS policies, and when they are asked for. RFC 8461 §3.1, §3.3, §5, §10.2."""

import asyncio

import pytest

from mailstack.mailauth.mtasts import RETRY_MS
from mailstack.model.errors import TryAgainLater
from mailstack.model.instant import DAY_MS, Instant
from mailstack.model.tls_policy import Sts, StsMode, TlsFailure, Unfetched
from mailstack.ports.sts_policies import StsPolicies
from mailstack.services.outbound.sts import KEPT_FRESH_MS, MAIL_WAITS_S, REFRESHED_AT_ONCE, StsLookup
from tests.support.outbound_world import OutboundWorld
from tests.support.virtual_time import run_in_virtual_time
from tests.support.wakes import eventually

THEM = "them.test"
WEEK_MS = 7 * DAY_MS


def text(mode: str = "enforce", mx: str = "*.them.test", max_age_s: int = 604_800) -> bytes:
    hosts = f"mx: {mx}\n" if mx else ""
    return f"version: STSv1\nmode: {mode}\n{hosts}max_age: {max_age_s}\n".encode()


def sts(*, is_testing: bool = False, mx: str = "*.them.test") -> Sts:
    return Sts(domain=THEM, is_testing=is_testing, mx=(mx,))


@pytest.fixture
def lookup(world: OutboundWorld) -> StsLookup:
    return world.sts()


def publish(world: OutboundWorld, policy: bytes | Unfetched, *, record_id: str = "1", domain: str = THEM) -> None:
    world.resolver.txt = {**world.resolver.txt, f"_mta-sts.{domain}": (f"v=STSv1; id={record_id}",)}
    world.policy_host.texts[domain] = policy


def withdraw(world: OutboundWorld) -> None:
    world.resolver.txt = {}


@pytest.mark.parametrize(
    ("mode", "mx", "expected"),
    [("enforce", "*.them.test", sts()), ("testing", "*.them.test", sts(is_testing=True)), ("none", "", None)],
)
async def test_a_policy_is_fetched_once_and_counts_by_its_mode(
    world: OutboundWorld, lookup: StsLookup, mode: str, mx: str, expected: Sts | None
) -> None:
    publish(world, text(mode, mx))
    assert [await lookup.policy(THEM) for _ in range(3)] == [expected] * 3
    assert world.policy_host.asked == [THEM]


async def test_without_a_record_nobody_is_asked(world: OutboundWorld, lookup: StsLookup) -> None:
    world.policy_host.texts[THEM] = text()
    assert await lookup.policy(THEM) is None
    assert not world.policy_host.asked
    assert not world.sts_policies.rows


async def test_mails_that_come_together_share_one_fetch(world: OutboundWorld, lookup: StsLookup) -> None:
    publish(world, text())
    assert await asyncio.gather(*(lookup.policy(THEM) for _ in range(20))) == [sts()] * 20
    assert world.policy_host.asked == [THEM]


async def test_a_fetch_goes_on_when_who_asked_gives_up(world: OutboundWorld, lookup: StsLookup) -> None:
    publish(world, text())
    world.policy_host.gate = asyncio.Event()
    asking = asyncio.ensure_future(lookup.policy(THEM))
    await eventually(lambda: bool(world.policy_host.asked))
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    world.policy_host.gate.set()
    assert await lookup.policy(THEM) == sts()
    assert world.policy_host.asked == [THEM]


def test_mail_waits_ten_seconds_for_a_host_that_hangs_and_the_fetch_goes_on() -> None:
    async def scene() -> None:
        world, loop = OutboundWorld(), asyncio.get_running_loop()
        lookup, gate = world.sts(), asyncio.Event()
        publish(world, text())
        world.policy_host.gate = gate
        assert await asyncio.gather(*(lookup.policy(THEM) for _ in range(3))) == [None] * 3
        assert loop.time() == MAIL_WAITS_S
        assert await lookup.policy(THEM) is None  # the next one waits no more
        assert loop.time() == MAIL_WAITS_S
        whoever_looks = asyncio.ensure_future(lookup.learn(THEM))
        loop.call_later(40, gate.set)
        known = (await whoever_looks).known
        assert known is not None
        assert known.policy.mode is StsMode.ENFORCE
        assert await lookup.policy(THEM) == sts()
        assert world.policy_host.asked == [THEM]

    run_in_virtual_time(scene())


async def test_another_id_leads_to_the_new_policy(world: OutboundWorld, lookup: StsLookup) -> None:
    publish(world, text())
    await lookup.policy(THEM)
    publish(world, text("testing", "mx.them.test"), record_id="2")
    assert await lookup.policy(THEM) == sts(is_testing=True, mx="mx.them.test")


@pytest.mark.parametrize(
    "unusable",
    [Unfetched(TlsFailure.STS_WEBPKI_INVALID, "certificate has expired"), b"version: STSv2\n", b"<html>", text(mx="")],
)
async def test_what_cannot_be_fetched_leaves_mail_as_it_was(
    world: OutboundWorld, lookup: StsLookup, unusable: bytes | Unfetched
) -> None:
    publish(world, unusable)
    assert await lookup.policy(THEM) is None
    world.clock.advance(RETRY_MS - 1)
    assert await lookup.policy(THEM) is None
    assert world.policy_host.asked == [THEM]  # a failure is remembered, by all workers
    world.clock.advance(1)
    publish(world, text())
    assert await lookup.policy(THEM) == sts()


async def test_a_failed_fetch_a_lost_record_and_dns_that_is_down_keep_the_policy_until_it_ends(
    world: OutboundWorld, lookup: StsLookup
) -> None:
    publish(world, text())
    await lookup.policy(THEM)
    publish(world, b"", record_id="2")
    assert await lookup.policy(THEM) == sts()
    withdraw(world)
    assert await lookup.policy(THEM) == sts()
    world.resolver.failing.add(f"_mta-sts.{THEM}")
    world.clock.advance(WEEK_MS - 1)
    assert await lookup.policy(THEM) == sts()
    world.clock.advance(1)
    assert await lookup.policy(THEM) is None


async def test_dns_that_is_down_is_no_policy_where_none_is_known(world: OutboundWorld, lookup: StsLookup) -> None:
    world.resolver.failing.add(f"_mta-sts.{THEM}")
    assert await lookup.policy(THEM) is None


async def test_a_policy_lasts_a_year_at_most(world: OutboundWorld, lookup: StsLookup) -> None:
    publish(world, text(max_age_s=9_999_999_999))
    await lookup.policy(THEM)
    withdraw(world)
    world.clock.advance(365 * DAY_MS)
    assert await lookup.policy(THEM) == sts()
    world.clock.advance(DAY_MS)
    assert await lookup.policy(THEM) is None


async def test_it_is_refreshed_though_no_mail_goes_there(world: OutboundWorld, lookup: StsLookup) -> None:
    publish(world, text())
    await lookup.policy(THEM)
    assert await lookup.refresh() == 0
    for _ in range(30):
        world.clock.advance(DAY_MS)
        assert await lookup.refresh() == 1
    withdraw(world)
    assert await lookup.policy(THEM) == sts()


async def test_where_no_mail_goes_any_more_a_policy_is_left_to_end(world: OutboundWorld, lookup: StsLookup) -> None:
    publish(world, text())
    await lookup.policy(THEM)
    world.clock.advance(5 * DAY_MS)
    await lookup.policy(THEM)  # is a use
    refreshed = 0
    while (world.clock() - used_at(world)) < KEPT_FRESH_MS + 10 * DAY_MS:
        world.clock.advance(DAY_MS)
        refreshed += await lookup.refresh()
    assert refreshed == KEPT_FRESH_MS // DAY_MS - 1
    assert await world.sts_policies.forget(now=world.clock()) == 1


def used_at(world: OutboundWorld) -> Instant:
    return world.sts_policies.rows[THEM].memory.used_at or Instant(0)


async def test_each_that_is_due_is_tried_once_a_round_however_it_ends(world: OutboundWorld, lookup: StsLookup) -> None:
    domains = [f"{number}.test" for number in range(50)]
    for domain in domains:
        publish(world, text(), domain=domain)
        await lookup.policy(domain)
    world.clock.advance(DAY_MS)
    withdraw(world)
    for domain in domains[:20]:
        publish(world, b"", domain=domain)
    world.resolver.failing |= {f"_mta-sts.{domain}" for domain in domains[20:30]}
    world.policy_host.asked.clear()
    assert await lookup.refresh() == 50
    assert sorted(world.policy_host.asked) == sorted(domains[:20])
    assert await lookup.refresh() == 0
    world.clock.advance(RETRY_MS)
    assert await lookup.refresh() == 50


async def test_a_round_ends_where_nothing_can_be_written_down(world: OutboundWorld, lookup: StsLookup) -> None:
    for number in range(50):
        publish(world, text(), domain=f"{number}.test")
        await lookup.policy(f"{number}.test")
    world.clock.advance(DAY_MS)
    world.policy_host.asked.clear()

    async def full(*_: object, **__: object) -> None:
        raise TryAgainLater("the disk that holds it is full")

    world.sts_policies.keep = full  # type: ignore[method-assign]  # a database that can only be read
    with pytest.raises(TryAgainLater, match="is full"):
        await lookup.refresh()
    assert len(world.policy_host.asked) == REFRESHED_AT_ONCE


@pytest.mark.parametrize(("mode", "is_told"), [(StsMode.ENFORCE, True), (StsMode.TESTING, True), (StsMode.NONE, False)])
async def test_whoever_runs_the_server_hears_of_a_refresh_that_failed(
    world: OutboundWorld, lookup: StsLookup, capsys: pytest.CaptureFixture[str], mode: StsMode, is_told: bool
) -> None:
    publish(world, text(mode, "" if mode is StsMode.NONE else "mx.them.test"))
    await lookup.policy(THEM)
    world.clock.advance(DAY_MS)
    publish(world, Unfetched(TlsFailure.STS_POLICY_FETCH_ERROR, "mta-sts.them.test answered 500"))
    await lookup.refresh()
    assert ("warning" in capsys.readouterr().out) is is_told


async def test_a_day_of_mail_is_one_note_of_use(world: OutboundWorld) -> None:
    noted: list[Instant] = []
    policies: StsPolicies = world.sts_policies
    used = policies.used

    async def counted(domain: str, *, now: Instant) -> None:
        noted.append(now)
        await used(domain, now=now)

    world.sts_policies.used = counted  # type: ignore[method-assign]  # only counts
    lookup = world.sts()
    publish(world, text())
    began = world.clock()
    for _ in range(48):
        await lookup.policy(THEM)
        world.clock.advance(DAY_MS // 24)
    assert noted == [began + DAY_MS]
