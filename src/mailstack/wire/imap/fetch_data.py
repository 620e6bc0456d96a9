"""The data of FETCH, for whole lists of messages at once. RFC 9051 §7.5.2.

No value a message: each item is one form and the columns that fill it, so that a mailbox of 100,000 is answered by
filling one form, repeated. RFC 3516 §4.3 (BINARY), RFC 7162 §3.1.4.2 (MODSEQ), RFC 8474 §5.3, RFC 8514 §4.1.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

from mailstack.model.flags import DELETED
from mailstack.model.instant import Instant
from mailstack.wire.imap.dates import date_time_text

Octets = bytes | memoryview

FETCH = b"FETCH"
UID_FETCH = b"UIDFETCH"
"""RFC 9586 §3.3: what stands before it is the UID."""


class Told(NamedTuple):
    """One item, for many messages. form: with a % for each of the columns, as in bytes.__mod__."""

    form: bytes
    columns: tuple[Iterable[object], ...]


def fetch_lines(
    numbers: Sequence[int], told: Sequence[Told], *, word: bytes = FETCH, tails: Iterable[bytes] | None = None
) -> bytes:
    """tails: what else is told of each message; begins with a space, or is empty."""
    form = b" ".join([one.form for one in told])
    columns = [column for one in told for column in one.columns]
    if tails is not None:
        form += b"%b"
        columns.append(tails)
    line = b"* %%d %b (%b)\r\n" % (word, form)
    return line * len(numbers) % tuple(chain.from_iterable(zip(numbers, *columns, strict=True)))


@lru_cache(maxsize=4096)
def flags_text(keywords_text: str, is_deleted: bool) -> bytes:
    """keywords_text: as model.flags.keywords_text has it."""
    flags = f"{keywords_text} {DELETED}".strip() if is_deleted else keywords_text
    return flags.encode("ascii")


def flags_told(texts: Iterable[bytes]) -> Told:
    """texts: of flags_text."""
    return Told(b"FLAGS (%b)", (texts,))


def uids_told(uids: Iterable[int]) -> Told:
    return Told(b"UID %d", (uids,))


def mod_seqs_told(mod_seqs: Iterable[int]) -> Told:
    return Told(b"MODSEQ (%d)", (mod_seqs,))


def sizes_told(sizes: Iterable[int]) -> Told:
    return Told(b"RFC822.SIZE %d", (sizes,))


def dates_told(label: bytes, instants: Iterable[Instant | None]) -> Told:
    """INTERNALDATE, and SAVEDATE, which may be unknown: RFC 8514 §4.1."""
    return Told(label + b" %b", ([b"NIL" if at is None else date_time_text(at) for at in instants],))


def object_ids_told(label: bytes, ids: Iterable[str]) -> Told:
    return Told(label + b" (%b)", ([one.encode("ascii") for one in ids],))


def written_told(label: bytes, texts: Iterable[bytes]) -> Told:
    """texts: in their wire form already."""
    return Told(_escaped(label) + b" %b", (texts,))


def binary_sizes_told(label: bytes, sizes: Iterable[int]) -> Told:
    return Told(_escaped(label) + b" %d", (sizes,))


def literals_told(label: bytes, octets: Sequence[Octets | None]) -> Told:
    """RFC 9051 §4.3: what a message holds is a literal, whatever it is; §7.5.2: a part that is not there is NIL."""
    if None in octets:
        return written_told(label, [b"NIL" if one is None else _literal(one) for one in octets])
    return Told(_escaped(label) + b" {%d}\r\n%b", (map(len, octets), octets))  # type: ignore[arg-type] # None is out


def literals8_told(label: bytes, octets: Iterable[Octets | None]) -> Told:
    return written_told(label, [b"NIL" if one is None else _literal(one, is_binary=0 in one) for one in octets])


def literal_head(size_octets: int, *, is_binary: bool = False) -> bytes:
    """What comes before the octets of a literal that are sent apart. is_binary: RFC 3516 §4.3: they hold NUL."""
    return b"%b{%d}\r\n" % (b"~" if is_binary else b"", size_octets)


def _literal(octets: Octets, *, is_binary: bool = False) -> bytes:
    return b"".join((literal_head(len(octets), is_binary=is_binary), octets))


def _escaped(label: bytes) -> bytes:
    """A field name in it may hold a %."""
    return label.replace(b"%", b"%%")
