"""SEARCH and UID SEARCH: what is asked about and what is to be returned. RFC 9051 §6.4.4."""

import pytest

from mailstack.model.numset import NumSet
from mailstack.model.query import Contains, Everything, Fuzzy, InSequence, TextField
from mailstack.wire.imap.commands.search import Search
from mailstack.wire.imap.partial import PartialRange
from mailstack.wire.imap.search_returns import ReturnItem, Returns
from tests.support.imap_events import fault_of, request_of

MIN, MAX, ALL, COUNT = ReturnItem.MIN, ReturnItem.MAX, ReturnItem.ALL, ReturnItem.COUNT


def test_uid_search_differs_in_the_answer_only() -> None:
    query = InSequence(NumSet(((1, 5000),)))

    assert request_of(b"SEARCH 1:5000") == Search(query=query, wants_uids=False)
    assert request_of(b"UID SEARCH 1:5000") == Search(query=query, wants_uids=True)


@pytest.mark.parametrize(
    ("words", "returns"),
    [
        (b"", Returns(items=frozenset({ALL}))),  # RFC 9051 §6.4.4: the same as (ALL)
        (b"MIN COUNT", Returns(items=frozenset({MIN, COUNT}))),
        (b"max min", Returns(items=frozenset({MIN, MAX}))),
        (b"ALL ALL", Returns(items=frozenset({ALL}))),
        (b"SAVE", Returns(items=frozenset(), saves=True)),
        (b"MAX SAVE MIN", Returns(items=frozenset({MIN, MAX}), saves=True)),
        # RFC 9394 §3.1
        (b"PARTIAL -1:-100", Returns(items=frozenset(), partial=PartialRange(first=1, last=100, is_from_end=True))),
        (
            b"COUNT PARTIAL 500:400 SAVE",
            Returns(items=frozenset({COUNT}), partial=PartialRange(first=500, last=400, is_from_end=False), saves=True),
        ),
    ],
)
def test_what_is_to_be_returned(words: bytes, returns: Returns) -> None:
    expected = Search(query=Everything(), wants_uids=False, returns=returns)

    assert request_of(b"SEARCH RETURN (" + words + b") ALL") == expected


def test_only_save_alone_is_silent() -> None:
    silent = request_of(b"SEARCH RETURN (SAVE) ALL")
    spoken = request_of(b"SEARCH RETURN (SAVE COUNT) ALL")

    assert isinstance(silent, Search)
    assert isinstance(spoken, Search)
    assert silent.returns is not None
    assert silent.returns.is_silent
    assert spoken.returns is not None
    assert not spoken.returns.is_silent


@pytest.mark.parametrize(
    "command",
    [
        b"RETURN",
        b"RETURN ALL",
        b"RETURN (ALL",
        b"RETURN (ALL)",
        b"RETURN (ALL)ALL",
        b"RETURN ( ALL) ALL",
        b"RETURN (UPDATE) ALL",  # RFC 9051 §6.4.4: what is not known is answered BAD
        b"RETURN (CONTEXT) ALL",
        b"RETURN (ALL PARTIAL 1:5) ALL",  # RFC 9394 §3.1
        b"RETURN (PARTIAL 1:5 PARTIAL 1:5) ALL",
        b"RETURN (PARTIAL 1:-5) ALL",
        b"RETURN (PARTIAL 0:5) ALL",
        b"RETURN (PARTIAL 1:*) ALL",
        b"RETURN (PARTIAL 1:4294967296) ALL",
        b"RETURN (PARTIAL) ALL",
        b"CHARSET UTF-8 RETURN (ALL) ALL",
    ],
)
def test_malformed_returns(command: bytes) -> None:
    assert fault_of(b"SEARCH " + command)


def test_relevancy_is_for_fuzzy_searches() -> None:
    # RFC 6203 §4
    assert fault_of(b"SEARCH RETURN (RELEVANCY ALL) TEXT Helo") == "RELEVANCY needs FUZZY"
    assert request_of(b'SEARCH RETURN (RELEVANCY ALL) FUZZY TEXT "Helo"') == Search(
        query=Fuzzy(Contains(TextField.TEXT, "Helo")),
        wants_uids=False,
        returns=Returns(items=frozenset({ALL, ReturnItem.RELEVANCY})),
    )


@pytest.mark.parametrize("name", [b"KOI8-R", b'"iso-8859-1"'])
def test_a_query_in_an_unknown_charset_is_not_read(name: bytes) -> None:
    assert request_of(b"SEARCH CHARSET " + name + b" SUBJECT \xff") == Search(query=None, wants_uids=False)


def test_what_uses_message_numbers() -> None:
    # RFC 9586 §3
    commands = (b"SEARCH ALL", b"UID SEARCH ALL", b"UID SEARCH OR ALL NOT 1:5", b"UID SEARCH $", b"UID SEARCH UID 1")
    requests = [request_of(command) for command in commands]

    assert [getattr(request, "uses_numbers", None) for request in requests] == [True, False, True, False, False]
