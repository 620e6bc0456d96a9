"""Raw DEFLATE in both directions of one connection, in bounded steps: a bomb swells no further than what is asked for.

RFC 4978 §3, RFC 1951. Costs about 90 KB a connection: 40 for what comes, which may use the whole window of 32 KiB, and
48 for what goes, which uses a quarter of it.
"""

import zlib

READING_WINDOW = -15
WRITING_WINDOW = -13
WRITING_MEMORY = 5
LEVEL = 3
"""RFC 4978 §4: responses repeat themselves so much that more effort gains little."""


class Deflation:
    def __init__(self) -> None:
        self._inflater = zlib.decompressobj(READING_WINDOW)
        self._deflater = zlib.compressobj(LEVEL, zlib.DEFLATED, WRITING_WINDOW, WRITING_MEMORY)
        self._may_have_more = False

    @property
    def may_have_more(self) -> bool:
        """Whether inflating nothing further may still give something."""
        return self._may_have_more

    @property
    def is_ended(self) -> bool:
        """The other side closed its stream, and what follows is not of it."""
        return self._inflater.eof

    def inflate(self, data: bytes, at_most: int) -> bytes:
        """data: what has come since; b"" for more of what came before. Raises ConnectionAbortedError."""
        if self._inflater.eof:
            return b""
        waiting = self._inflater.unconsumed_tail
        try:
            inflated = self._inflater.decompress(waiting + data if waiting else data, at_most)
        except zlib.error as fault:
            raise ConnectionAbortedError("what came is not deflated") from fault
        self._may_have_more = len(inflated) == at_most or bool(self._inflater.unconsumed_tail)
        return inflated

    def deflate(self, chunks: tuple[bytes, ...]) -> bytes:
        """All of it, so that the other side can read it at once."""
        pieces = [self._deflater.compress(chunk) for chunk in chunks]
        pieces.append(self._deflater.flush(zlib.Z_SYNC_FLUSH))
        return b"".join(pieces)
