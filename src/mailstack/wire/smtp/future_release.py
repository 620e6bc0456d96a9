"""Mail that is to wait until its time: what EHLO offers and MAIL asks. RFC 4865 §4."""

import re
from collections.abc import Mapping
from datetime import datetime

from mailstack.model.errors import Invalid
from mailstack.model.instant import SECOND_MS, Instant, from_datetime, iso

MAX_HOLD_S = 30 * 24 * 60 * 60
"""The longest that mail waits here."""
PARAMETERS = frozenset({"HOLDFOR", "HOLDUNTIL"})

# RFC 4865 §4: future-release-interval, in seconds, of 9 digits at most.
_INTERVAL = re.compile(r"[0-9]{1,9}", re.ASCII)
# RFC 3339 §5.6: date-time, as erratum 2040 has it; letters in either case.
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)", re.ASCII)


def ehlo_line(now: Instant) -> str:
    return f"FUTURERELEASE {MAX_HOLD_S} {iso(Instant(now + MAX_HOLD_S * SECOND_MS))}"


def parse_hold(parameters: Mapping[str, str | None], *, now: Instant) -> Instant | None:
    """When it is released, None where nothing is asked. parameters: by upper-case keyword. Raises Invalid."""
    asked = PARAMETERS & parameters.keys()
    if not asked:
        return None
    if len(asked) > 1:
        # RFC 4865 §4: exactly one of the two.
        raise Invalid("HOLDFOR and HOLDUNTIL exclude each other")
    until = _after(parameters["HOLDFOR"] or "", now) if "HOLDFOR" in asked else _at(parameters["HOLDUNTIL"] or "")
    if not now <= until <= now + MAX_HOLD_S * SECOND_MS:
        raise Invalid(f"mail is held for {MAX_HOLD_S} seconds at most, and not until what is past")
    return until


def _after(text: str, now: Instant) -> Instant:
    if not _INTERVAL.fullmatch(text):
        raise Invalid("HOLDFOR is a number of seconds")
    return Instant(now + int(text) * SECOND_MS)


def _at(text: str) -> Instant:
    if not _DATE_TIME.fullmatch(text.upper()):
        raise Invalid("HOLDUNTIL is a date with a time and a zone")
    try:
        return from_datetime(datetime.fromisoformat(text.upper()))
    except (ValueError, OverflowError):
        raise Invalid("HOLDUNTIL is no day that there is") from None
