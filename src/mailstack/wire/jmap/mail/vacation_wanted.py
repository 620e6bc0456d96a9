"""The one VacationResponse of an account, as JSON: written, and as a client wants it to be. RFC 8621 §8."""

import re
from collections.abc import Mapping
from typing import Any

from mailstack.model.instant import SECOND_MS, Instant, iso
from mailstack.model.vacation import SINGLETON, Vacation
from mailstack.wire.jmap.dates import read_utc_date
from mailstack.wire.jmap.faults import invalid_property
from mailstack.wire.jmap.mail.settable import check_settable

PROPERTIES = ("id", "isEnabled", "fromDate", "toDate", "subject", "textBody", "htmlBody")
_SETTABLE = frozenset(PROPERTIES) - {"id"}
# A subject is one line; no mail holds NUL.
_NO_LINE = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]")
_NO_TEXT = re.compile(r"\x00")


def vacation_object(vacation: Vacation) -> dict[str, Any]:
    """With all PROPERTIES."""
    return {
        "id": SINGLETON,
        "isEnabled": vacation.is_enabled,
        "fromDate": None if vacation.begins_at is None else iso(vacation.begins_at),
        "toDate": None if vacation.ends_at is None else iso(vacation.ends_at),
        "subject": vacation.subject,
        "textBody": vacation.text,
        "htmlBody": vacation.html,
    }


def read_vacation(properties: Mapping[str, Any]) -> Vacation:
    """properties: all of it. Raises NotSet."""
    check_settable(properties, _SETTABLE, fixed={"id": SINGLETON})
    is_enabled = properties.get("isEnabled")
    if not isinstance(is_enabled, bool):
        raise invalid_property("isEnabled", "a Boolean")
    return Vacation(
        is_enabled=is_enabled,
        begins_at=_date(properties, "fromDate"),
        ends_at=_date(properties, "toDate"),
        subject=_text(properties, "subject", _NO_LINE),
        text=_text(properties, "textBody", _NO_TEXT),
        html=_text(properties, "htmlBody", _NO_TEXT),
    )


def _date(properties: Mapping[str, Any], name: str) -> Instant | None:
    """Without fractions of seconds: no mail is told apart by them."""
    value = properties.get(name)
    if value is None:
        return None
    found = read_utc_date(value)
    if found is None:
        raise invalid_property(name, "a UTCDate or null")
    return Instant(found - found % SECOND_MS)


def _text(properties: Mapping[str, Any], name: str, refused: re.Pattern[str]) -> str | None:
    value = properties.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise invalid_property(name, "a String or null")
    if refused.search(value):
        raise invalid_property(name, "holds control characters")
    return value
