"""Who is told when states change, of their own accounts and of what others share with them. RFC 8620 §7.1.

One for each process, whatever generation serves. However many listen, each source is asked once for all accounts in
which something happened, and nobody is asked for what is known. The bus says when; as its events may be lost, all
accounts are looked at in turn now and then, and so is who shares what with whom.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from functools import partial
from itertools import islice

import structlog

from mailstack.model.errors import DomainError, TryAgainLater
from mailstack.model.ids import AccountId
from mailstack.model.states import AccountStates, States, StateType
from mailstack.ports.bus import Bus, account_topic
from mailstack.ports.sharing import Sharing
from mailstack.services.states.shown import NONE, Shown, grants_of, shown_to, types_shown
from mailstack.services.states.source import StateSource

log = structlog.get_logger()

GATHER_S = 0.01
"""What happens within it is told together."""
REST_S = 0.03
"""Between two looks: a burst is told bit by bit."""
LOOK_EVERY_S = 30.0
RETRY_S = 1.0
ACCOUNTS_AT_ONCE = 200
MOST_DUE = 500
"""Looked at without being woken, each time; the others have their turn the next time, or the one after."""


class _Watched:
    """An account that somebody listens to. states: as they were last seen, empty before that."""

    __slots__ = ("end_watch", "listeners", "states")

    def __init__(self, end_watch: Callable[[], None]) -> None:
        self.end_watch = end_watch
        self.listeners: set[Listener] = set()
        self.states: States = {}


class Listener:
    """Made by StateFeed.listen. wake: runs on the loop when there is something to take, once or more."""

    __slots__ = ("_feed", "_shown", "_told", "_types", "_wake", "viewer")

    def __init__(
        self, feed: "StateFeed", viewer: AccountId, types: Collection[StateType], wake: Callable[[], None]
    ) -> None:
        self.viewer = viewer
        self._feed = feed
        self._types = frozenset(types)
        self._wake = wake
        self._shown: dict[AccountId, frozenset[StateType]] = {}
        self._told: dict[AccountId, States] | None = None

    def take(self) -> AccountStates:
        """What is another state than was last taken, each type once, of the types that are listened for."""
        news = {account_id: found for account_id in self._shown if (found := self._news_of(account_id))}
        self._told = {account_id: self._feed.states_of(account_id) for account_id in self._shown}
        return news

    def told(self) -> AccountStates:
        """All that had been told, had it been listened for all types: what `listen` goes on from."""
        return {
            account_id: {type_: state for type_, state in states.items() if type_ in self._shown.get(account_id, NONE)}
            for account_id, states in (self._told or {}).items()
        }

    def end(self) -> None:
        self._feed.show(self, {})

    # What follows is the feed's.

    @property
    def shown(self) -> Shown:
        return self._shown

    @shown.setter
    def shown(self, shown: Shown) -> None:
        self._shown = dict(shown)

    def begin(self, told: AccountStates) -> None:
        self._told = dict(told)

    def hear(self, account_id: AccountId) -> None:
        if self._told is not None and self._news_of(account_id):
            self._wake()

    def _news_of(self, account_id: AccountId) -> States:
        types = self._types & self._shown.get(account_id, NONE)
        told = (self._told or {}).get(account_id, {})
        states = self._feed.states_of(account_id)
        return {type_: state for type_, state in states.items() if type_ in types and told.get(type_) != state}


class StateFeed:
    def __init__(self, sources: Sequence[StateSource], sharing: Sharing, bus: Bus) -> None:
        self._sources = sources
        self._sharing = sharing
        self._bus = bus
        self._watched: dict[AccountId, _Watched] = {}
        self._heard_of: set[AccountId] = set()
        self._heard = asyncio.Event()
        self._looking = asyncio.Lock()

    async def listen(
        self,
        viewer: AccountId,
        types: Collection[StateType],
        wake: Callable[[], None],
        *,
        since: AccountStates | None = None,
    ) -> Listener:
        """What happens from now on can be taken; with since, what Listener.told gave some time ago, also what has
        happened from then on. Raises DomainError."""
        listener = Listener(self, viewer, types, wake)
        try:
            self.show(listener, (await shown_to([viewer], self._sharing))[viewer])
            await self._look([account_id for account_id in listener.shown if not self.states_of(account_id)])
        except BaseException:  # a cancelled one would be told of for ever
            listener.end()
            raise
        now = {account_id: self.states_of(account_id) for account_id in listener.shown}
        listener.begin(now if since is None else since)
        return listener

    async def run(self) -> None:
        """Until it is cancelled; without, nobody hears anything."""
        loop = asyncio.get_running_loop()
        look_at = loop.time() + LOOK_EVERY_S
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(look_at):
                    await self._heard.wait()
                    await asyncio.sleep(GATHER_S)
            due: Sequence[AccountId] = ()
            if loop.time() >= look_at:
                look_at = loop.time() + LOOK_EVERY_S
                due = self._next_due()
            await asyncio.sleep(REST_S if await self._look_carefully(due) else RETRY_S)

    def states_of(self, account_id: AccountId) -> States:
        """As they were last seen, where somebody listens."""
        watched = self._watched.get(account_id)
        return {} if watched is None else watched.states

    def show(self, listener: Listener, shown: Shown) -> None:
        """What a listener is told of from now on."""
        before, listener.shown = listener.shown, shown
        for account_id in shown:
            self._watch(account_id).listeners.add(listener)
        for account_id in before.keys() - shown.keys():
            self._leave(account_id, listener)

    def _next_due(self) -> Sequence[AccountId]:
        """Those that were not looked at for longest."""
        due = [*islice(self._watched, MOST_DUE)]
        for account_id in due:
            self._watched[account_id] = self._watched.pop(account_id)
        return due

    async def _look_carefully(self, due: Sequence[AccountId]) -> bool:
        """False: it has to be done again."""
        self._heard.clear()
        heard_of, self._heard_of = self._heard_of.union(due), set()
        try:
            await self._look_at_shares(due)
            await self._look(heard_of)
        except (DomainError, OSError) as fault:
            log.warning("states cannot be looked at", fault=repr(fault))
        except Exception:  # a bug met here must not leave this process without news for good
            log.exception("looking at states failed")
        else:
            return True
        self._heard_of |= heard_of
        self._heard.set()
        return False

    async def _look_at_shares(self, viewers: Sequence[AccountId]) -> None:
        """Others may share more with them by now, or less."""
        shown_to_each = await shown_to(viewers, self._sharing) if viewers else {}
        for viewer, shown in shown_to_each.items():
            watched = self._watched.get(viewer)
            for listener in tuple(watched.listeners) if watched is not None else ():
                if listener.viewer == viewer and listener.shown != shown:
                    self._heard_of.update(shown.keys() - listener.shown.keys())
                    self._heard.set()
                    self.show(listener, shown)

    async def _look(self, account_ids: Iterable[AccountId]) -> None:
        wanted = [*account_ids]
        for at in range(0, len(wanted), ACCOUNTS_AT_ONCE):
            # One after the other: an older look must not be taken for the newer one.
            async with self._looking:
                found = await self._found(wanted[at : at + ACCOUNTS_AT_ONCE])
                for account_id, states in found.items():
                    await self._tell(account_id, states)

    async def _tell(self, account_id: AccountId, states: States) -> None:
        watched = self._watched.get(account_id)
        if watched is None:
            return
        if watched.states != states:
            watched.states = states
            await self._review(account_id, watched)
        for listener in tuple(watched.listeners):
            try:
                listener.hear(account_id)
            except Exception:  # one that fails keeps no other from hearing
                log.exception("a listener failed", account=account_id)

    async def _review(self, account_id: AccountId, watched: _Watched) -> None:
        """A change of rights is one of states too: whoever may not know of this one is not told."""
        others = [listener for listener in watched.listeners if listener.viewer != account_id]
        grants = await grants_of(account_id, self._sharing) if others else {}
        for listener in others:
            types = types_shown(grants, listener.viewer)
            if listener.shown.get(account_id, types) != types:
                rest = {known: shown for known, shown in listener.shown.items() if known != account_id}
                self.show(listener, {**rest, account_id: types} if types else rest)

    async def _found(self, account_ids: Sequence[AccountId]) -> AccountStates:
        found: dict[AccountId, dict[StateType, str]] = {}
        try:
            for source in self._sources if account_ids else ():
                for account_id, states in (await source.states(account_ids)).items():
                    found.setdefault(account_id, {}).update(states)
        except TryAgainLater:
            raise
        except DomainError as fault:
            if len(account_ids) > 1:  # one account that cannot be read keeps nobody else from being told
                return {key: value for each in account_ids for key, value in (await self._found([each])).items()}
            log.warning("states left out", account=account_ids[0], error=type(fault).__name__, detail=fault.detail)
            return {}
        return found

    def _watch(self, account_id: AccountId) -> _Watched:
        watched = self._watched.get(account_id)
        if watched is None:
            end_watch = self._bus.watch(account_topic(account_id), partial(self._hear_of, account_id))
            watched = self._watched[account_id] = _Watched(end_watch)
        return watched

    def _leave(self, account_id: AccountId, listener: Listener) -> None:
        watched = self._watched.get(account_id)
        if watched is None:
            return
        watched.listeners.discard(listener)
        if not watched.listeners:
            watched.end_watch()
            del self._watched[account_id]

    def _hear_of(self, account_id: AccountId) -> None:
        self._heard_of.add(account_id)
        self._heard.set()
