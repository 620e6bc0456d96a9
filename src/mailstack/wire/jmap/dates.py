"""Dates in JSON. RFC 8620 §1.4, RFC 3339 §5.6."""

import re
from datetime import datetime, timedelta, timezone

from mailstack.model.instant import Instant, as_datetime, from_datetime, iso

# RFC 8620 §1.4: letters in upper case, fractions of seconds only where they are not zero.
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)
_DAY_MINUTES = 24 * 60


def read_date(value: object) -> tuple[Instant, int] | None:
    """A Date: with its zone, in minutes east of UTC. None for what is none."""
    found = _DATE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return None
    try:
        moment = datetime.fromisoformat(found[0])
        offset = moment.utcoffset() or timedelta()
        return from_datetime(moment), offset // timedelta(minutes=1)
    except (ValueError, OverflowError):
        return None


def read_utc_date(value: object) -> Instant | None:
    """A UTCDate; None for what is none."""
    is_utc = isinstance(value, str) and value.endswith("Z")
    found = read_date(value) if is_utc else None
    return None if found is None else found[0]


def write_date(instant: Instant, offset_minutes: int) -> str:
    """offset_minutes: east of UTC; one that RFC 3339 cannot write becomes UTC."""
    if not offset_minutes or abs(offset_minutes) >= _DAY_MINUTES:
        return iso(instant)
    zone = timezone(timedelta(minutes=offset_minutes))
    return as_datetime(instant).astimezone(zone).isoformat(timespec="seconds")
