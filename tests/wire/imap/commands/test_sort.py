"""SORT. RFC 5256 §3, RFC 5267 §3.3, RFC 5957, RFC 6203 §6."""

import pytest

from mailstack.model.query import Contains, Everything, Fuzzy, TextField
from mailstack.model.sorting import SortField, SortKey
from mailstack.wire.imap.commands.sort import Sort
from mailstack.wire.imap.search_returns import RETURN_ALL
from tests.support.imap_events import fault_of, request_of


@pytest.mark.parametrize(
    ("criteria", "keys"),
    [
        (b"SUBJECT", (SortKey(SortField.SUBJECT),)),
        (b"SUBJECT REVERSE DATE", (SortKey(SortField.SUBJECT), SortKey(SortField.DATE, is_reverse=True))),
        (b"arrival cc", (SortKey(SortField.ARRIVAL), SortKey(SortField.CC))),
        (b"FROM TO SIZE", (SortKey(SortField.FROM), SortKey(SortField.TO), SortKey(SortField.SIZE))),
        (
            b"DISPLAYFROM REVERSE DISPLAYTO",
            (SortKey(SortField.DISPLAY_FROM), SortKey(SortField.DISPLAY_TO, is_reverse=True)),
        ),
        (b"SIZE DATE REVERSE SIZE", (SortKey(SortField.SIZE), SortKey(SortField.DATE))),
    ],
)
def test_criteria(criteria: bytes, keys: tuple[SortKey, ...]) -> None:
    assert request_of(b"SORT (" + criteria + b") UTF-8 ALL") == Sort(keys=keys, query=Everything(), wants_uids=False)
    assert request_of(b"UID SORT (" + criteria + b') "us-ascii" ALL') == Sort(
        keys=keys, query=Everything(), wants_uids=True
    )


def test_return_options() -> None:
    by_date = (SortKey(SortField.DATE, is_reverse=True),)

    assert request_of(b"UID SORT RETURN () (REVERSE DATE) UTF-8 ALL") == Sort(
        keys=by_date, query=Everything(), wants_uids=True, returns=RETURN_ALL
    )


def test_relevancy_is_for_fuzzy_searches() -> None:
    query = Fuzzy(Contains(TextField.SUBJECT, "Helo"))

    assert request_of(b'SORT (RELEVANCY) UTF-8 FUZZY SUBJECT "Helo"') == Sort(
        keys=(SortKey(SortField.RELEVANCY),), query=query, wants_uids=False
    )
    assert fault_of(b"SORT (RELEVANCY) UTF-8 ALL") == "RELEVANCY needs FUZZY"
    assert fault_of(b"SORT RETURN (RELEVANCY) (DATE) UTF-8 ALL") == "RELEVANCY needs FUZZY"


def test_a_query_in_an_unknown_charset_is_not_read() -> None:
    keys = (SortKey(SortField.DATE),)

    assert request_of(b"SORT (DATE) KOI8-R TEXT \xff") == Sort(keys=keys, query=None, wants_uids=False)


@pytest.mark.parametrize(
    "command",
    [
        b"",
        b" DATE UTF-8 ALL",
        b" () UTF-8 ALL",
        b" (DATE UTF-8 ALL",
        b" (REVERSE) UTF-8 ALL",
        b" (REVERSE REVERSE DATE) UTF-8 ALL",
        b" (COLOUR) UTF-8 ALL",
        b" (DATE) UTF-8",
        b" RETURN (ALL) UTF-8 ALL",
    ],
)
def test_malformed(command: bytes) -> None:
    assert fault_of(b"SORT" + command)
