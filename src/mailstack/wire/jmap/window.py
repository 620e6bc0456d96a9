"""Which part of a query's results is answered with. RFC 8620 §5.5: position, anchor, anchorOffset, limit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.faults import MethodFault, MethodFaultType

MAX_LIMIT = 10_000
"""Ids in one answer; what a client asks for beyond that is cut, and the answer says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """anchor: an id. limit: None for none."""

    position: int = 0
    anchor: str | None = None
    anchor_offset: int = 0
    limit: int | None = None

    def cut(self, ids: Sequence[str]) -> dict[str, Any]:
        """As a response tells it: position, ids, and limit where it is not the one asked for. Raises MethodFault."""
        start = self._start(ids)
        limit = MAX_LIMIT if self.limit is None else min(self.limit, MAX_LIMIT)
        # RFC 8620 §5.5: limit only where the server set one of its own.
        is_ours = limit != self.limit and (self.limit is not None or len(ids) > start + limit)
        return {"position": start, "ids": ids[start : start + limit], **({"limit": limit} if is_ours else {})}

    def _start(self, ids: Sequence[str]) -> int:
        if self.anchor is not None:
            try:
                # RFC 8620 §5.5: position is ignored, and what would lie before the first is the first.
                return max(ids.index(self.anchor) + self.anchor_offset, 0)
            except ValueError:
                raise MethodFault(MethodFaultType.ANCHOR_NOT_FOUND) from None
        # A negative position counts from the end.
        return max(self.position + len(ids), 0) if self.position < 0 else self.position


def read_window(arguments: Arguments) -> Window:
    return Window(
        position=arguments.integer("position", default=0),
        anchor=arguments.optional_id("anchor"),
        anchor_offset=arguments.integer("anchorOffset", default=0),
        limit=arguments.optional_unsigned("limit"),
    )
