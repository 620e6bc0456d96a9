"""What people have done to the queue beside the server, until the server has put it into its log."""

from collections.abc import Sequence
from typing import Protocol

from mailstack.model.hand_note import HandNote


class HandNotes(Protocol):
    async def add(self, notes: Sequence[HandNote]) -> None:
        """Durable when it returns; a server that runs hears of them at once."""
        ...

    async def take(self, *, limit: int) -> Sequence[HandNote]:
        """The oldest; nobody is given them a second time."""
        ...
