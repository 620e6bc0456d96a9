"""All words of an account's index, kept beside it so that the middle of a word can be looked for.

The engine's index is asked for whole words only. So each batch that is indexed leaves a chunk with its words, sorted
and compressed; ten chunks of a level become one of the next, which drops the repetitions. A search looks through the
chunks as plain bytes: five megabytes for half a million words, two milliseconds. Words of messages that are gone
stay until the account is indexed anew; their lists are empty.
"""

import re
from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Sequence
from threading import Lock

from mailstack.model.ids import AccountId
from mailstack.model.search import Scope, Word, WordMatch
from mailstack.store.sql.compress import Codec
from mailstack.store.sql.database import Connection, Transaction

CHUNKS_A_LEVEL = 10
MAX_CHUNK_BYTES = 256 << 20
CACHE_BYTES = 32 << 20

INSERT_CHUNK = "INSERT INTO search_vocabulary (/*key*/ level, words) VALUES (/*value*/ ?, ?)"
CHUNK_NUMBERS = "SELECT chunk FROM search_vocabulary /*whole*/ ORDER BY chunk"
CHUNK = "SELECT words FROM search_vocabulary WHERE /*of*/ chunk = ?"
LEVEL = "SELECT chunk, words FROM search_vocabulary WHERE /*of*/ level = ?"
DELETE_LEVEL = "DELETE FROM search_vocabulary WHERE /*of*/ level = ?"
DELETE_ALL_BUT_LAST = """DELETE FROM search_vocabulary
    WHERE /*of*/ chunk < (SELECT MAX(chunk) FROM search_vocabulary /*whole*/)"""


def add_words(transaction: Transaction, words: Collection[str], codec: Codec) -> None:
    """words: as stored, behind their scopes' letters."""
    level = 0
    transaction.run(INSERT_CHUNK, (level, _packed(words, codec)))
    while len(rows := transaction.rows(LEVEL, (level,))) >= CHUNKS_A_LEVEL:
        merged: set[str] = set()
        for _, packed in rows:
            merged.update(_unpacked(packed, codec).decode().split("\n"))
        merged.discard("")
        # First the new one: a number is never given again as long as the highest one is there, and caches go by it.
        transaction.run(INSERT_CHUNK, (level + 1, _packed(merged, codec)))
        transaction.run(DELETE_LEVEL, (level,))
        level += 1


def forget_words(transaction: Transaction, codec: Codec) -> None:
    transaction.run(INSERT_CHUNK, (0, _packed((), codec)))
    transaction.run(DELETE_ALL_BUT_LAST)


class Vocabularies:
    """The chunks that were looked through last, of all accounts of one process, up to CACHE_BYTES."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._guard = Lock()
        self._kept: OrderedDict[tuple[AccountId, int], bytes] = OrderedDict()
        self._kept_bytes = 0

    def matching(
        self, connection: Connection, account_id: AccountId, scopes: Sequence[Scope], word: Word, *, limit: int
    ) -> tuple[list[str], bool]:
        """As stored; the shortest ones, and whether these are all."""
        if word.match is WordMatch.EXACT:
            return [scope.value + word.text for scope in scopes], True
        letters = {scope.value for scope in scopes}
        found: set[str] = set()
        for (number,) in connection.rows(CHUNK_NUMBERS):
            chunk = self._chunk(connection, account_id, number)
            found.update(one for one in _lines_with(chunk, word) if one[0] in letters)
        return sorted(found, key=len)[:limit], len(found) <= limit

    def _chunk(self, connection: Connection, account_id: AccountId, number: int) -> bytes:
        key = (account_id, number)
        with self._guard:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        row = connection.row(CHUNK, (number,))
        chunk = b"" if row is None else _unpacked(row[0], self._codec)
        with self._guard:
            if key not in self._kept:
                self._kept[key] = chunk
                self._kept_bytes += len(chunk)
            while self._kept_bytes > CACHE_BYTES and len(self._kept) > 1:
                self._kept_bytes -= len(self._kept.popitem(last=False)[1])
        return chunk


def _lines_with(chunk: bytes, word: Word) -> Iterator[str]:
    """A line is the scope's letter, a capital, which no folded word holds, and the word."""
    if word.match is WordMatch.PREFIX:
        yield from _spelt(chunk, word.spellings) if word.spellings else _prefixed(chunk, word.text.encode())
        return
    needle = word.text.encode() + (b"\n" if word.match is WordMatch.SUFFIX else b"")
    at = chunk.find(needle)
    while at >= 0:
        start = chunk.rfind(b"\n", 0, at) + 1
        end = chunk.find(b"\n", at)
        yield chunk[start:end].decode()
        at = chunk.find(needle, end)


def _prefixed(chunk: bytes, beginning: bytes) -> Iterator[str]:
    """Lines are sorted, so those of one letter that begin alike stand together."""
    for scope in Scope:
        key = scope.value.encode() + beginning
        at = _first_line(chunk, key)
        while chunk.startswith(key, at):
            end = chunk.find(b"\n", at)
            yield chunk[at:end].decode()
            at = end + 1


def _spelt(chunk: bytes, spellings: Sequence[str]) -> Iterator[str]:
    letters = ["|".join(map(re.escape, some)).encode() for some in spellings]
    pattern = b"\n([A-Z]" + b"".join(b"(?:%b)" % some for some in letters) + b"[^\n]*)"
    for found in re.finditer(pattern, chunk):
        yield found[1].decode()


def _first_line(chunk: bytes, key: bytes) -> int:
    """Where the first line begins that does not come before key."""
    low, high = 1, len(chunk)
    while low < high:
        middle = (low + high) // 2
        start, end = chunk.rfind(b"\n", 0, middle) + 1, chunk.find(b"\n", middle)
        if chunk[start:end] < key:
            low = end + 1
        else:
            high = start
    return low


def _packed(words: Iterable[str], codec: Codec) -> bytes:
    return codec.compress(("\n" + "\n".join(sorted(words)) + "\n").encode())


def _unpacked(packed: bytes, codec: Codec) -> bytes:
    return codec.decompress(packed, limit_bytes=MAX_CHUNK_BYTES)
