"""Properties that are header fields, `header:Name:asForm:all`, and which forms a field may be read and set in.

RFC 8621 §4.1.2, §4.1.3.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class HeaderForm(Enum):
    """value: as it stands in a property's name."""

    RAW = "asRaw"
    TEXT = "asText"
    ADDRESSES = "asAddresses"
    GROUPED_ADDRESSES = "asGroupedAddresses"
    MESSAGE_IDS = "asMessageIds"
    DATE = "asDate"
    URLS = "asURLs"


@dataclass(frozen=True, slots=True)
class HeaderProperty:
    """given: the property's name as the client spelled it. name: the field's, likewise. is_all: of each field of that
    name, instead of the last."""

    given: str
    name: str
    form: HeaderForm
    is_all: bool = False

    @property
    def field(self) -> bytes:
        """Lower-case."""
        return self.name.lower().encode("ascii")


_PREFIX = "header:"
# RFC 8621 §4.1.3: printable ASCII but the colon; the suffixes in this order.
_PROPERTY = re.compile(r"header:([!-9;-~]+)(?::(as[A-Za-z]+))?(:all)?")
_FORMS = {form.value: form for form in HeaderForm}

_ADDRESS = frozenset({HeaderForm.RAW, HeaderForm.ADDRESSES, HeaderForm.GROUPED_ADDRESSES})
_TEXT = frozenset({HeaderForm.RAW, HeaderForm.TEXT})
_IDS = frozenset({HeaderForm.RAW, HeaderForm.MESSAGE_IDS})
_DATE = frozenset({HeaderForm.RAW, HeaderForm.DATE})
_URLS = frozenset({HeaderForm.RAW, HeaderForm.URLS})
_RAW = frozenset({HeaderForm.RAW})
_ANY = frozenset(HeaderForm)

# RFC 8621 §4.1.2: all that RFC 5322 and RFC 2369 define has the forms that fit it; any other field may be read in each.
_ALLOWED: Mapping[str, frozenset[HeaderForm]] = {
    **dict.fromkeys(("from", "sender", "reply-to", "to", "cc", "bcc"), _ADDRESS),
    **dict.fromkeys(
        ("resent-from", "resent-sender", "resent-reply-to", "resent-to", "resent-cc", "resent-bcc"), _ADDRESS
    ),
    **dict.fromkeys(("subject", "comments", "keywords"), _TEXT),
    **dict.fromkeys(("message-id", "in-reply-to", "references", "resent-message-id"), _IDS),
    **dict.fromkeys(("date", "resent-date"), _DATE),
    **dict.fromkeys(
        ("list-help", "list-unsubscribe", "list-subscribe", "list-post", "list-owner", "list-archive"), _URLS
    ),
    **dict.fromkeys(("return-path", "received"), _RAW),
}

CONVENIENT: Mapping[str, HeaderProperty] = {
    given: HeaderProperty(given, name, form)
    for given, name, form in (
        ("messageId", "Message-ID", HeaderForm.MESSAGE_IDS),
        ("inReplyTo", "In-Reply-To", HeaderForm.MESSAGE_IDS),
        ("references", "References", HeaderForm.MESSAGE_IDS),
        ("sender", "Sender", HeaderForm.ADDRESSES),
        ("from", "From", HeaderForm.ADDRESSES),
        ("to", "To", HeaderForm.ADDRESSES),
        ("cc", "Cc", HeaderForm.ADDRESSES),
        ("bcc", "Bcc", HeaderForm.ADDRESSES),
        ("replyTo", "Reply-To", HeaderForm.ADDRESSES),
        ("subject", "Subject", HeaderForm.TEXT),
        ("sentAt", "Date", HeaderForm.DATE),
    )
}
"""RFC 8621 §4.1.3: the properties of an Email that stand for one form of one field."""


def is_header_property(given: str) -> bool:
    return given.startswith(_PREFIX)


def header_property(given: str) -> HeaderProperty | None:
    """None for what is no such property, and for a form that is not allowed for the field."""
    found = _PROPERTY.fullmatch(given)
    if found is None:
        return None
    form = HeaderForm.RAW if found[2] is None else _FORMS.get(found[2])
    if form is None or form not in _ALLOWED.get(found[1].lower(), _ANY):
        return None
    return HeaderProperty(given, found[1], form, found[3] is not None)
