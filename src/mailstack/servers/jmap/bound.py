"""How many octets are gone through for one call, or for all of a request."""

from mailstack.model.errors import TooLarge

MOST_HELD_OCTETS = 128 * 1024 * 1024
"""Of messages and blobs that a request's answers are made of, which are all in memory until the last is there."""


class Bound:
    """of: what is bounded, as a client knows it."""

    def __init__(self, most: int, *, of: str) -> None:
        self._most = most
        self._of = of
        self._taken = 0

    def take(self, octets: int) -> None:
        """Raises TooLarge, but for the first."""
        if octets and self._taken and self._taken + octets > self._most:
            raise TooLarge(f"one {self._of} goes through at most {self._most} octets of several")
        self._taken += octets
