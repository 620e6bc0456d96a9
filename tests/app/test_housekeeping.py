"""Once a day, or an hour, whoever comes first."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import apsw
import pytest

from mailstack.app import housekeeping
from mailstack.app.build import Adapters, RunSettings, open_adapters
from mailstack.app.housekeeping import clean_up_once_a_day, keep_house, refresh_once_an_hour
from mailstack.app.messages import Job
from mailstack.app.shared_clock import SharedClock
from mailstack.app.store_address import StoreAddress
from mailstack.formats.mta_sts import write_policy
from mailstack.model.acquaintance import Acquaintance, Tie
from mailstack.model.errors import TryAgainLater
from mailstack.model.ids import AccountId, MessageId
from mailstack.model.instant import DAY_MS, HOUR_MS, Instant
from mailstack.model.mailbox import MailboxRole
from mailstack.model.reputation import Counts, weight_at
from mailstack.model.rights import Grant, parse_rights
from mailstack.model.sieve_memory import Purpose
from mailstack.model.spam_lesson import Said
from mailstack.model.tls_policy import KnownStsPolicy, StsMode, StsPolicy
from mailstack.services.outbound.sts import StsLookup
from tests.support.fake_clock import FakeClock
from tests.support.outbound_world import OutboundWorld
from tests.support.push import push_subscription
from tests.support.stores import mailbox_with, make_account
from tests.support.wakes import eventually


@pytest.fixture
async def adapters(tmp_path: Path) -> AsyncIterator[Adapters]:
    opened = await open_adapters(
        RunSettings(storage=StoreAddress(folder=tmp_path), job=Job(spec=""), trust_loopback=False, hold_outbound=False)
    )
    yield opened
    await opened.close()


async def test_the_first_one_of_a_day_does_it_and_nobody_else(adapters: Adapters) -> None:
    done = [await clean_up_once_a_day(adapters) for _ in range(3)]
    assert done == [True, False, False]


async def test_a_bug_met_one_day_leaves_the_next_ones(
    adapters: Adapters, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(housekeeping, "LOOK_EVERY_S", 0.001)
    asked: list[Instant] = []

    def broken_once() -> Instant:
        asked.append(adapters.clock())
        return Instant(1 // (len(asked) - 1) * asked[-1])

    keeping = asyncio.ensure_future(keep_house(replace(adapters, clock=broken_once), OutboundWorld().sts))  # type: ignore[arg-type]
    await eventually(lambda: len(asked) > 2)
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
    assert "housekeeping failed" in capsys.readouterr().out


async def test_it_is_done_again_the_next_day(adapters: Adapters) -> None:
    assert await clean_up_once_a_day(adapters)
    tomorrow = replace(adapters, clock=SharedClock(lambda: Instant(adapters.clock() + DAY_MS + 1)))
    assert await clean_up_once_a_day(tomorrow)


async def test_what_cannot_be_swept_stops_nothing_else(adapters: Adapters, tmp_path: Path) -> None:
    (tmp_path / "queue").mkdir(exist_ok=True)
    (tmp_path / "queue" / "loop").symlink_to("loop")
    with pytest.raises(OSError, match="symbolic links"):
        await adapters.store.sweep()
    assert await clean_up_once_a_day(adapters)


async def test_what_is_shared_is_found_again_after_an_older_index_was_restored(
    adapters: Adapters, tmp_path: Path
) -> None:
    store = adapters.store
    owner, viewer = await make_account(store), await make_account(store, "bob@example.com")
    inbox = await mailbox_with(store, owner, MailboxRole.INBOX)
    grant = Grant(identifier="bob@example.com", account_id=viewer, rights=parse_rights("lr"))
    await store.sharing.change(owner, inbox, grant)
    index = apsw.Connection(str(tmp_path / "system.db"))
    index.execute("DELETE FROM shared")
    index.close()
    assert await clean_up_once_a_day(adapters)
    assert await store.sharing.owners(viewer) == [owner]


async def test_policies_are_refreshed_once_an_hour_and_those_that_have_ended_go(adapters: Adapters) -> None:
    now, kept = adapters.clock(), adapters.store.sts_policies
    policy = StsPolicy(mode=StsMode.ENFORCE, max_age_s=604_800, mx=("mx.them.test",))
    known = KnownStsPolicy(domain="them.test", policy_id="1", policy=policy, fetched_at=now)
    await kept.keep(known, refresh_at=now, ends_at=Instant(now + HOUR_MS))
    world = OutboundWorld(clock=FakeClock(now))
    world.resolver.txt = {"_mta-sts.them.test": ("v=STSv1; id=2",)}
    world.policy_host.texts["them.test"] = write_policy(policy)
    lookup = StsLookup(resolver=world.resolver, policies=kept, host=world.policy_host, clock=adapters.clock)
    assert [await refresh_once_an_hour(adapters, lookup) for _ in range(2)] == [True, False]
    assert (await kept.find("them.test")).known != known
    assert world.policy_host.asked == ["them.test"]
    later = replace(adapters, clock=SharedClock(lambda: Instant(now + 8 * DAY_MS)))
    assert await refresh_once_an_hour(later, lookup)
    assert await clean_up_once_a_day(later)
    assert (await kept.find("them.test")).known is None


async def test_what_is_remembered_for_scripts_goes_once_it_has_ended(adapters: Adapters) -> None:
    memory, now = adapters.store.sieve_memory, adapters.clock()
    keys = [("a", now), ("b", Instant(now + DAY_MS))]
    await memory.note(AccountId("a" * 16), Purpose.SEEN, keys)
    assert await clean_up_once_a_day(adapters)
    assert await memory.forget(now=now) == 0
    assert await memory.forget(now=Instant(now + DAY_MS)) == 1


async def test_what_is_known_of_senders_goes_once_it_has_faded(adapters: Adapters) -> None:
    store, now = adapters.store, adapters.clock()
    month = Instant(now - 30 * DAY_MS)
    counts = {(subject, 0): Counts(0.0, mails * weight_at(month)) for subject, mails in ((1, 0.5), (2, 0.1))}
    await store.reputation.add(counts)
    met = {Acquaintance(AccountId("a" * 16), Tie.HEARD, key): Instant(now + key * HOUR_MS) for key in (-1, 1)}
    await store.acquaintances.note(met)
    assert await clean_up_once_a_day(adapters)
    assert [*await store.reputation.find([1, 2], most=1.0)] == [1]
    assert await store.acquaintances.forget(now=now) == 0
    assert await store.acquaintances.forget(now=Instant(now + HOUR_MS)) == 1


async def test_uploads_go_once_they_have_ended(adapters: Adapters) -> None:
    uploads, now, account_id = adapters.store.uploads, adapters.clock(), AccountId("a" * 16)
    await uploads.put(account_id, b"old", now=Instant(now - DAY_MS), limit_bytes=100)
    young = await uploads.put(AccountId("b" * 16), b"young", now=now, limit_bytes=100)
    assert await clean_up_once_a_day(adapters)
    assert await uploads.forget(now=now) == 0
    assert await uploads.read(AccountId("b" * 16), young, now=now) == b"young"


async def test_push_subscriptions_go_once_they_have_ended(adapters: Adapters) -> None:
    store, now = adapters.store, adapters.clock()
    account_id = await make_account(store)
    for push_id, ends_at in (("old", now), ("young", now + HOUR_MS)):
        subscription = push_subscription(account_id, push_id, expires_at=Instant(ends_at))
        await store.push_subscriptions.add(subscription, now=Instant(0), at_most=2)
    assert await clean_up_once_a_day(adapters)
    ((found, _),) = await store.push_subscriptions.of_account(account_id, now=Instant(0))
    assert found.push_id == "young"


async def test_a_database_that_is_away_while_policies_are_refreshed_is_a_warning(
    adapters: Adapters, capsys: pytest.CaptureFixture[str]
) -> None:
    now, kept = adapters.clock(), adapters.store.sts_policies
    policy = StsPolicy(mode=StsMode.ENFORCE, max_age_s=604_800, mx=("mx.them.test",))
    known = KnownStsPolicy(domain="them.test", policy_id="1", policy=policy, fetched_at=now)
    await kept.keep(known, refresh_at=now, ends_at=Instant(now + DAY_MS))
    world = OutboundWorld(clock=FakeClock(now))
    world.resolver.txt = {"_mta-sts.them.test": ("v=STSv1; id=2",)}

    class Reading:
        """Nothing can be written."""

        due, find = kept.due, kept.find

        async def failed(self, *_: object, **__: object) -> None:
            raise TryAgainLater("the disk that holds it is full")

    lookup = StsLookup(resolver=world.resolver, policies=Reading(), host=world.policy_host, clock=adapters.clock)  # type: ignore[arg-type]
    capsys.readouterr()
    assert await refresh_once_an_hour(adapters, lookup)
    told = capsys.readouterr().out
    assert "tried again in an hour" in told
    assert "Traceback" not in told


async def test_what_people_said_is_kept_for_three_months(adapters: Adapters) -> None:
    lessons, now = adapters.store.spam_lessons, adapters.clock()
    await lessons.note(AccountId("a" * 16), [MessageId(1)], Said.SPAM)
    assert await clean_up_once_a_day(adapters)
    assert len(await lessons.open(limit=9)) == 1
    later = replace(adapters, clock=SharedClock(lambda: Instant(now + 91 * DAY_MS)))
    assert await clean_up_once_a_day(later)
    assert await lessons.open(limit=9) == []
