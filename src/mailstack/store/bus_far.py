"""Wake-ups between the nodes of one installation: ports.bus over a line that comes and goes.

Whoever publishes waits for nothing: topics wait here, each once and no more of them than MAX_WAITING, until the line
takes them. What does not fit, and what others say while there is no line, is lost; app.catching_up finds it later.
The lines themselves are bus_nats and bus_notify.
"""

import asyncio
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import NoReturn, Protocol

import structlog

from mailstack.model.errors import TryAgainLater
from mailstack.store.watchers import Watchers

log = structlog.get_logger()

MAX_WAITING = 10_000
START_S = 2.0
"""How long a start waits for its first line, and an end for what was published last: neither depends on events."""
OPEN_S = 10.0
SAY_S = 10.0
"""A line that takes nothing for so long is taken for lost."""
FIRST_RETRY_S = 0.1
LONGEST_RETRY_S = 5.0
MAX_FAILURES = 16
STEADY_S = 10.0
CANCEL_AGAIN_S = 0.2
LINGER_S = 60.0
"""A mail program ends its IDLE to ask for something, and is back in a moment: its topic is listened to meanwhile."""

Hear = Callable[[str], None]


class Line(Protocol):
    """One connection, which is made anew once it is lost. Each call raises TryAgainLater when that is so."""

    @property
    def rest_s(self) -> float:
        """Between two sendings: what is published meanwhile goes together."""
        ...

    async def open(self) -> None: ...

    async def listen(self, topics: Collection[str]) -> None: ...

    async def unlisten(self, topics: Collection[str]) -> None: ...

    async def send(self, topics: Collection[str]) -> None:
        """To the other nodes that listen to them, not to this one."""
        ...

    async def until_lost(self) -> NoReturn: ...

    async def close(self) -> None:
        """Once what was sent is on its way. Raises nothing, also when it was never opened."""
        ...


class FarBus:
    """name: what the line is, for the log. make_line: given what to call for each topic that comes."""

    def __init__(self, name: str, make_line: Callable[[Hear], Line], *, linger_s: float = LINGER_S) -> None:
        self._name = name
        self._make_line = make_line
        self._linger_s = linger_s
        self._watchers = Watchers()
        self._published: set[str] = set()
        self._outgoing: set[str] = set()
        self._listening: set[str] = set()
        self._news = asyncio.Event()
        self._is_missed = False
        self._fault = ""
        self._is_open = asyncio.Event()
        self._is_sent = asyncio.Event()
        self._is_sent.set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._life: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Also when nobody answers: then the line is tried for as long as the bus lives."""
        self._loop = asyncio.get_running_loop()
        self._life = self._loop.create_task(self._live())
        with suppress(TimeoutError):
            async with asyncio.timeout(START_S):
                await self._is_open.wait()

    async def close(self) -> None:
        if self._life is None or self._life.done():
            return
        self._pass_on()
        self._loop = None
        if self._is_open.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(START_S):
                    await self._is_sent.wait()
        await _end(self._life)

    @property
    def is_open(self) -> bool:
        return self._is_open.is_set()

    @property
    def fault(self) -> str:
        """Why there is no line: what ended the last one, "" of one that is open or was not tried yet."""
        return "" if self.is_open else self._fault

    def publish(self, topic: str) -> None:
        """Topics of one turn of the loop go together, each once."""
        if self._loop is None or self._loop.is_closed() or len(self._published) >= MAX_WAITING:
            return
        if not self._published:
            self._loop.call_soon(self._pass_on)
        self._published.add(topic)

    def watch(self, topic: str, wake: Callable[[], None]) -> Callable[[], None]:
        if topic not in self._listening:
            self._news.set()
        return self._watchers.add(topic, wake)

    def _pass_on(self) -> None:
        topics, self._published = self._published, set()
        if topics:
            self._is_sent.clear()
        for topic in topics:
            self._watchers.wake(topic)
            if len(self._outgoing) < MAX_WAITING:
                self._outgoing.add(topic)
        self._news.set()

    async def _live(self) -> None:
        """One line after another, for ever."""
        loop, failures = asyncio.get_running_loop(), 0
        while True:
            began_at = loop.time()
            await self._follow(self._make_line(self._watchers.wake))
            if loop.time() - began_at > STEADY_S:
                failures = 0
            await asyncio.sleep(min(FIRST_RETRY_S * 2**failures, LONGEST_RETRY_S))
            failures = min(failures + 1, MAX_FAILURES)

    async def _follow(self, line: Line) -> None:
        """Until it is lost."""
        try:
            async with asyncio.timeout(OPEN_S):
                await line.open()
            if self._is_missed:
                log.info("events between nodes are back", by=self._name)
                self._is_missed = False
            await self._keep(line)
        except (TryAgainLater, TimeoutError) as fault:
            self._fault = str(fault) or f"{self._name} does not answer"
            if not self._is_missed:
                log.warning("no events between nodes; news come later", by=self._name, reason=self._fault)
                self._is_missed = True
        except Exception:  # a bug of a line, or of its library, must not end the events for good
            log.exception("the line of events failed", by=self._name)
        finally:
            self._is_open.clear()
            self._is_sent.set()
            self._listening.clear()
            await self._put_away(line)

    async def _put_away(self, line: Line) -> None:
        try:
            await line.close()
        except Exception:  # as above: the next line is made all the same
            log.exception("the line of events could not be closed", by=self._name)

    async def _keep(self, line: Line) -> None:
        """Raises TryAgainLater, TimeoutError when the line is lost."""
        loop = asyncio.get_running_loop()
        tasks = loop.create_task(line.until_lost()), loop.create_task(self._converse(line))
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            await _end(*tasks)

    async def _converse(self, line: Line) -> NoReturn:
        loop = asyncio.get_running_loop()
        tidy_at = loop.time() + self._linger_s
        while True:
            self._news.clear()
            async with asyncio.timeout(SAY_S):
                await self._say(line)
                if loop.time() >= tidy_at:
                    await self._unlisten(line)
                    tidy_at = loop.time() + self._linger_s
            await asyncio.sleep(line.rest_s)
            with suppress(TimeoutError):
                async with asyncio.timeout_at(tidy_at):
                    await self._news.wait()

    async def _say(self, line: Line) -> None:
        fresh = self._watchers.topics - self._listening
        if fresh:
            self._listening |= fresh
            await line.listen(fresh)
        # Only now is it open for whoever waits in `start`: what is published next finds those who listened.
        self._is_open.set()
        if self._outgoing:
            topics, self._outgoing = self._outgoing, set()
            await line.send(topics)
        if not self._outgoing:
            self._is_sent.set()

    async def _unlisten(self, line: Line) -> None:
        idle = self._listening - self._watchers.topics
        if idle:
            self._listening -= idle
            await line.unlisten(idle)


async def _end(*tasks: "asyncio.Task[None]") -> None:
    """Asks until they have ended: a line's library swallows a cancellation here and there, and its task goes on."""
    while lasting := [task for task in tasks if not task.done()]:
        for task in lasting:
            task.cancel()
        await asyncio.wait(lasting, timeout=CANCEL_AGAIN_S)
    for task in tasks:
        if not task.cancelled():
            task.exception()  # whoever waited for it has it
