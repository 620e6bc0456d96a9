"""Header fields as tests see them, read once however many rules ask. What they are of, and its edits: entity.py.

RFC 5228 §2.7.2, §5.7; RFC 2047; RFC 6532.
"""

from collections.abc import Callable, Sequence
from functools import cached_property

from mailstack.formats.addresses import Mailbox, parse_mailboxes
from mailstack.formats.headers import Field, unfold
from mailstack.formats.words import decode_words


class Occurrence:
    """One field of a header, raw as it stands there: unfolded, without white space around it (RFC 5228 §5.7). Or a
    part of one, which is the text then."""

    __slots__ = ("_addresses", "_text", "raw")

    def __init__(self, raw: bytes, text: str | None = None) -> None:
        self.raw = raw
        self._text = text
        self._addresses: tuple[Mailbox, ...] | None = None

    @property
    def text(self) -> str:
        # RFC 5228 §2.7.2: encoded words are compared by their characters.
        if self._text is None:
            self._text = decode_words(self.raw)
        return self._text

    @property
    def addresses(self) -> tuple[Mailbox, ...]:
        if self._addresses is None:
            self._addresses = parse_mailboxes(self.raw)
        return self._addresses


class Header:
    """A header section, of a message or a part of one, by names."""

    def __init__(self, fields: Sequence[Field]) -> None:
        self._fields = fields
        self._texts: dict[str, tuple[str, ...]] = {}
        self._occurrences: dict[str, tuple[Occurrence, ...]] = {}

    @cached_property
    def _by_name(self) -> dict[bytes, list[bytes]]:
        found: dict[bytes, list[bytes]] = {}
        for name, value, _, _ in self._fields:
            found.setdefault(name, []).append(value)
        return found

    def occurrences(self, name: str) -> tuple[Occurrence, ...]:
        """name: in any case."""
        known = self._occurrences.get(name)
        if known is None:
            values = self._by_name.get(_encoded(name), ())
            known = self._occurrences[name] = tuple([Occurrence(unfold(value)) for value in values])
        return known

    def texts(self, name: str) -> tuple[str, ...]:
        known = self._texts.get(name)
        if known is None:
            known = self._texts[name] = tuple([one.text for one in self.occurrences(name)])
        return known

    def has(self, name: str) -> bool:
        return _encoded(name) in self._by_name

    def __len__(self) -> int:
        return len(self._fields)


def _encoded(name: str) -> bytes:
    return name.lower().encode("utf-8", "replace")


AddressPart = Callable[[str], str | None]
"""From local@domain to the part that is compared; None where the address has no such part."""
