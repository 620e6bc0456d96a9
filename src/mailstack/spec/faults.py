"""What is wrong with a spec, each fault with the place an editor can jump to, and all of them at once."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

Path = tuple[str | int, ...]
"""The keys and list indexes that lead to a value."""

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_SHOWN_LENGTH = 80
MOST_SHOWN = 100
"""Faults that are printed; whoever has more is told how many."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """line and column count from 1; a line of 0 means the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """path: as path_text writes it, "" where the fault lies in no value. message: what is wrong, what is allowed."""

    file: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        place = Place(self.file, self.line, self.column)
        return f"{place}: {self.path}: {self.message}" if self.path else f"{place}: {self.message}"


class SpecInvalid(Exception):
    """A spec that cannot be used; faults: sorted by file and place, no two alike; shown: the first of them."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(sorted(set(faults)))
        super().__init__(self.faults)

    @property
    def shown(self) -> tuple[Fault, ...]:
        return self.faults[:MOST_SHOWN]

    def lines(self) -> tuple[str, ...]:
        """For people and logs, one a fault."""
        more = len(self.faults) - MOST_SHOWN
        return (*map(str, self.shown), *((f"and {more:,} more",) if more > 0 else ()))

    def __str__(self) -> str:
        return "\n".join(self.lines())


def fault_at(place: Place, path: Path, message: str) -> Fault:
    return Fault(place.file, place.line, place.column, path_text(path), message)


def path_text(path: Path) -> str:
    """`server.listeners.smtp[0]`, `accounts[alice@example.com].quota`."""
    text = ""
    for part in path:
        if isinstance(part, str) and _PLAIN_KEY.fullmatch(part):
            text += f".{part}" if text else part
        else:
            text += f"[{printable(str(part))}]"
    return text


def printable(text: str) -> str:
    """Cut to a line's worth, with whatever could steer a terminal escaped."""
    cut = text if len(text) <= _SHOWN_LENGTH else text[: _SHOWN_LENGTH - 1] + "…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)
