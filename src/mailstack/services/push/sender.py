"""Who sends the codes and the changes that push subscriptions wait for: one worker of all nodes, by a lease.

Each subscription has a listener of the feed of states, which goes on from what its client was told last, so nothing is
lost over a crash; what is told twice does no harm. Nobody is sent anything but a code before that was shown, after the
subscription has ended, or when the login that made it is good no more. RFC 8620 §7.2.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

import structlog

from mailstack.formats.web_url import parse_web_url
from mailstack.model.errors import DomainError
from mailstack.model.ids import PushId
from mailstack.model.instant import MINUTE_MS, SECOND_MS, Clock, Instant
from mailstack.model.push import (
    PushAnswer,
    PushFate,
    PushHead,
    PushProgress,
    PushStage,
    PushSubscription,
    head_of,
)
from mailstack.model.states import ALL_TYPES
from mailstack.ports.accounts import Accounts
from mailstack.ports.bus import APP_PASSWORD_TOPIC, GENERATION_TOPIC, PUSH_TOPIC, Bus
from mailstack.ports.locks import Locks
from mailstack.ports.push_service import PushService
from mailstack.ports.push_subscriptions import PushSubscriptions
from mailstack.ports.web_sessions import WebSessions
from mailstack.services.push.credentials import is_good
from mailstack.services.push.schedule import MOST_CODE_TRIES, after_failure, after_taken
from mailstack.services.states.feed import Listener, StateFeed

LEASE = "push"
LEASE_MS = 20 * SECOND_MS
"""So long the others wait for one that died."""
RENEW_S = 6.0
IDLE_S = 60.0
"""Between two looks where nobody has subscribed: whoever does wakes."""
REVIEW_MS = MINUTE_MS
AT_ONCE = 100

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class PushWorld:
    """service: of the generation that serves. owner: unlike that of any other sender, past or present."""

    subscriptions: PushSubscriptions
    accounts: Accounts
    web_sessions: WebSessions
    locks: Locks
    feed: StateFeed
    bus: Bus
    service: Callable[[], PushService]
    clock: Clock
    owner: str


class _Held:
    """A subscription that this sender looks after. has_news: or it is not known yet."""

    __slots__ = ("has_news", "is_busy", "listener", "progress", "subscription", "timer")

    def __init__(self, subscription: PushSubscription, progress: PushProgress) -> None:
        self.subscription = subscription
        self.progress = progress
        self.listener: Listener | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.has_news = True
        self.is_busy = False

    def stop_listening(self) -> None:
        """What was taken and not told is news again to the next listener."""
        if self.listener is not None:
            self.listener.end()
            self.listener = None
        self.has_news = True

    def stop(self) -> None:
        self.stop_listening()
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


class PushSender:
    def __init__(self, world: PushWorld) -> None:
        self._world = world
        self._held: dict[PushId, _Held] = {}
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._wake = asyncio.Event()
        self._is_review_due = self._is_check_due = True
        self._has_lease = False
        self._reviewed_at = Instant(0)
        self._tasks: asyncio.TaskGroup

    async def run(self) -> None:
        """Until it is cancelled."""
        bus = self._world.bus
        ends = [
            bus.watch(PUSH_TOPIC, self._review_soon),
            bus.watch(GENERATION_TOPIC, self._check_soon),
            bus.watch(APP_PASSWORD_TOPIC, self._check_soon),
        ]
        try:
            async with asyncio.TaskGroup() as self._tasks:
                await self._keep_looking()
        finally:
            for end in ends:
                end()
            await self._give_lease_back()

    async def _keep_looking(self) -> None:
        try:
            while True:
                wait_s = await self._look_carefully()
                with suppress(TimeoutError):
                    async with asyncio.timeout(wait_s):
                        await self._wake.wait()
        finally:
            self._let_go()

    def _review_soon(self) -> None:
        self._is_review_due = True
        self._wake.set()

    def _check_soon(self) -> None:
        """Somebody may have lost a login."""
        self._is_check_due = True
        self._wake.set()

    async def _look_carefully(self) -> float:
        """How long to wait afterwards."""
        self._wake.clear()
        try:
            return await self._look()
        except (DomainError, OSError) as fault:
            log.warning("push subscriptions not looked at", fault=repr(fault))
        except Exception:  # a bug met here must not leave this worker without pushes for good
            log.exception("push subscriptions not looked at")
        self._is_review_due = True
        return RENEW_S

    async def _look(self) -> float:
        world, now = self._world, self._world.clock()
        if not await world.subscriptions.has_any(now=now):
            self._let_go()
            await self._give_lease_back()
            return IDLE_S
        had_lease = self._has_lease
        self._has_lease = await world.locks.acquire(LEASE, world.owner, now=now, until=Instant(now + LEASE_MS))
        if not self._has_lease:
            self._let_go()
            return RENEW_S
        if self._is_review_due or not had_lease or not 0 <= now - self._reviewed_at < REVIEW_MS:
            self._is_review_due, self._reviewed_at = False, now
            await self._review(now)
        if self._is_check_due:
            self._is_check_due = False
            await self._check(now)
        return RENEW_S

    async def _give_lease_back(self) -> None:
        if self._has_lease:
            self._has_lease = False
            with suppress(DomainError, OSError):  # it ends by itself
                await self._world.locks.release(LEASE, self._world.owner)
                self._world.bus.publish(PUSH_TOPIC)

    def _let_go(self) -> None:
        for held in self._held.values():
            held.stop()
        self._held.clear()

    async def _review(self, now: Instant) -> None:
        subscriptions = self._world.subscriptions
        heads = {head.push_id: head for head in await subscriptions.heads(now=now)}
        for push_id in self._held.keys() - heads.keys():
            self._forget(push_id)
        for account_id in {head.account_id for head in heads.values() if self._is_another(head)}:
            for subscription, progress in await subscriptions.of_account(account_id, now=now):
                self._take(subscription, progress)

    def _is_another(self, head: PushHead) -> bool:
        held = self._held.get(head.push_id)
        return held is None or head_of(held.subscription) != head

    def _take(self, subscription: PushSubscription, progress: PushProgress) -> None:
        held = self._held.get(subscription.push_id)
        if held is None:
            held = self._held[subscription.push_id] = _Held(subscription, progress)
        elif not _is_behind(subscription.stage, held.subscription.stage):
            if held.subscription.types != subscription.types:
                held.stop_listening()
            held.subscription = subscription
        self._plan(held)

    async def _check(self, now: Instant) -> None:
        for held in [*self._held.values()]:
            await self._has_login(held, now)

    async def _has_login(self, held: _Held, now: Instant) -> bool:
        """RFC 8620 §7.2: it ends with the credentials that made it, and is destroyed then."""
        subscription = held.subscription
        world, account_id = self._world, subscription.account_id
        if await is_good(world.accounts, world.web_sessions, account_id, subscription.credential, now=now):
            return True
        await self._drop(held, "its login is good no more")
        return False

    async def _drop(self, held: _Held, why: str) -> None:
        push_id = held.subscription.push_id
        self._forget(push_id)
        log.info("push subscription dropped", push=push_id, account=held.subscription.account_id, reason=why)
        await self._world.subscriptions.drop([push_id])

    def _forget(self, push_id: PushId) -> None:
        held = self._held.pop(push_id, None)
        if held is not None:
            held.stop()

    def _is_held(self, held: _Held) -> bool:
        return self._held.get(held.subscription.push_id) is held

    def _plan(self, held: _Held) -> None:
        """What is to be done for it, now or when it may be."""
        stage = held.subscription.stage
        is_told = held.listener is not None and not held.has_news
        if held.is_busy or held.timer is not None or stage is PushStage.ASKED or is_told or not self._is_held(held):
            return
        wait_ms = held.progress.next_at - self._world.clock()
        if wait_ms > 0:
            held.timer = asyncio.get_running_loop().call_later(wait_ms / SECOND_MS, self._go_on, held)
        else:
            held.is_busy = True
            self._tasks.create_task(self._work(held))

    def _go_on(self, held: _Held) -> None:
        held.timer = None
        self._plan(held)

    def _hear(self, held: _Held) -> None:
        held.has_news = True
        self._plan(held)

    async def _work(self, held: _Held) -> None:
        try:
            async with self._turns:
                await self._work_now(held, self._world.clock())
        except (DomainError, OSError) as fault:
            log.warning("not pushed", push=held.subscription.push_id, fault=repr(fault))
            self._put_off(held, None)
        except Exception:  # a bug met with one subscription must not stop all others
            log.exception("not pushed", push=held.subscription.push_id)
            self._put_off(held, None)
        held.is_busy = False
        self._plan(held)

    async def _work_now(self, held: _Held, now: Instant) -> None:
        if held.subscription.expires_at <= now:
            self._forget(held.subscription.push_id)
        elif await self._has_login(held, now):
            await (self._ask(held) if held.subscription.stage is PushStage.NEW else self._tell(held))

    async def _ask(self, held: _Held) -> None:
        """Sends the code. What happens from here on is told once it was shown."""
        world, subscription = self._world, held.subscription
        listener = await world.feed.listen(subscription.account_id, ALL_TYPES, _hear_nothing)
        states = listener.told()
        listener.end()
        answer = await world.service().verify(subscription)
        if answer.fate is PushFate.GONE:
            await self._drop(held, answer.detail)
            return
        if answer.fate is PushFate.TAKEN:
            log.info("push code sent", push=subscription.push_id, account=subscription.account_id)
            held.progress = replace(held.progress, pushed=states, failures=0, next_at=Instant(0))
        else:
            self._put_off(held, answer)
        is_last = answer.fate is not PushFate.LATER or held.progress.failures >= MOST_CODE_TRIES
        stage = PushStage.ASKED if is_last else PushStage.NEW
        await world.subscriptions.note({subscription.push_id: (stage, held.progress)})
        if held.subscription.stage is PushStage.NEW:  # else it was shown already
            held.subscription = replace(held.subscription, stage=stage)

    async def _tell(self, held: _Held) -> None:
        world, subscription = self._world, held.subscription
        if held.listener is None:
            listener = await self._listener(held)
            if held.subscription is not subscription or not self._is_held(held):
                listener.end()
                return
            held.listener = listener
        held.has_news = False
        news, pushed = held.listener.take(), held.listener.told()
        if not news:
            return
        answer = await world.service().tell(subscription, news)
        if answer.fate is PushFate.GONE:
            await self._drop(held, answer.detail)
            return
        if answer.fate is PushFate.TAKEN:
            held.progress = after_taken(pushed, now=world.clock())
        else:
            held.stop_listening()
            self._put_off(held, answer)
        await world.subscriptions.note({subscription.push_id: (subscription.stage, held.progress)})

    async def _listener(self, held: _Held) -> Listener:
        subscription = held.subscription
        return await self._world.feed.listen(
            subscription.account_id,
            subscription.known_types,
            partial(self._hear, held),
            since=held.progress.pushed,
        )

    def _put_off(self, held: _Held, answer: PushAnswer | None) -> None:
        """answer: None where it was not asked."""
        asked_s = None if answer is None else answer.retry_after_s
        held.stop_listening()
        held.progress = after_failure(held.progress, now=self._world.clock(), retry_after_s=asked_s)
        if answer is not None:
            log.info(
                "push put off",
                push=held.subscription.push_id,
                account=held.subscription.account_id,
                host=parse_web_url(held.subscription.url).host,
                failures=held.progress.failures,
                reason=answer.detail,
            )


_ORDER = (PushStage.NEW, PushStage.ASKED, PushStage.VERIFIED)


def _is_behind(stage: PushStage, other: PushStage) -> bool:
    return _ORDER.index(stage) < _ORDER.index(other)


def _hear_nothing() -> None: ...
