"""`date` of a header field, and `currentdate`, taken apart. RFC 5260 §4, §5."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from mailstack.formats.dates import format_date, parse_zoned
from mailstack.model.instant import DAY_MS, MINUTE_MS, SECOND_MS, Instant
from mailstack.sieve.arguments import Arguments
from mailstack.sieve.check import Compiler
from mailstack.sieve.faults import Misplaced, RuntimeFault, nearest
from mailstack.sieve.language import Extension, Kind, Matcher, Parameter, Signature, TagSpec, TestSpec
from mailstack.sieve.run import Check, Run

_EPOCH = date(1970, 1, 1).toordinal()
# RFC 5260 §4.2: the Julian Day less 2,400,000.5 is 40587 at the epoch of Unix.
_EPOCH_MODIFIED_JULIAN = 40_587
# RFC 5260 §4.1: "+hhmm" or "-hhmm".
_ZONE = re.compile(r"([+-])([01][0-9]|2[0-3])([0-5][0-9])")


@dataclass(frozen=True)
class _Moment:
    """offset_minutes: of the zone in which it is looked at, east of UTC."""

    instant: Instant
    offset_minutes: int

    @cached_property
    def _split(self) -> tuple[int, int]:
        return divmod(self.instant + self.offset_minutes * MINUTE_MS, DAY_MS)

    @property
    def days(self) -> int:
        return self._split[0]

    @property
    def seconds(self) -> int:
        return self._split[1] // SECOND_MS

    @cached_property
    def day(self) -> date:
        return date.fromordinal(_EPOCH + self.days)

    @property
    def time(self) -> str:
        return f"{self.seconds // 3600:02}:{self.seconds // 60 % 60:02}:{self.seconds % 60:02}"

    def zone(self, between: str = "") -> str:
        hours, minutes = divmod(abs(self.offset_minutes), 60)
        return f"{'-' if self.offset_minutes < 0 else '+'}{hours:02}{between}{minutes:02}"


# RFC 5260 §4.2.
PARTS: Mapping[str, Callable[[_Moment], str]] = {
    "year": lambda at: f"{at.day.year:04}",
    "month": lambda at: f"{at.day.month:02}",
    "day": lambda at: f"{at.day.day:02}",
    "date": lambda at: at.day.isoformat(),
    "julian": lambda at: str(at.days + _EPOCH_MODIFIED_JULIAN),
    "hour": lambda at: f"{at.seconds // 3600:02}",
    "minute": lambda at: f"{at.seconds // 60 % 60:02}",
    "second": lambda at: f"{at.seconds % 60:02}",
    "time": lambda at: at.time,
    "iso8601": lambda at: f"{at.day.isoformat()}T{at.time}{at.zone(':')}",
    "std11": lambda at: format_date(at.instant, at.offset_minutes),
    "zone": lambda at: at.zone(),
    "weekday": lambda at: str(at.day.isoweekday() % 7),  # Sunday is 0
}


def _date(arguments: Arguments, compiler: Compiler) -> Check:
    name = arguments.texts("header name")
    part, zone, matcher = _shared(arguments, compiler)
    is_original = arguments.has("originalzone")
    fields = arguments.fields()

    def check(run: Run) -> bool:
        found = fields(run, name.of(run)[0])
        # RFC 5260 §4: of several fields, the first one.
        written = _written(found[0].raw) if found else None
        if written is None:
            return matcher(run, ())
        instant, offset = written
        return matcher(run, (part(run)(_Moment(instant, offset if is_original else zone(run))),))

    return check


def _current(arguments: Arguments, compiler: Compiler) -> Check:
    part, zone, matcher = _shared(arguments, compiler)
    return lambda run: matcher(run, (part(run)(_Moment(run.mail.received_at, zone(run))),))


def _written(raw: bytes) -> tuple[Instant, int] | None:
    """RFC 5260 §4: a field may have other things before its date, with a semicolon between, as Received has."""
    return parse_zoned(raw.rpartition(b";")[2])


def _shared(
    arguments: Arguments, compiler: Compiler
) -> tuple[Callable[[Run], Callable[[_Moment], str]], Callable[[Run], int], Matcher]:
    return _part(arguments), _zone_of(arguments), compiler.matcher(arguments)


def _part(arguments: Arguments) -> Callable[[Run], Callable[[_Moment], str]]:
    text = arguments.text("date part")
    if text.constant is not None:
        known = PARTS.get(text.constant.lower())
        if known is None:
            hint = nearest(text.constant, PARTS) or f"one of {', '.join(PARTS)}"
            raise Misplaced(arguments.place("date part"), f"{text.constant!r} is no part of a date", hint)
        return lambda _run: known

    def at_run(run: Run) -> Callable[[_Moment], str]:
        name = text.of(run)
        if name.lower() not in PARTS:
            raise RuntimeFault(f"{name!r} is no part of a date")
        return PARTS[name.lower()]

    return at_run


def _zone_of(arguments: Arguments) -> Callable[[Run], int]:
    if not arguments.has("zone"):
        # RFC 5260 §4.1: the zone of the server.
        return lambda run: run.mail.offset_minutes
    text = arguments.text("zone")
    if text.constant is not None and not _ZONE.fullmatch(text.constant):
        raise Misplaced(arguments.place("zone"), f"{text.constant!r} is no time zone", 'as "+0200"')

    def at_run(run: Run) -> int:
        found = _ZONE.fullmatch(text.of(run))
        if found is None:
            raise RuntimeFault(f"{text.of(run)!r} is no time zone")
        minutes = int(found[2]) * 60 + int(found[3])
        return -minutes if found[1] == "-" else minutes

    return at_run


_ZONE_TAG = TagSpec(name="zone", value=Kind.STRING, group="zone")
_PART = Parameter(name="date part", kind=Kind.STRING)
_KEYS = Parameter(name="key list", kind=Kind.STRINGS)
EXTENSION = Extension(
    name="date",
    tests=(
        TestSpec(
            name="date",
            signature=Signature(
                parameters=(Parameter(name="header name", kind=Kind.STRING), _PART, _KEYS),
                tags=(_ZONE_TAG, TagSpec(name="originalzone", group="zone")),
                compares=True,
            ),
            compile=_date,
        ),
        TestSpec(
            name="currentdate",
            signature=Signature(parameters=(_PART, _KEYS), tags=(_ZONE_TAG,), compares=True),
            compile=_current,
        ),
    ),
)
