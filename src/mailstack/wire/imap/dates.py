"""IMAP's own dates. RFC 9051 §9: date, date-time. Not those of header fields (formats.dates)."""

import re
from datetime import UTC, date, datetime, timedelta, timezone

from mailstack.model.instant import Instant, as_datetime, from_datetime
from mailstack.wire.imap.faults import SyntaxProblem
from mailstack.wire.imap.tokens import Cursor

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NUMBERS = {name.upper().encode(): at for at, name in enumerate(_MONTHS, start=1)}
# date = date-text / DQUOTE date-text DQUOTE; date-text = date-day "-" date-month "-" date-year
_DATE = re.compile(rb"(\"?)([0-9]{1,2})-([A-Za-z]{3})-([0-9]{4})\1")
# date-time = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE
_DATE_TIME = re.compile(
    rb"\"([ 0-9][0-9]|[0-9])-([A-Za-z]{3})-([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) ([+-])([0-9]{2})([0-9]{2})\""
)


def search_date(cursor: Cursor) -> int:
    """The ordinal of datetime.date."""
    found = cursor.match(_DATE)
    if found is None:
        raise SyntaxProblem("expected a date")
    try:
        return date(int(found.group(4)), _month(found.group(3)), int(found.group(2))).toordinal()
    except ValueError:
        raise SyntaxProblem("no such day") from None


def date_time(cursor: Cursor) -> Instant:
    found = cursor.match(_DATE_TIME)
    if found is None:
        raise SyntaxProblem("expected a date and time")
    day, month, year, hour, minute, second, sign, zone_hours, zone_minutes = found.groups()
    offset = timedelta(hours=int(zone_hours), minutes=int(zone_minutes))
    try:
        zone = timezone(-offset if sign == b"-" else offset)
        # RFC 9051 §9 leaves leap seconds out of the calendar; the 60th second counts as the one before.
        clock = (int(hour), int(minute), min(int(second), 59))
        moment = datetime(int(year), _month(month), int(day), *clock, tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise SyntaxProblem("no such date and time") from None
    # Dates before there were such messages come from broken clocks; they are kept as early as an Instant can be.
    return max(from_datetime(moment), Instant(0))


def date_time_text(instant: Instant) -> bytes:
    """date-time, quoted, in UTC."""
    at = as_datetime(instant).astimezone(UTC)
    return b'"%02d-%b-%04d %02d:%02d:%02d +0000"' % (
        at.day,
        _MONTHS[at.month - 1].encode(),
        at.year,
        at.hour,
        at.minute,
        at.second,
    )


def _month(name: bytes) -> int:
    number = _NUMBERS.get(name.upper())
    if number is None:
        raise SyntaxProblem("no such month")
    return number
