"""Lengths of time as they are typed, in the words of the spec: 30m, 12h, 7d; and moments, as they are shown."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from mailstack.model.instant import Instant

NEVER = "never"


class Length(click.ParamType["timedelta"]):
    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        from mailstack.spec.values import parse_duration

        try:
            return parse_duration(value)
        except ValueError as fault:
            self.fail(str(fault), param, ctx)


class Lifetime(click.ParamType["timedelta | None"]):
    """A length of time, or never."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta | None:
        from mailstack.spec.values import parse_duration

        if value == NEVER:
            return None
        try:
            return parse_duration(value)
        except ValueError as fault:
            self.fail(f"{fault}, or {NEVER}", param, ctx)


class Moment(click.ParamType["datetime"]):
    """A day begins in UTC, as all that is shown."""

    name = "moment"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no moment: 2027-01-31 or 2027-01-31T12:00:00Z", param, ctx)
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def end_of(now: "Instant", lifetime: timedelta | None) -> "Instant | None":
    from mailstack.model.instant import as_datetime, from_datetime

    return None if lifetime is None else from_datetime(as_datetime(now) + lifetime)
