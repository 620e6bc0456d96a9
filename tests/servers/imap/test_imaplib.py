"""The standard library's client, which nobody of us wrote, does what a mail program does."""

import asyncio
import imaplib
import time
from itertools import count

from tests.servers.imap.conftest import message
from tests.support.imap_server import RunningImap
from tests.support.over_sockets import CLIENT_S
from tests.support.sandbox import wait_for

LATE_S = 0.035
"""Linux waits for 40 ms before it acknowledges what it need not at once."""


def _session(port: int) -> list[object]:
    with imaplib.IMAP4("127.0.0.1", port, timeout=CLIENT_S) as client:
        client.login("u0", "pw")
        client.create("work")
        client.append("work", "(\\Seen)", imaplib.Time2Internaldate(1_700_000_000), message(1))
        client.select("work")
        found = client.search(None, "SEEN")
        fetched = client.fetch("1", "(UID FLAGS BODY.PEEK[])")
        client.uid("STORE", "1", "+FLAGS", "(\\Deleted)")
        expunged = client.expunge()
        client.close()
        body = fetched[1][0]
        return [found, body[1] if isinstance(body, tuple) else None, expunged]


async def test_imaplib(server: RunningImap) -> None:
    answers = await asyncio.to_thread(_session, server.port)

    assert answers == [("OK", [b"1"]), message(1), ("OK", [b"1"])]


def _append_quickly(port: int) -> None:
    """imaplib sends a message and the end of its command apart, and leaves Nagle's algorithm on."""
    with imaplib.IMAP4("127.0.0.1", port, timeout=CLIENT_S) as client:
        client.login("u0", "pw")
        numbers = count()

        def is_quick() -> bool:
            before = time.perf_counter()
            client.append("INBOX", "", "", message(next(numbers)))
            return time.perf_counter() - before < LATE_S

        for _ in range(5):  # at first Linux acknowledges at once
            is_quick()
        wait_for(is_quick, what="an append in a quiet moment of the machine")


async def test_no_append_waits_for_a_late_acknowledgement(server: RunningImap) -> None:
    await asyncio.to_thread(_append_quickly, server.port)
