"""What clamd is told, and what it says: INSTREAM, PING and their replies, as clamd(8) has them."""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from mailstack.model.message import RawMessage

# With a z before it, a command ends in NUL, and so does its reply.
PING, PONG = b"zPING\0", b"PONG\0"
INSTREAM = b"zINSTREAM\0"
CHUNK_OCTETS = 1 << 16
MOST_REPLY_OCTETS = 4_096
END = b"\0"

_FOUND = re.compile(rb"stream: ([!-~]{1,200}) FOUND\0")
_CLEAN = b"stream: OK\0"


@dataclass(frozen=True, slots=True)
class Clean:
    """Nothing was found."""


@dataclass(frozen=True, slots=True)
class Infected:
    """virus: a name, printable ASCII without blanks."""

    virus: str


@dataclass(frozen=True, slots=True)
class Failed:
    """clamd could not look at it, or does not speak as clamd does. reason: printable."""

    reason: str


Reply = Clean | Infected | Failed


def instream(content: RawMessage, at_most: int) -> Iterator[bytes]:
    """In pieces, to be sent one after the other: each chunk with its length before it, and one of no length. at_most:
    octets of it, from its beginning."""
    yield INSTREAM
    end = min(len(content), at_most)
    for at in range(0, end, CHUNK_OCTETS):
        chunk = content[at : min(at + CHUNK_OCTETS, end)]
        yield struct.pack("!I", len(chunk)) + chunk
    yield struct.pack("!I", 0)


def parse_reply(reply: bytes) -> Reply:
    """reply: up to its NUL, and with it; without one it was cut off."""
    if reply == _CLEAN:
        return Clean()
    if found := _FOUND.fullmatch(reply):
        return Infected(found[1].decode("ascii"))
    if not reply.endswith(END):
        return Failed("the reply is cut off")
    text = "".join(c if " " <= c <= "~" else "?" for c in reply[:-1][:200].decode("latin-1"))
    return Failed(text or "an empty reply")
