"""Group commit: of the writes of one account, those that come while another is on its way share the next transaction.

A transaction that fails takes all of its group along, so each of them is then done again alone: the one that is at
fault is told, the others are stored. What is long is alone from the beginning.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

from mailstack.model.errors import TryAgainLater
from mailstack.store.sql.database import Result, Transaction, Work

MAX_GROUP = 32
MAX_PENDING = 4_096


class Write(Protocol):
    """Carries out one transaction."""

    def __call__(self, work: Work[Result], /, *, is_long: bool) -> Coroutine[Any, Any, Result]: ...


class _Request:
    __slots__ = ("future", "is_long", "work")

    def __init__(self, work: Work[Any], future: "asyncio.Future[Any]", *, is_long: bool) -> None:
        self.work = work
        self.future = future
        self.is_long = is_long

    def succeed(self, result: object) -> None:
        """A caller that was cancelled no longer listens; nor does it in fail."""
        if not self.future.done():
            self.future.set_result(result)

    def fail(self, fault: Exception) -> None:
        if not self.future.done():
            self.future.set_exception(fault)


class Gathering:
    """One transaction at a time. start: of a task that nobody cancels."""

    def __init__(self, write: Write, *, start: Callable[[Coroutine[Any, Any, None]], object]) -> None:
        self._write = write
        self._start = start
        self._pending: deque[_Request] = deque()
        self._is_busy = False

    async def write(self, work: Work[Result], *, is_long: bool) -> Result:
        """As Database.write. It is carried out to its end when the caller is cancelled."""
        if len(self._pending) >= MAX_PENDING:
            raise TryAgainLater("too many writes wait for one account")
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._pending.append(_Request(work, future, is_long=is_long))
        if not self._is_busy:
            self._is_busy = True
            self._start(self._settle_all())
        return await future

    async def _settle_all(self) -> None:
        try:
            while self._pending:
                await self._settle(self._next_group())
        finally:
            self._is_busy = False

    def _next_group(self) -> Sequence[_Request]:
        group = [self._pending.popleft()]
        if not group[0].is_long:
            while self._pending and not self._pending[0].is_long and len(group) < MAX_GROUP:
                group.append(self._pending.popleft())
        return group

    async def _settle(self, group: Sequence[_Request]) -> None:
        if len(group) == 1:
            await self._settle_alone(group[0])
            return

        def work(transaction: Transaction) -> list[object]:
            return [request.work(transaction) for request in group]

        try:
            results = await self._write(work, is_long=False)
        except TryAgainLater as fault:  # it was tried for long enough
            for request in group:
                request.fail(fault)
        except Exception:  # noqa: BLE001  # each meets it again alone, and it goes to its caller
            for request in group:
                await self._settle_alone(request)
        else:
            for request, result in zip(group, results, strict=True):
                request.succeed(result)

    async def _settle_alone(self, request: _Request) -> None:
        try:
            result = await self._write(request.work, is_long=request.is_long)
        except Exception as fault:  # noqa: BLE001  # it is raised where the request came from
            request.fail(fault)
        else:
            request.succeed(result)
