"""A page of results: PARTIAL of SEARCH, SORT and UID FETCH. RFC 9394 §3.1, §4, RFC 5267 §4.4.

Not the <0.100> behind a section (wire.imap.sections).
"""

import re
from dataclasses import dataclass

from mailstack.wire.imap.faults import SyntaxProblem
from mailstack.wire.imap.tokens import MAX_NUMBER, Cursor

# partial-range-first = nz-number ":" nz-number; partial-range-last = MINUS nz-number ":" MINUS nz-number
_RANGE = re.compile(rb"(-?)([1-9][0-9]{0,9}):(-?)([1-9][0-9]{0,9})")


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialRange:
    """first, last: from 1, as the client wrote them, so first may be above last. is_from_end: 1 is the last result."""

    first: int
    last: int
    is_from_end: bool

    def of(self, count: int) -> slice:
        """Where the page lies among so many results, in their own order; empty past their end."""
        low, high = sorted((self.first, self.last))
        if self.is_from_end:
            return slice(max(count - high, 0), max(count - low + 1, 0))
        return slice(low - 1, high)

    def __str__(self) -> str:
        return f"-{self.first}:-{self.last}" if self.is_from_end else f"{self.first}:{self.last}"


def partial_range(cursor: Cursor) -> PartialRange:
    found = cursor.match(_RANGE)
    if found is None or found.group(1) != found.group(3):
        raise SyntaxProblem("expected a range of results")
    first, last = int(found.group(2)), int(found.group(4))
    if max(first, last) > MAX_NUMBER:
        raise SyntaxProblem("a number is too large")
    return PartialRange(first=first, last=last, is_from_end=bool(found.group(1)))
