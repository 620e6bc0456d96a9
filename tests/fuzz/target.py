"""What a fuzz target is: one invariant over any bytes."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """run raises when the invariant does not hold for these bytes; seeds: inputs worth mutating."""

    name: str
    run: Callable[[bytes], None]
    seeds: tuple[bytes, ...]
