"""Which octets of a resource a request asks for. RFC 9110 §14."""

import re

# RFC 9110 §14.1.1, §14.1.2: one int-range or suffix-range; several at once get the whole.
_RANGE = re.compile(
    r"bytes=[ \t]*(?:(?P<first>[0-9]{1,18})-(?P<last>[0-9]{1,18})?|-(?P<suffix>[0-9]{1,18}))[ \t]*", re.IGNORECASE
)


class Unsatisfiable(Exception):
    """RFC 9110 §15.5.17: 416."""


def range_of(field: str, size: int) -> tuple[int, int] | None:
    """Octets [start, stop) of `size`; None: all, for nothing that we read as a range is asked for. Raises
    Unsatisfiable."""
    found = _RANGE.fullmatch(field)
    if found is None:
        return None
    if found["suffix"] is not None:
        start, stop = max(0, size - int(found["suffix"])), size
    else:
        start = int(found["first"])
        last = size - 1 if found["last"] is None else int(found["last"])
        if last < start and found["last"] is not None:
            return None  # RFC 9110 §14.1.1: invalid, and so passed over
        stop = min(last + 1, size)
    if start >= stop:
        raise Unsatisfiable
    return start, stop
