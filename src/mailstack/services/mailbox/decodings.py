"""BINARY of a large part, piece by piece: decoding goes on where the piece before ended. RFC 3516 §4.2.

A client that reads 50 MB in pieces of 64 KiB would otherwise have all of it decoded 800 times. Only marks are kept
(so much decoded is so much encoded), no octets.
"""

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from mailstack.formats.content import decode_transfer, decode_transfer_piece
from mailstack.formats.part_table import TransferEncoding
from mailstack.model.ids import MessageId

STEP = 128 * 1024
"""Octets read and decoded at once, and the distance of the marks."""
MAX_REST = 256
"""What is left of one step for the next. A mark with more of it would be dear to keep."""
MAX_SECTIONS = 4

_Read = Callable[[int, int], Awaitable[bytes]]
_Key = tuple[MessageId, int, int]


class Mark(NamedTuple):
    """So many octets are decoded; encoded octets up to `encoded` are read, of which `rest` waits for what follows."""

    decoded: int
    encoded: int
    rest: bytes = b""


class Decodings:
    """Of one session: the sections that it read last."""

    def __init__(self) -> None:
        self._marks: OrderedDict[_Key, list[Mark]] = OrderedDict()

    async def read(self, key: _Key, encoding: TransferEncoding, start: int, stop: int, *, octets: _Read) -> bytes:
        """Decoded octets [start, stop), fewer at the end. key: message and range of the encoded section. octets: reads
        such a range of the message."""
        marks = self._marks_of(key)
        mark = marks[bisect_right(marks, start, key=lambda mark: mark.decoded) - 1]
        pieces: list[bytes] = []
        while mark.encoded < key[2] and mark.decoded < stop:
            end = min(mark.encoded + STEP, key[2])
            data = mark.rest + await octets(mark.encoded, end)
            decoded, rest = (
                (decode_transfer(data, encoding), b"") if end == key[2] else decode_transfer_piece(data, encoding)
            )
            pieces.append(decoded[max(0, start - mark.decoded) : max(0, stop - mark.decoded)])
            mark = Mark(mark.decoded + len(decoded), end, rest)
            if mark.encoded > marks[-1].encoded and len(rest) <= MAX_REST:
                marks.append(mark)
        return b"".join(pieces)

    def _marks_of(self, key: _Key) -> list[Mark]:
        marks = self._marks.setdefault(key, [Mark(0, key[1])])
        self._marks.move_to_end(key)
        if len(self._marks) > MAX_SECTIONS:
            self._marks.popitem(last=False)
        return marks
