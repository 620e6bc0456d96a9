"""A sign of life from a command that takes long, so that no client gives up on it. RFC 9585."""

import asyncio
from contextlib import suppress

from mailstack.servers.conversation import PeerGone
from mailstack.servers.imap.session import Session
from mailstack.wire.imap.responses import Condition, Untagged


class Progress:
    """Costs one timer for each command that may take long, and a task only where one does."""

    def __init__(self, session: Session) -> None:
        self._session = session
        session.done = None
        self._task: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(session.service.limits.progress_s, self._begin)

    async def end(self) -> None:
        """From here on nothing is said."""
        self._timer.cancel()
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError, PeerGone, OSError):
                await self._task

    def _begin(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._tell())

    async def _tell(self) -> None:
        session = self._session
        while True:
            if not session.connection.is_amid_response:
                session.connection.say(Untagged(condition=Condition.OK, code=_code(session), text="Still at it"))
                await session.connection.flush()
            await asyncio.sleep(session.service.limits.progress_s)


def _code(session: Session) -> str:
    """RFC 9585 §4: which command it is, and how far it has come, of how much, as far as that is known."""
    tag = "NIL" if "]" in session.tag else f'"{session.tag}"'
    done, goal = session.done or (None, None)
    return f"INPROGRESS ({tag} {_number(done)} {_number(goal)})"


def _number(number: int | None) -> str:
    return "NIL" if number is None else str(number)
