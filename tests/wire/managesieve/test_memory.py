"""How much a peer can make the machine hold, measured: CVE-2026-27858. Whatever comes, and however much of it, the peak
stays below the limits' sum."""

import tracemalloc
from collections.abc import Iterator
from itertools import islice, repeat

import pytest

from mailstack.wire.framing import ProtocolFault
from mailstack.wire.managesieve.limits import BEFORE_LOGIN, Limits, after_login
from mailstack.wire.managesieve.machine import ManageSieveMachine

CHUNK = 64 * 1024
SENT = 256 * 1024
SCRIPT_OCTETS = 1024 * 1024
STRANGER_PEAK = 1024 * 1024
KNOWN_PEAK = 4 * 1024 * 1024

FLOODS = {
    "a line that never ends": (b'NOOP "', b"x" * 1_000),
    "literals without end": (b"NOOP", b" {1+}\r\nx"),
    "empty literals without end": (b"NOOP", b"{0+}\r\n"),
    "large literals without end": (b"PUTSCRIPT", b" {10000+}\r\n" + b"x" * 10_000),
    "one endless literal": (b'PUTSCRIPT "a" {4294967295+}\r\n', b"x" * 1_000),
    "commands": (b"", b"NOOP\r\n"),
    "scripts": (b"", b'PUTSCRIPT "a" {1000000+}\r\n' + b"x" * 1_000_000 + b"\r\n"),
    "quoted pairs": (b"", b'NOOP "' + b"\\\\" * 6_000 + b'"\r\n'),
}


def chunks(head: bytes, again: bytes) -> Iterator[bytes]:
    yield head
    whole = again * max(1, CHUNK // len(again))
    for piece in islice(repeat(whole), max(2, SENT // len(whole))):
        yield from (piece[at : at + CHUNK] for at in range(0, len(piece), CHUNK))


def peak_of(limits: Limits, head: bytes, again: bytes) -> int:
    """Of what is held beside the input itself."""
    pieces = list(chunks(head, again))
    machine = ManageSieveMachine(limits)
    tracemalloc.start()
    try:
        for piece in pieces:
            for _ in machine.feed(piece):
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
    assert peak_of(after_login(SCRIPT_OCTETS), *flood) < KNOWN_PEAK
