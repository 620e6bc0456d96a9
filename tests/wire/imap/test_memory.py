"""How much a peer can make the machine hold, measured: CVE-2025-61600, CVE-2024-34055, CVE-2026-27857,
CVE-2026-42006, GHSA-3gp8-jmrg-pq2v. Whatever comes, and however much of it, the peak stays below the limits' sum."""

import tracemalloc
from collections.abc import Iterator
from itertools import islice, repeat

import pytest

from mailstack.wire.framing import ProtocolFault
from mailstack.wire.imap.limits import BEFORE_LOGIN, Limits, after_login
from mailstack.wire.imap.machine import ImapMachine

CHUNK = 64 * 1024
SENT = 512 * 1024
STRANGER_PEAK = 512 * 1024
KNOWN_PEAK = 4 * 1024 * 1024

FLOODS = {
    "a line that never ends": (b"a NOOP ", b"x" * 1_000),
    "literals without end": (b"a LOGIN", b" {1+}\r\nx"),
    "large literals without end": (b"a LOGIN", b" {4000+}\r\n" + b"x" * 4_000),
    "one endless literal": (b"a LOGIN {18446744073709551615+}\r\n", b"x" * 1_000),
    "parentheses": (b"a SEARCH ", b"(" * 1_000),
    "parentheses over literals": (b"a ID ", b"(({1+}\r\nx"),
    "lists in lists, line by line": (b"", b"a FETCH 1 " + b"((" * 500 + b"\r\n"),
    "commands": (b"", b"a NOOP\r\n"),
    "messages": (b"a APPEND x", b" {1+}\r\nx"),
    "large messages": (b"a APPEND x", b" {60000+}\r\n" + b"x" * 60_000),
    "flags of messages": (b"a APPEND x", b" (" + b"f " * 1_000 + b"f) {1+}\r\nx"),
    "urls": (b"a APPEND x CATENATE (URL x", b" URL " + b"x" * 1_000),
    "urls over literals": (b"a APPEND x CATENATE (URL x", b" URL {1000+}\r\n" + b"x" * 1_000),
    "texts": (b"a APPEND x CATENATE (TEXT {1+}\r\nx", b" TEXT {1+}\r\nx"),
    "refused messages": (b"a APPEND (", b" {1000+}\r\n" + b"x" * 1_000),
    "sets of numbers": (b"a UID FETCH 1", b",1" * 500),
}


def chunks(head: bytes, again: bytes) -> Iterator[bytes]:
    yield head
    whole = again * max(1, CHUNK // len(again))
    yield from islice(repeat(whole), SENT // len(whole))


def peak_of(limits: Limits, head: bytes, again: bytes) -> int:
    """Of what is held beside the input itself. The octets of messages are taken away at once, as a session does."""
    machine = ImapMachine(limits)
    tracemalloc.start()
    try:
        for chunk in chunks(head, again):
            for _ in machine.feed(chunk):
                pass
        return tracemalloc.get_traced_memory()[1]
    except ProtocolFault:
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS.keys())
def test_memory_exhaustion_by_a_stranger(flood: tuple[bytes, bytes]) -> None:
    assert peak_of(BEFORE_LOGIN, *flood) < STRANGER_PEAK


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS.keys())
def test_memory_exhaustion_after_login(flood: tuple[bytes, bytes]) -> None:
    assert peak_of(after_login(), *flood) < KNOWN_PEAK
