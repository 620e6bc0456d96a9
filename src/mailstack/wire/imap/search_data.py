"""What SEARCH, SORT, THREAD and ESEARCH answer, in pieces: a result may name a hundred thousand messages.

RFC 9051 §7.3.4 (ESEARCH), RFC 3501 §7.2.5 (SEARCH), RFC 5256 §4 (SORT, THREAD), RFC 7162 §3.1.6 (MODSEQ).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import compress, islice
from operator import sub

import orjson

from mailstack.model.ids import ModSeq
from mailstack.model.sorting import Forest
from mailstack.wire.imap.partial import PartialRange
from mailstack.wire.imap.write import mailbox_name, quoted, utf8_mailbox_name

AT_ONCE = 8_192
"""Numbers in one piece."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EsearchData:
    """None: not asked for, or nothing to say. numbers of ALL and PARTIAL: in the order of the results; scores likewise.
    mailbox, uid_validity: RFC 7377 §2.1: both or neither.
    """

    tag: str
    is_uid: bool
    mailbox: str | None = None
    uid_validity: int = 0
    min: int | None = None
    max: int | None = None
    all: Sequence[int] | None = None
    partial: tuple[PartialRange, Sequence[int]] | None = None
    count: int | None = None
    scores: Sequence[int] | None = None
    mod_seq: ModSeq | None = None


def search_pieces(numbers: Sequence[int], mod_seq: ModSeq | None = None) -> Iterator[bytes]:
    """search-data = "SEARCH" *(SP nz-number) [SP search-sort-mod-seq]"""
    return _listed(b"* SEARCH", numbers, mod_seq)


def sort_pieces(numbers: Sequence[int], mod_seq: ModSeq | None = None) -> Iterator[bytes]:
    """sort-data = "SORT" *(SP nz-number) [SP search-sort-mod-seq]"""
    return _listed(b"* SORT", numbers, mod_seq)


def thread_pieces(forest: Forest, numbers: Sequence[int]) -> Iterator[bytes]:
    """thread-data = "THREAD" [SP 1*thread-list]. numbers: by the places that the forest speaks of."""
    yield b"* THREAD " if forest.roots else b"* THREAD"
    words: list[str] = []
    for root in forest.roots:
        _thread_list(forest, root, numbers, words)
        if len(words) > AT_ONCE:
            yield "".join(words).encode("ascii")
            words.clear()
    yield "".join(words).encode("ascii") + b"\r\n"


def esearch_pieces(data: EsearchData, *, is_utf8: bool = False) -> Iterator[bytes]:
    """esearch-response = "ESEARCH" [search-correlator] [SP "UID"] *(SP search-return-data)

    is_utf8: RFC 6855 §3, RFC 9051 §5.1: the mailbox's name is UTF-8.
    """
    yield b"* ESEARCH (" + _correlators(data, is_utf8) + (b") UID" if data.is_uid else b")")
    if data.min is not None:
        yield b" MIN %d" % data.min
    if data.max is not None:
        yield b" MAX %d" % data.max
    if data.all:
        yield b" ALL "
        yield from set_pieces(data.all)
    if data.partial is not None:
        page, numbers = data.partial
        yield b" PARTIAL (%b " % str(page).encode("ascii")
        # RFC 9394 §3.1: a page past the end of the results
        yield from set_pieces(numbers) if numbers else (b"NIL",)
        yield b")"
    if data.count is not None:
        yield b" COUNT %d" % data.count
    if data.scores is not None:
        yield b" RELEVANCY ("
        yield from _joined(data.scores, b" ")
        yield b")"
    if data.mod_seq is not None:
        yield b" MODSEQ %d" % data.mod_seq
    yield b"\r\n"


def set_pieces(numbers: Sequence[int]) -> Iterator[bytes]:
    """numbers: in any order, which is kept: only what follows its neighbour becomes a range (RFC 5267 §3.2)."""
    steps = map(sub, islice(numbers, 1, None), numbers)
    starts = [0, *compress(range(1, len(numbers)), map((1).__ne__, steps))]
    firsts = list(map(numbers.__getitem__, starts))
    lasts = [*(numbers[start - 1] for start in starts[1:]), numbers[-1]]
    for at in range(0, len(starts), AT_ONCE):
        runs = zip(firsts[at : at + AT_ONCE], lasts[at : at + AT_ONCE], strict=True)
        text = ",".join([f"{first}:{last}" if first < last else f"{first}" for first, last in runs])
        yield f",{text}".encode("ascii") if at else text.encode("ascii")


def _listed(head: bytes, numbers: Sequence[int], mod_seq: ModSeq | None) -> Iterator[bytes]:
    yield head + b" " if numbers else head
    yield from _joined(numbers, b" ")
    # RFC 7162 §3.1.6: not with an empty result
    yield b" (MODSEQ %d)\r\n" % mod_seq if numbers and mod_seq is not None else b"\r\n"


def _joined(numbers: Sequence[int], separator: bytes) -> Iterator[bytes]:
    for at in range(0, len(numbers), AT_ONCE):
        # JSON's digits are IMAP's, and nothing else writes numbers as fast.
        text = orjson.dumps(list(numbers[at : at + AT_ONCE]))[1:-1].replace(b",", separator)
        yield separator + text if at else text


def _correlators(data: EsearchData, is_utf8: bool) -> bytes:
    words = [b"TAG " + quoted(data.tag)]
    if data.mailbox is not None:
        name = utf8_mailbox_name(data.mailbox) if is_utf8 else mailbox_name(data.mailbox)
        words += [b"MAILBOX " + name, b"UIDVALIDITY %d" % data.uid_validity]
    return b" ".join(words)


def _thread_list(forest: Forest, root: int, numbers: Sequence[int], words: list[str]) -> None:
    """thread-list = "(" (thread-members / thread-nested) ")"; no recursion: a thread may be 10,000 messages deep."""
    ahead: list[int | str] = [")", root, "("]
    while ahead:
        node = ahead.pop()
        if isinstance(node, str):
            words.append(node)
            continue
        if node < len(numbers):
            words.append(_spaced(words, str(numbers[node])))
        below = forest.children.get(node, ())
        if len(below) == 1:
            ahead.append(below[0])
        elif below:
            words.append(_spaced(words, ""))
            ahead.extend(_nested(below))


def _spaced(words: Sequence[str], word: str) -> str:
    return word if words[-1] == "(" else f" {word}"


def _nested(nodes: Sequence[int]) -> Iterable[int | str]:
    for node in reversed(nodes):
        yield from (")", node, "(")
