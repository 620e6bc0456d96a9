"""Values of header fields as JSON, in the form that was asked for. RFC 8621 §4.1.2, §4.1.3."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from mailstack.formats.header_forms import (
    addresses_form,
    date_form,
    groups_form,
    message_ids_form,
    raw_form,
    text_form,
    urls_form,
)
from mailstack.formats.headers import Field
from mailstack.model.header_value import EmailAddress
from mailstack.model.message import RawMessage
from mailstack.wire.jmap.dates import write_date
from mailstack.wire.jmap.mail.header_property import HeaderForm, HeaderProperty

_SHORT = 128
_MOST_KNOWN = 1_000
"""So many short fields, read, take 1 MB; where each of them is nothing but addresses of one letter, ten."""


def address_object(address: EmailAddress) -> dict[str, str | None]:
    """RFC 8621 §4.1.2.3"""
    return {"name": address.name, "email": address.email}


def header_values(fields: Sequence[Field], wanted: Iterable[HeaderProperty]) -> dict[str, Any]:
    """By the properties' names. RFC 8621 §4.1.3: of the last field of that name, None where there is none; or of all,
    in order."""
    last = {field.name: field.value for field in fields}
    found: dict[str, Any] = {}
    for each in wanted:
        write, name = _WRITERS[each.form], each.field
        if each.is_all:
            found[each.given] = [write(field.value) for field in fields if field.name == name]
        else:
            found[each.given] = write(last[name]) if name in last else None
    return found


def header_list(raw: RawMessage, fields: Sequence[Field]) -> list[dict[str, str]]:
    """RFC 8621 §4.1.3: EmailHeader objects, the names as they stand in the message."""
    return [
        {
            "name": raw[field.start : field.start + len(field.name)].decode("ascii"),
            "value": raw_form(field.value),
        }
        for field in fields
    ]


def _addresses(value: bytes) -> list[dict[str, str | None]]:
    # Parsing costs several times what all else of a list of emails does, and the same people write again and again.
    return _known_addresses(value) if len(value) <= _SHORT else _read_addresses(value)


def _read_addresses(value: bytes) -> list[dict[str, str | None]]:
    return [address_object(address) for address in addresses_form(value)]


_known_addresses = lru_cache(_MOST_KNOWN)(_read_addresses)


def _groups(value: bytes) -> list[dict[str, Any]]:
    return [
        {"name": group.name, "addresses": [address_object(address) for address in group.addresses]}
        for group in groups_form(value)
    ]


def _date(value: bytes) -> str | None:
    found = date_form(value)
    return None if found is None else write_date(*found)


_WRITERS: Mapping[HeaderForm, Callable[[bytes], Any]] = {
    HeaderForm.RAW: raw_form,
    HeaderForm.TEXT: text_form,
    HeaderForm.ADDRESSES: _addresses,
    HeaderForm.GROUPED_ADDRESSES: _groups,
    HeaderForm.MESSAGE_IDS: message_ids_form,
    HeaderForm.DATE: _date,
    HeaderForm.URLS: urls_form,
}
