"""THREAD. RFC 5256 §3."""

import pytest

from mailstack.model.query import Contains, Everything, TextField
from mailstack.model.sorting import ThreadAlgorithm
from mailstack.wire.imap.commands.thread import Thread
from tests.support.imap_events import fault_of, request_of


def test_thread() -> None:
    gewp = Contains(TextField.TEXT, "gewp")

    assert request_of(b'THREAD ORDEREDSUBJECT US-ASCII TEXT "gewp"') == Thread(
        algorithm=ThreadAlgorithm.ORDERED_SUBJECT, query=gewp, wants_uids=False
    )
    assert request_of(b"UID THREAD references UTF-8 ALL") == Thread(
        algorithm=ThreadAlgorithm.REFERENCES, query=Everything(), wants_uids=True
    )


def test_a_query_in_an_unknown_charset_is_not_read() -> None:
    assert request_of(b"THREAD REFERENCES KOI8-R \xff") == Thread(
        algorithm=ThreadAlgorithm.REFERENCES, query=None, wants_uids=False
    )


@pytest.mark.parametrize(
    "rest", [b"", b" REFS UTF-8 ALL", b" REFERENCES", b" REFERENCES UTF-8", b" REFERENCES UTF-8 X"]
)
def test_malformed(rest: bytes) -> None:
    assert fault_of(b"THREAD" + rest)
