"""How much mail of senders was wanted and how much was junk, for all nodes.

Who says so, a voice, is kept apart: so no voice need be believed beyond a bound. Subjects and voices are numbers of
64 bits with sign; whom they stand for, the caller knows.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from mailstack.model.reputation import Counts

SubjectVoice = tuple[int, int]


class Reputation(Protocol):
    async def find(self, subjects: Sequence[int], *, most: float) -> Mapping[int, Counts]:
        """What all voices together say of each subject of which anything is known; most: that one voice counts for, of
        ham and of spam."""
        ...

    async def add(self, said: Mapping[SubjectVoice, Counts]) -> None:
        """Durable when it returns."""
        ...

    async def forget(self, *, below: float) -> int:
        """What has faded so far; returns how many rows."""
        ...

    async def bound(self, most_rows: int) -> int:
        """Forgets what weighs least, beyond so many rows; returns how many."""
        ...
