"""Values of header fields that a client gives for an email that is to be made. RFC 8621 §4.1.2, §4.6."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from mailstack.model.errors import Invalid
from mailstack.model.header_value import (
    AddressGroup,
    EmailAddress,
    Groups,
    HeaderValue,
    MessageIds,
    RawValue,
    TextValue,
    Urls,
    ZonedDate,
)
from mailstack.wire.jmap.dates import read_date
from mailstack.wire.jmap.mail.header_property import HeaderForm, HeaderProperty

MAX_ITEMS = 10_000
"""Of one list."""
MAX_TEXT = 100_000
"""Characters, each of which may be encoded."""

T = TypeVar("T")


def header_values(given: HeaderProperty, value: object) -> Sequence[HeaderValue]:
    """One for each field that is to be written: none for null and for a list of nothing. Raises Invalid."""
    read = _READERS[given.form]
    if not given.is_all:
        return [] if value is None or value == [] else [read(value)]
    return [read(each) for each in _items(value) if each != []]


def read_addresses(value: object) -> tuple[EmailAddress, ...]:
    """Raises Invalid."""
    return _each(_address, value)


def _raw(value: object) -> RawValue:
    text = _string(value)
    # RFC 5322 §2.2 has fields without a space after the colon, which nobody else writes and not everybody reads.
    return RawValue(text if text[:1].isspace() else f" {text}")


def _text(value: object) -> TextValue:
    text = _string(value)
    if len(text) > MAX_TEXT:
        raise Invalid(f"more than {MAX_TEXT} characters")
    return TextValue(text)


def _addresses(value: object) -> Groups:
    return Groups((AddressGroup(None, read_addresses(value)),))


def _groups(value: object) -> Groups:
    return Groups(_each(_group, value))


def _message_ids(value: object) -> MessageIds:
    return MessageIds(_each(_string, value))


def _urls(value: object) -> Urls:
    return Urls(_each(_string, value))


def _date(value: object) -> ZonedDate:
    found = read_date(value)
    if found is None:
        raise Invalid("not a Date")
    return ZonedDate(*found)


def _group(value: object) -> AddressGroup:
    members = _members(value, "name", "addresses")
    return AddressGroup(_optional_string(members.get("name")), read_addresses(members.get("addresses")))


def _address(value: object) -> EmailAddress:
    members = _members(value, "name", "email")
    return EmailAddress(_optional_string(members.get("name")), _string(members.get("email")))


def _members(value: object, *names: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping) or not value.keys() <= {*names}:
        raise Invalid(f"not an object of {' and '.join(names)}")
    return value


def _each(read: Callable[[object], T], value: object) -> tuple[T, ...]:
    return tuple(map(read, _items(value)))


def _items(value: object) -> Sequence[object]:
    if not isinstance(value, list):
        raise Invalid("not an array")
    if len(value) > MAX_ITEMS:
        raise Invalid(f"more than {MAX_ITEMS}")
    return value


def _optional_string(value: object) -> str | None:
    return None if value is None else _string(value)


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise Invalid("not a String")
    return value


_READERS: Mapping[HeaderForm, Callable[[object], HeaderValue]] = {
    HeaderForm.RAW: _raw,
    HeaderForm.TEXT: _text,
    HeaderForm.ADDRESSES: _addresses,
    HeaderForm.GROUPED_ADDRESSES: _groups,
    HeaderForm.MESSAGE_IDS: _message_ids,
    HeaderForm.DATE: _date,
    HeaderForm.URLS: _urls,
}
