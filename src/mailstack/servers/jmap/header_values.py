"""Values of header fields as JSON, in the form that was asked for. RFC 8621 §4.1.2, §4.1.3."""

from collections.abc import Callable, Mapping, Sequence
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


def address_object(address: EmailAddress) -> dict[str, str | None]:
    """RFC 8621 §4.1.2.3"""
    return {"name": address.name, "email": address.email}


def header_value(fields: Sequence[Field], wanted: HeaderProperty) -> Any:  # noqa: ANN401  # JSON of any form
    """RFC 8621 §4.1.3: of the last field of that name, None where there is none; or of all, in order."""
    write = _WRITERS[wanted.form]
    name = wanted.field
    if wanted.is_all:
        return [write(field.value) for field in fields if field.name == name]
    last = next((field.value for field in reversed(fields) if field.name == name), None)
    return None if last is None else write(last)


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
    return [address_object(address) for address in addresses_form(value)]


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
