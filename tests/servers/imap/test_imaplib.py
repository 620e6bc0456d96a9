"""The standard library's client, which nobody of us wrote, does what a mail program does."""

import asyncio
import imaplib
import time

from tests.servers.imap.conftest import message
from tests.support.imap_server import RunningImap


def _session(port: int) -> list[object]:
    with imaplib.IMAP4("127.0.0.1", port, timeout=10) as client:
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


def _fastest_append_s(port: int) -> float:
    """imaplib sends a message and the end of its command apart, and leaves Nagle's algorithm on."""
    taken = []
    with imaplib.IMAP4("127.0.0.1", port, timeout=10) as client:
        client.login("u0", "pw")
        for number in range(15):
            before = time.perf_counter()
            client.append("INBOX", "", "", message(number))
            taken.append(time.perf_counter() - before)
    return min(taken[5:])


async def test_no_append_waits_for_a_late_acknowledgement(server: RunningImap) -> None:
    assert await asyncio.to_thread(_fastest_append_s, server.port) < 0.035
