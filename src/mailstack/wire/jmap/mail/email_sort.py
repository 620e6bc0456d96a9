"""The orders of Email/query. RFC 8621 §4.4.2."""

from collections.abc import Mapping, Sequence
from typing import Any

from mailstack.model.query import ThreadReach
from mailstack.model.sorting import EmailSortKey, KeywordKey, SortField, SortKey
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.faults import invalid_arguments
from mailstack.wire.jmap.mail.email_filter import keyword_of
from mailstack.wire.jmap.sort import collation_of, read_sort, unsupported_sort

_FIELDS: Mapping[str, SortField] = {
    "receivedAt": SortField.ARRIVAL,
    "sentAt": SortField.DATE,
    "size": SortField.SIZE,
    "subject": SortField.SUBJECT,
    # RFC 8621 §4.4.2: the name of the first address, or else its address.
    "from": SortField.DISPLAY_FROM,
    "to": SortField.DISPLAY_TO,
}
_KEYWORDS: Mapping[str, ThreadReach | None] = {
    "hasKeyword": None,
    "allInThreadHaveKeyword": ThreadReach.ALL,
    "someInThreadHaveKeyword": ThreadReach.SOME,
}
EMAIL_SORTS = (*_FIELDS, *_KEYWORDS)
"""RFC 8621 §1.3.1: emailQuerySortOptions."""


def read_email_sort(given: Sequence[Any] | None) -> Sequence[EmailSortKey]:
    """Raises MethodFault."""
    return read_sort(given, key=_key)


def _key(name: str, is_reverse: bool, arguments: Arguments) -> EmailSortKey:
    if name in _FIELDS:
        return SortKey(_FIELDS[name], is_reverse, collation_of(arguments))
    if name not in _KEYWORDS:
        raise unsupported_sort(f"emails are not sorted by {name[:100]}")
    keyword = keyword_of(arguments, "keyword")
    if keyword is None:
        raise invalid_arguments(f"{name} needs a keyword")
    return KeywordKey(keyword, _KEYWORDS[name], is_reverse)
