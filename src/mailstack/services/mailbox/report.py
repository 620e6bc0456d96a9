"""How far a use case that may take long has come: it says so now and then, and whoever hears it may end it."""

from collections.abc import Callable

Report = Callable[[int, int | None], None]
"""So much is done, of so much; None where nobody knows. What it raises ends the work between two steps."""


def unheard(_done: int, _goal: int | None) -> None:
    """Where nobody waits."""
