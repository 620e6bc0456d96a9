"""Dates of header fields: RFC 5322 date-time with its obsolete forms. Points in time are Instants; what is no date is
None. Not IMAP's date-time (wire/imap/dates), and not the choice which date counts for a message.

RFC 5322 §3.3, §4.3.
"""

import re
from datetime import date
from functools import lru_cache

from mailstack.formats.comments import without_comments
from mailstack.model.instant import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Instant

_MONTHS = (b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec")
_MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAY_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_EPOCH = date(1970, 1, 1).toordinal()
_MAX_DATE_OCTETS = 512

# RFC 5322 §4.3: names of zones, in minutes east of UTC; the military letters and all other names are to be read as
# -0000, because their meaning was once published the wrong way round.
_ZONES = {
    b"edt": -240,
    b"est": -300,
    b"cdt": -300,
    b"cst": -360,
    b"mdt": -360,
    b"mst": -420,
    b"pdt": -420,
    b"pst": -480,
}

# RFC 5322 §3.3: date-time = [ day-of-week "," ] day month year hour ":" minute [ ":" second ] zone.
# Tolerated: hyphens in the date, long names, no zone, anything behind it (a comment, mostly).
_DATE_TIME = re.compile(
    rb"[ \t]*+(?:[A-Za-z]++[,.]?[ \t]*+)?(\d{1,2})[ \t-]++([A-Za-z]{3})[A-Za-z]*+[ \t.,-]++(\d{2,4})[ \t,]++"
    rb"(\d{1,2})[ \t]*+:[ \t]*+(\d{1,2})(?:[ \t]*+:[ \t]*+(\d{1,2})(?:\.\d++)?)?(?:[ \t]*+([+-]\d{4}|[A-Za-z]++))?"
)


def parse_date(value: bytes) -> Instant | None:
    """value: of a Date field, unfolded or not."""
    found = _match(value)
    return None if found is None else _instant(found)


def parse_zoned(value: bytes) -> tuple[Instant, int] | None:
    """With the zone in which it was written, in minutes east of UTC."""
    found = _match(value)
    instant = None if found is None else _instant(found)
    return None if found is None or instant is None else (instant, _offset_ms(found[7] or b"") // MINUTE_MS)


def written_day(value: bytes) -> int | None:
    """The ordinal of the day as the sender wrote it, whatever the zone. RFC 9051 §6.4.4: SENTBEFORE and its kin."""
    found = _match(value)
    return None if found is None else _ordinal(found[1], found[2], found[3])


def format_date(instant: Instant, offset_minutes: int = 0) -> str:
    """RFC 5322 §3.3; offset_minutes: east of UTC."""
    days, within = divmod(instant + offset_minutes * MINUTE_MS, DAY_MS)
    return f"{_header_day(days)} {_time(within)} {_zone(offset_minutes)}"


def _match(value: bytes) -> re.Match[bytes] | None:
    found = _DATE_TIME.match(value)
    if found is None and len(value) <= _MAX_DATE_OCTETS:
        # RFC 5322 §4.3: comments and folds may stand between any two tokens.
        plain = b" ".join(without_comments(value).split())
        found = _DATE_TIME.match(plain.replace(b" ,", b",", 1))
    return found


def _instant(found: re.Match[bytes]) -> Instant | None:
    day, month, year, hour, minute, second, zone = found.groups()
    ordinal = _ordinal(day, month, year)
    hours, minutes, seconds = int(hour), int(minute), int(second or 0)
    # RFC 5322 §3.3: 60 is a leap second.
    if ordinal is None or hours > 23 or minutes > 59 or seconds > 60:
        return None
    local = (ordinal - _EPOCH) * DAY_MS + hours * HOUR_MS + minutes * MINUTE_MS + seconds * SECOND_MS
    return Instant(local - _offset_ms(zone or b""))


def _offset_ms(zone: bytes) -> int:
    if zone[:1] in (b"+", b"-"):
        minutes = int(zone[1:3]) * 60 + int(zone[3:])
        return (-minutes if zone[:1] == b"-" else minutes) * MINUTE_MS
    return _ZONES.get(zone.lower(), 0) * MINUTE_MS


@lru_cache(maxsize=4096)
def _ordinal(day: bytes, month: bytes, year: bytes) -> int | None:
    number = int(year)
    if len(year) == 2:
        # RFC 5322 §4.3: 00 to 49 are of this century; years of three digits count from 1900.
        number += 2000 if number < 50 else 1900
    elif len(year) == 3:
        number += 1900
    # RFC 5322 §3.3: a year is 1900 or later; the last one is left out so that no zone leads past what a date can say.
    if not 1900 <= number <= 9998:
        return None
    try:
        return date(number, _MONTHS.index(month.lower()) + 1, int(day)).toordinal()
    except ValueError:
        return None


def _time(within_ms: int) -> str:
    minutes, seconds = divmod(within_ms // SECOND_MS, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"


def _zone(offset_minutes: int) -> str:
    hours, minutes = divmod(abs(offset_minutes), 60)
    return f"{'-' if offset_minutes < 0 else '+'}{hours:02}{minutes:02}"


@lru_cache(maxsize=4096)
def _header_day(days: int) -> str:
    day = date.fromordinal(_EPOCH + days)
    return f"{_DAY_NAMES[day.weekday()]}, {day.day:02} {_MONTH_NAMES[day.month - 1]} {day.year:04}"
