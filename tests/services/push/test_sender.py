"""What is sent to push subscriptions, and when: codes first, then changes, by one sender of all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from mailstack.app.clock import system_clock
from mailstack.model.ids import AccountId, PushId
from mailstack.model.instant import HOUR_MS, Instant
from mailstack.model.mailbox import MailboxRole
from mailstack.model.principal import Account
from mailstack.model.push import PushAnswer, PushChange, PushFate, PushStage, PushSubscription
from mailstack.model.rights import Grant, RightsOperation, parse_rights
from mailstack.model.states import StateType
from mailstack.model.web_session import IDLE_MS, WebSession, mark_of
from mailstack.ports.bus import GENERATION_TOPIC
from mailstack.services.push import schedule, sender
from mailstack.services.push.credentials import credential_of
from mailstack.services.push.sender import LEASE, PushSender, PushWorld
from mailstack.services.states.feed import StateFeed
from mailstack.store.sqlite.open import SqliteStore, open_store
from tests.support.feeds import running_feed
from tests.support.memory_push_service import MemoryPushService
from tests.support.push import push_subscription
from tests.support.recording_bus import RecordingBus
from tests.support.running import running, until
from tests.support.stores import account_of, account_resource, apply, mailbox_with, make_account, new_message, updated

LATER = PushAnswer(fate=PushFate.LATER, detail="answered 503")
GONE = PushAnswer(fate=PushFate.GONE, detail="answered 410")
REFUSED = PushAnswer(fate=PushFate.REFUSED, detail="answered 400")
DIGEST = b"d" * 32
EMAIL, DELIVERY, MAILBOX = StateType.EMAIL, StateType.EMAIL_DELIVERY, StateType.MAILBOX


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    store: SqliteStore
    bus: RecordingBus
    feed: StateFeed
    alice: AccountId
    pushes: MemoryPushService = field(default_factory=MemoryPushService)

    def sender(self, owner: str = "one") -> PushSender:
        return PushSender(
            PushWorld(
                subscriptions=self.store.push_subscriptions,
                accounts=self.store.accounts,
                web_sessions=self.store.web_sessions,
                locks=self.store.locks,
                feed=self.feed,
                bus=self.bus,
                service=lambda: self.pushes,
                clock=system_clock,
                owner=owner,
            )
        )

    async def account(self) -> Account:
        return await account_of(self.store, "alice@example.com")

    async def subscribe(
        self,
        push_id: str = "p1",
        *,
        types: tuple[str, ...] | None = None,
        lasts_ms: int = HOUR_MS,
        login: Account | None = None,
    ) -> PushSubscription:
        account, now = login or await self.account(), system_clock()
        made = replace(
            push_subscription(account.account_id, push_id, expires_at=Instant(now + lasts_ms)),
            credential=credential_of(account),
            types=types,
            keys=None,
        )
        await self.store.push_subscriptions.add(made, now=now, at_most=9)
        return made

    async def show_code(self, subscription: PushSubscription) -> None:
        change = PushChange(is_verified=True, types=subscription.types, expires_at=subscription.expires_at)
        await self.store.push_subscriptions.change(
            subscription.account_id, subscription.credential, subscription.push_id, change
        )

    async def proved(
        self, push_id: str = "p1", *, types: tuple[str, ...] | None = None, login: Account | None = None
    ) -> PushSubscription:
        """While a sender runs."""
        made = await self.subscribe(push_id, types=types, login=login)
        await until(lambda: self.has_stage(PushStage.ASKED, push_id))
        await self.show_code(made)
        return made

    async def stored(self) -> list[PushSubscription]:
        now = system_clock()
        return [each for each, _ in await self.store.push_subscriptions.of_account(self.alice, now=now)]

    async def has_stage(self, stage: PushStage, push_id: str = "p1") -> bool:
        return any(each.stage is stage for each in await self.stored() if each.push_id == push_id)

    async def is_gone(self) -> bool:
        return not await self.stored()

    async def deliver(self, account_id: AccountId | None = None) -> None:
        owner = account_id or self.alice
        inbox = await mailbox_with(self.store, owner, MailboxRole.INBOX)
        await self.store.messages.append(owner, inbox, [new_message()])


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr(schedule, "REST_MS", 50)
    monkeypatch.setattr(schedule, "FIRST_RETRY_MS", 20)
    monkeypatch.setattr(sender, "RENEW_S", 0.05)
    bus = RecordingBus()
    store = await open_store(tmp_path / "store", clock=system_clock, bus=bus)
    alice = await make_account(store)
    async with running_feed(store, bus) as feed:
        yield World(store=store, bus=bus, feed=feed, alice=alice)
    await store.close()


@asynccontextmanager
async def sending(world: World, owner: str = "one") -> AsyncIterator[None]:
    async with running(world.sender(owner).run()):
        yield


async def test_the_code_is_sent_at_once_and_nothing_else_before_it_is_shown(world: World) -> None:
    async with sending(world):
        made = await world.subscribe()
        await until(lambda: world.has_stage(PushStage.ASKED))
        assert world.pushes.codes == [("p1", made.code)]
        await world.deliver()
        await world.show_code(made)
        await world.pushes.until(lambda: bool(world.pushes.told))
        ((push_id, told),) = world.pushes.told
        assert push_id == "p1"
        assert told[world.alice][DELIVERY], "what happened since the code was sent"


async def test_a_change_is_told_once_it_may_be(world: World) -> None:
    async with sending(world):
        await world.proved()
        await world.deliver()
        state = str(await world.store.changes.mod_seq(world.alice))
        # A first push may have left before all of the delivery was there.
        await world.pushes.until(lambda: any(told[world.alice][EMAIL] == state for _, told in world.pushes.told))
        assert len(world.pushes.codes) == 1


async def test_other_types_are_left_out_and_not_waited_for(world: World) -> None:
    async with sending(world):
        await world.proved("p1", types=("EmailDelivery", "Todo"))
        await world.proved("p2", types=("Todo",))
        await world.deliver()
        await world.pushes.until(lambda: bool(world.pushes.told))
        ((push_id, told),) = world.pushes.told
        assert push_id == "p1"
        assert [*told[world.alice]] == [DELIVERY]


async def test_types_that_are_asked_for_later_are_told_from_then_on(world: World) -> None:
    async with sending(world):
        made = await world.proved(types=("Todo",))
        await world.show_code(replace(made, types=("Email",)))
        await asyncio.sleep(0)
        await world.deliver()
        await world.pushes.until(lambda: bool(world.pushes.told))
        assert [*world.pushes.told[0][1][world.alice]] == [EMAIL]


async def test_a_burst_is_told_in_a_few_pushes_and_the_last_state_is_among_them(world: World) -> None:
    async with sending(world):
        await world.proved()
        for _ in range(40):
            await world.deliver()
        state = str(await world.store.changes.mod_seq(world.alice))
        await world.pushes.until(lambda: world.pushes.told[-1:] != [] and _email(world) == state)
        assert len(world.pushes.told) < 20


def _email(world: World) -> str:
    return world.pushes.told[-1][1][world.alice][EMAIL]


async def test_what_others_share_is_told(world: World) -> None:
    bob = await make_account(world.store, "bob@example.com")
    grant = Grant(identifier="alice@example.com", account_id=world.alice, rights=parse_rights("lr"))
    inbox = await mailbox_with(world.store, bob, MailboxRole.INBOX)
    await world.store.sharing.change(bob, inbox, grant, RightsOperation.SET)
    async with sending(world):
        await world.proved()
        await world.deliver(bob)
        await world.pushes.until(lambda: bool(world.pushes.told))
        assert [*world.pushes.told[0][1]] == [bob]


async def test_what_failed_is_told_later_with_what_has_come_meanwhile(world: World) -> None:
    async with sending(world):
        await world.proved(types=("Email",))
        world.pushes.answers = [LATER, None, LATER, REFUSED]
        await world.deliver()
        await world.pushes.until(lambda: len(world.pushes.told) == 2)
        await world.deliver()
        state = str(await world.store.changes.mod_seq(world.alice))
        await world.pushes.until(lambda: len(world.pushes.told) == 5)
        assert _email(world) == state


async def test_who_is_gone_is_forgotten(world: World) -> None:
    async with sending(world):
        await world.proved()
        world.pushes.answers = [GONE]
        await world.deliver()
        await until(world.is_gone)


async def test_a_code_that_nobody_takes_is_sent_again_a_few_times(world: World) -> None:
    world.pushes.answers = [LATER] * schedule.MOST_CODE_TRIES
    async with sending(world):
        await world.subscribe()
        await until(lambda: world.has_stage(PushStage.ASKED))
        assert len(world.pushes.codes) == schedule.MOST_CODE_TRIES


@pytest.mark.parametrize(("answer", "is_there"), [(GONE, False), (REFUSED, True)])
async def test_a_code_that_is_refused_is_not_sent_again(world: World, answer: PushAnswer, *, is_there: bool) -> None:
    world.pushes.answers = [answer]
    async with sending(world):
        await world.subscribe()
        await until(lambda: world.has_stage(PushStage.ASKED) if is_there else world.is_gone())
    assert len(world.pushes.codes) == 1


async def test_a_code_that_is_shown_while_it_is_sent_counts(world: World) -> None:
    world.pushes.open.clear()
    async with sending(world):
        made = await world.subscribe()
        await world.pushes.until(lambda: bool(world.pushes.codes))
        await world.show_code(made)
        await world.deliver()
        world.pushes.open.set()
        await world.pushes.until(lambda: bool(world.pushes.told))
        assert len(world.pushes.codes) == 1
    assert await world.has_stage(PushStage.VERIFIED)


async def test_what_was_not_sent_before_a_crash_is_sent_after_it(world: World) -> None:
    made = await world.subscribe()
    async with sending(world):
        await until(lambda: world.has_stage(PushStage.ASKED))
    await world.show_code(made)
    await world.deliver()
    async with sending(world, "two"):
        await world.pushes.until(lambda: bool(world.pushes.told))
        assert world.pushes.told[0][1][world.alice][DELIVERY]
    told = len(world.pushes.told)
    async with sending(world, "three"):
        await world.deliver()
        await world.pushes.until(lambda: len(world.pushes.told) > told)
        assert len(world.pushes.told) == told + 1, "nothing is told twice for no reason"
    assert len(world.pushes.codes) == 1


async def test_one_sender_of_all_sends(world: World) -> None:
    async with sending(world, "one"), sending(world, "two"):
        await world.proved()
        await world.deliver()
        await world.pushes.until(lambda: bool(world.pushes.told))
        await world.deliver()
        await world.pushes.until(lambda: len(world.pushes.told) > 1)
        states = [told[world.alice][DELIVERY] for _, told in world.pushes.told]
        assert len(states) == len(set(states)), "each is told once"
        assert len(world.pushes.codes) == 1


async def test_another_takes_over_from_one_that_ends(world: World) -> None:
    async with sending(world, "one"):
        await world.proved()
        second = asyncio.create_task(world.sender("two").run())
        assert await world.store.locks.holder(LEASE, now=system_clock()) == "one"
    await until(lambda: _holds(world, "two"))
    await world.deliver()
    await world.pushes.until(lambda: bool(world.pushes.told))
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    assert await _holds(world, "")


async def _holds(world: World, owner: str) -> bool:
    return await world.store.locks.holder(LEASE, now=system_clock()) == owner


async def test_another_takes_over_from_one_that_was_killed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "LEASE_MS", 200)
    now = system_clock()
    assert await world.store.locks.acquire(LEASE, "dead", now=now, until=Instant(now + 200))
    await world.subscribe()
    async with sending(world, "two"):
        await until(lambda: world.has_stage(PushStage.ASKED))


async def test_nobody_holds_a_lease_while_nobody_has_subscribed(world: World) -> None:
    async with sending(world):
        made = await world.proved()
        assert await _holds(world, "one")
        await world.store.push_subscriptions.remove(made.account_id, made.credential, made.push_id)
        await until(lambda: _holds(world, ""))
        await world.deliver()
    assert not world.pushes.told


async def test_it_goes_with_the_password(world: World) -> None:
    async with sending(world):
        await world.proved()
        await apply(world.store, updated(account_resource("alice@example.com"), password="$argon2id$other"))
        world.bus.publish(GENERATION_TOPIC)
        await until(world.is_gone)


@pytest.mark.parametrize("way", ["signed out", "password", "too long ago"])
async def test_what_was_made_in_a_browser_goes_with_its_session(world: World, way: str) -> None:
    account, now = await world.account(), system_clock()
    session = WebSession(
        digest=DIGEST,
        account_id=account.account_id,
        password_mark=mark_of(account.password_hash, DIGEST),
        created_at=now,
        used_at=now,
        peer_host="",
        agent="",
    )
    await world.store.web_sessions.add(session, most=9)
    async with sending(world):
        made = await world.proved(login=replace(account, web_session=session.digest))
        await world.deliver()
        await world.pushes.until(lambda: bool(world.pushes.told))
        match way:
            case "signed out":
                await world.store.web_sessions.end(account.account_id, [session.session_id])
            case "password":
                await apply(world.store, updated(account_resource("alice@example.com"), password="$argon2id$other"))
            case _:
                await world.store.web_sessions.note_use(session.digest, at=Instant(now - IDLE_MS), peer_host="")
        told = len(world.pushes.told)
        await world.deliver()
        await until(world.is_gone)
        assert len(world.pushes.told) == told
    assert made.credential.startswith("web-")


async def test_what_has_ended_is_told_nothing_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async with sending(world):
        made = await world.proved()
        await world.show_code(replace(made, expires_at=Instant(system_clock() + 100)))
        await until(world.is_gone)
        await world.proved("p2")
        await world.deliver()
        await world.pushes.until(lambda: bool(world.pushes.told))
        assert {push_id for push_id, _ in world.pushes.told} == {"p2"}


async def test_what_was_removed_while_it_is_told_stays_removed(world: World) -> None:
    async with sending(world):
        made = await world.proved()
        world.pushes.open.clear()
        await world.deliver()
        await world.pushes.until(lambda: bool(world.pushes.told))
        await world.store.push_subscriptions.remove(made.account_id, made.credential, made.push_id)
        world.pushes.open.set()
        await until(lambda: _holds(world, ""))
    assert await world.is_gone()
    assert PushId("p1") not in {push_id for push_id, _ in world.pushes.told[1:]}
