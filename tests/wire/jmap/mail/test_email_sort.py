"""Every order of RFC 8621 §4.4.2, and what is said of others."""

from typing import Any

import pytest

from mailstack.model.query import ThreadReach
from mailstack.model.sorting import Collation, EmailSortKey, KeywordKey, SortField, SortKey
from mailstack.wire.jmap.faults import MethodFault, MethodFaultType
from mailstack.wire.jmap.mail.email_sort import EMAIL_SORTS, read_email_sort
from mailstack.wire.jmap.sort import MAX_COMPARATORS


@pytest.mark.parametrize(
    ("comparator", "key"),
    [
        ({"property": "receivedAt"}, SortKey(SortField.ARRIVAL)),
        ({"property": "receivedAt", "isAscending": False}, SortKey(SortField.ARRIVAL, is_reverse=True)),
        ({"property": "sentAt", "isAscending": True}, SortKey(SortField.DATE)),
        ({"property": "size", "position": 0, "anchorOffset": 0, "calculateTotal": False}, SortKey(SortField.SIZE)),
        ({"property": "size"}, SortKey(SortField.SIZE)),
        ({"property": "subject", "collation": "i;unicode-casemap"}, SortKey(SortField.SUBJECT)),
        (
            {"property": "from", "collation": "i;ascii-casemap"},
            SortKey(SortField.DISPLAY_FROM, collation=Collation.ASCII),
        ),
        ({"property": "subject", "collation": "i;octet"}, SortKey(SortField.SUBJECT, collation=Collation.OCTET)),
        ({"property": "from"}, SortKey(SortField.DISPLAY_FROM)),
        ({"property": "to"}, SortKey(SortField.DISPLAY_TO)),
        ({"property": "hasKeyword", "keyword": "$seen"}, KeywordKey("\\Seen")),
        ({"property": "allInThreadHaveKeyword", "keyword": "x"}, KeywordKey("x", ThreadReach.ALL)),
        (
            {"property": "someInThreadHaveKeyword", "keyword": "$flagged", "isAscending": False},
            KeywordKey("\\Flagged", ThreadReach.SOME, is_reverse=True),
        ),
    ],
)
def test_comparators(comparator: dict[str, Any], key: EmailSortKey) -> None:
    assert comparator["property"] in EMAIL_SORTS
    assert read_email_sort([comparator]) == [key]


def test_none_are_none() -> None:
    assert read_email_sort(None) == read_email_sort([]) == []


@pytest.mark.parametrize(
    ("comparators", "type_"),
    [
        ([{"property": "colour"}], MethodFaultType.UNSUPPORTED_SORT),
        ([{"property": "size", "collation": "i;ascii-numeric"}], MethodFaultType.UNSUPPORTED_SORT),
        ([{"property": "size"}] * (MAX_COMPARATORS + 1), MethodFaultType.UNSUPPORTED_SORT),
        ([{}], MethodFaultType.INVALID_ARGUMENTS),
        (["size"], MethodFaultType.INVALID_ARGUMENTS),
        ([{"property": "size", "keyword": "x"}], MethodFaultType.INVALID_ARGUMENTS),
        ([{"property": "size", "isAscending": "yes"}], MethodFaultType.INVALID_ARGUMENTS),
        ([{"property": "hasKeyword"}], MethodFaultType.INVALID_ARGUMENTS),
        ([{"property": "hasKeyword", "keyword": "a b"}], MethodFaultType.INVALID_ARGUMENTS),
    ],
)
def test_what_is_wrong(comparators: list[Any], type_: MethodFaultType) -> None:
    with pytest.raises(MethodFault) as caught:
        read_email_sort(comparators)
    assert caught.value.type is type_
