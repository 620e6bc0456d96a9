"""The message of a run and its parts, as they are by now. An edit touches only what it is about: the whole is put
together when an action asks for it, however many edits there were and however large the message is.

RFC 2045 §2.4, RFC 5293 §7, RFC 5703 §5, §6.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property

from mailstack.formats.content import decode_part, read_text
from mailstack.formats.headers import Field, header_end, scan_fields
from mailstack.formats.mime import Part, scan
from mailstack.formats.octets import find
from mailstack.formats.part_table import TransferEncoding, encoding_of
from mailstack.model.message import RawMessage
from mailstack.sieve.message import Header

Place = tuple[int, int]


class Entity:
    """A message, or a part of one. raw: what its offsets are of. place: the range of the raw of the entity around it
    that this one stands for."""

    def __init__(self, raw: RawMessage, part: Part | None = None, place: Place = (0, 0)) -> None:
        """part: None for the whole of raw."""
        self.raw = raw
        self.place = place
        self._part = part
        self._head: bytes | None = None
        self._is_replaced = False
        self._decoded: str | None = None
        self._text: str | None = None

    @cached_property
    def part(self) -> Part:
        """Of the header as it came: RFC 5293 §7 lets edits of it change nothing about how a body is read."""
        return self._part or scan(self.raw)

    @cached_property
    def body_start(self) -> int:
        return header_end(self.raw) if self._part is None else self._part.body_start

    @property
    def head(self) -> bytes:
        """The header section, with the empty line that closes it."""
        if self._head is not None:
            return self._head
        return self.raw[0 if self._part is None else self._part.header_start : self.body_start]

    @cached_property
    def fields(self) -> Sequence[Field]:
        """With offsets into the head."""
        head = self.head
        return scan_fields(head, 0, len(head))

    @cached_property
    def header(self) -> Header:
        return Header(self.fields)

    @cached_property
    def children(self) -> "tuple[Entity, ...]":
        return tuple([Entity(self.raw, one, (one.header_start, one.body_end)) for one in self.part.children])

    @property
    def is_edited(self) -> bool:
        return self._is_replaced or self._head is not None or any(child.is_edited for child in self._seen)

    @property
    def size(self) -> int:
        return sum(map(len, self.pieces()))

    @property
    def is_text(self) -> bool:
        """Whether `text` can be told. application/xhtml+xml is HTML by another name."""
        part = self.part
        is_text = part.type == b"text" or (part.type == b"application" and part.subtype == b"xhtml+xml")
        return is_text and encoding_of(part.encoding) is not TransferEncoding.UNKNOWN

    def decoded(self, limit: int) -> str:
        """The body without its transfer encoding and charset; of at most `limit` octets."""
        if self._decoded is None:
            self._decoded = decode_part(self.raw, self.part, source_limit=limit)
        return self._decoded

    def text(self, limit: int) -> str:
        """As it is read: HTML without its markup."""
        if self._text is None:
            self._text = read_text(self.raw, self.part, source_limit=limit)
        return self._text

    def pieces(self) -> Iterator[bytes | memoryview]:
        """What it is made of, nothing copied but the header."""
        yield self.head
        yield from self._body_pieces()

    def written(self) -> bytes:
        return b"".join(self.pieces())

    def body(self, limit: int) -> bytes:
        """Nothing decoded; its first `limit` octets."""
        kept: list[bytes] = []
        left = limit
        for piece in self._body_pieces():
            kept.append(bytes(piece[:left]))
            left -= len(kept[-1])
            if left <= 0:
                break
        return b"".join(kept)

    def set_head(self, head: bytes) -> None:
        self._head = head
        self._forget("fields", "header")

    def replace(self, raw: bytes) -> None:
        """Another takes its place, with its header and parts."""
        self.raw = raw
        self._part = self._head = self._decoded = self._text = None
        self._is_replaced = True
        self._forget("part", "body_start", "fields", "header", "children")

    def enclose(self, entity: "Entity") -> None:
        """A message takes the place of the one inside this message/rfc822 part, which is empty."""
        (empty,) = self.children
        entity.place = empty.place
        self.children = (entity,)
        self._is_replaced = True

    def holds(self, octets: bytes) -> bool:
        return any(
            find(one.raw, octets, 0, len(one.raw)) >= 0 for one in {id(one.raw): one for one in walk(self)}.values()
        )

    def _forget(self, *names: str) -> None:
        for name in names:
            vars(self).pop(name, None)

    @property
    def _seen(self) -> "tuple[Entity, ...]":
        """Parts that nobody looked at are as they were."""
        seen: tuple[Entity, ...] = vars(self).get("children", ())
        return seen

    def _body_pieces(self) -> Iterator[bytes | memoryview]:
        raw = memoryview(self.raw)
        at = self.body_start
        for child in self._seen:
            start, end = child.place
            yield raw[at:start]
            yield from child.pieces()
            at = end
        yield raw[at : len(raw) if self._part is None else self._part.body_end]


def walk(entity: Entity) -> Iterator[Entity]:
    """It and its parts, depth first. RFC 5703 §5: of what is replaced on the way, no part is visited, new or old."""
    before = entity.children
    yield entity
    if entity.children is before:
        for child in before:
            yield from walk(child)
