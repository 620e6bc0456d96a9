"""Messages that are compressed one by one. RFC 7692 §7.2."""

import zlib
from dataclasses import dataclass

WINDOW_BITS = 15
SMALLEST_WINDOW_BITS = 9
"""zlib has no raw stream with less."""
# More would cost several times the time of all else, for a tenth less.
_LEVEL = 1
# RFC 7692 §7.2.1: what a flush ends with is not sent.
_TAIL = b"\x00\x00\xff\xff"

_PADDING = (b"", b"\x00", _TAIL, b"\x00" + _TAIL)


class NotDeflated(Exception):
    """What came is no compressed message."""


class TooLong(Exception):
    """There is more in it than is taken."""


@dataclass(frozen=True, slots=True)
class Deflating:
    """window_bits: the largest in which the client finds again what was said."""

    window_bits: int = WINDOW_BITS

    def deflate(self, message: bytes) -> bytes:
        deflater = zlib.compressobj(_LEVEL, zlib.DEFLATED, -self.window_bits)
        return (deflater.compress(message) + deflater.flush(zlib.Z_SYNC_FLUSH)).removesuffix(_TAIL)


class Inflater:
    """Of one message, which may come in pieces."""

    def __init__(self) -> None:
        # A larger window than the client's does as well.
        self._inflater = zlib.decompressobj(-WINDOW_BITS)

    def inflate(self, data: bytes, *, most: int) -> bytes:
        """Raises NotDeflated, TooLong: where it would be more octets than most."""
        try:
            found = self._inflater.decompress(data, most + 1)
        except zlib.error:
            raise NotDeflated from None
        if len(found) > most:
            raise TooLong
        # RFC 7692 §7.2.3.4: a last block ends the stream, and the message with it, but for an octet of padding.
        if self._inflater.unused_data not in _PADDING:
            raise NotDeflated
        return found

    def end(self, *, most: int) -> bytes:
        """As inflate; the last octets of the message."""
        return self.inflate(_TAIL, most=most)
