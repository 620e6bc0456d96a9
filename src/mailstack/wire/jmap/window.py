"""Which part of a query's results is answered with. RFC 8620 §5.5: position, anchor, anchorOffset, limit."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.faults import MethodFault, MethodFaultType

MAX_LIMIT = 10_000
"""Ids in one answer; what a client asks for beyond that is cut, and the answer says so."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """anchor: an id. limit: None for none."""

    position: int = 0
    anchor: str | None = None
    anchor_offset: int = 0
    limit: int | None = None

    def cut(self, found: Sequence[_T], *, of: Callable[[str], _T | None]) -> tuple[int, Sequence[_T], int | None]:
        """Where it begins, what is in it, and the limit where it is not the one asked for.

        of: what an id stands for. Raises MethodFault.
        """
        start = self._start(found, of)
        limit = MAX_LIMIT if self.limit is None else min(self.limit, MAX_LIMIT)
        # RFC 8620 §5.5: limit only where the server set one of its own.
        is_ours = limit != self.limit and (self.limit is not None or len(found) > start + limit)
        return start, found[start : start + limit], limit if is_ours else None

    def answer(
        self,
        found: Sequence[_T],
        *,
        of: Callable[[str], _T | None],
        is_counted: bool,
        written: Callable[[_T], str] = str,
    ) -> dict[str, Any]:
        """What a /query says of what it found. of: as cut takes it; written: the other way round. Raises
        MethodFault."""
        start, shown, limit = self.cut(found, of=of)
        return {
            "position": start,
            "ids": [*map(written, shown)],
            **({} if limit is None else {"limit": limit}),
            **({"total": len(found)} if is_counted else {}),
        }

    def _start(self, found: Sequence[_T], of: Callable[[str], _T | None]) -> int:
        if self.anchor is not None:
            anchor = of(self.anchor)
            if anchor is None or anchor not in found:
                raise MethodFault(MethodFaultType.ANCHOR_NOT_FOUND)
            # RFC 8620 §5.5: position is ignored, and what would lie before the first is the first.
            return max(found.index(anchor) + self.anchor_offset, 0)
        # A negative position counts from the end.
        return max(self.position + len(found), 0) if self.position < 0 else self.position


def read_window(arguments: Arguments) -> Window:
    return Window(
        position=arguments.integer("position", default=0),
        anchor=arguments.optional_id("anchor"),
        anchor_offset=arguments.integer("anchorOffset", default=0),
        limit=arguments.optional_unsigned("limit"),
    )
