"""The words of one message for the full-text index, by where they stand. Bounded in time and memory, never raises.

What is read is what formats.searched reads, folded in the same way: header, the text of all text parts (HTML without
its markup, attached text too), the headers of parts and of embedded messages. What is past the bounds is said to be
missing, so that a search reads the message itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from mailstack.formats.content import read_text
from mailstack.formats.envelope import envelope_of
from mailstack.formats.headers import Field
from mailstack.formats.limits import LIMITS, Limits
from mailstack.formats.mime import Part, scan
from mailstack.formats.searched import field_text, folded, header_text, mime_texts
from mailstack.formats.terms import MAX_WORD_CHARACTERS, words_of
from mailstack.formats.words import decode_words
from mailstack.model.message import RawMessage
from mailstack.model.search import Scope

MAX_TEXT_OCTETS = 1 << 20
MAX_WORDS = 20_000

_NAMED = {
    b"subject": (Scope.SUBJECT, Scope.SUBJECT_SHOWN),
    b"from": (Scope.FROM, Scope.FROM_SHOWN),
    b"to": (Scope.TO, Scope.TO_SHOWN),
    b"cc": (Scope.CC, Scope.CC_SHOWN),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedWords:
    """is_partial: the message has words that are not here."""

    words: Mapping[Scope, set[str]]
    is_partial: bool


def indexed_words(raw: RawMessage, *, limits: Limits = LIMITS) -> IndexedWords:
    root = scan(raw, limits=limits)
    gathering = _Gathering(raw, limits)
    words = _header_words(raw, root, limits)
    words[Scope.BODY], words[Scope.ATTACHMENT] = gathering.of(root)
    words[Scope.MIME] = _mime_words(root, words.values())
    is_partial = gathering.is_cut
    room = MAX_WORDS
    for scope, some in words.items():
        fitting = _fitting(some, room)
        is_partial = is_partial or len(fitting) < len(some)
        room -= len(fitting)
        words[scope] = fitting
    return IndexedWords(words=words, is_partial=is_partial)


def _mime_words(root: Part, others: Iterable[set[str]]) -> set[str]:
    """Without what stands elsewhere, for they are asked for together only."""
    words = words_of("\n".join(mime_texts(root)))
    for some in others:
        # Not all at once, which would go through the larger sets.
        words = words - some
    return words


def _fitting(words: set[str], room: int) -> set[str]:
    if max(map(len, words), default=0) > MAX_WORD_CHARACTERS:
        words = {word for word in words if len(word) <= MAX_WORD_CHARACTERS}
    return words if len(words) <= room else set(sorted(words)[:room])


def _header_words(raw: RawMessage, root: Part, limits: Limits) -> dict[Scope, set[str]]:
    """A word that a named field shows is kept with that field, and stands for the whole header too; what the header
    has beside those is under HEADER, and what is shown without standing there as it is, under *_SHOWN."""
    fields = root.fields
    written = _written_words(raw, fields)
    found: dict[Scope, set[str]] = {}
    named: set[str] = set()
    shown = _shown(fields, limits)
    for name, (scope, scope_shown) in _NAMED.items():
        words = words_of(folded(shown[name]))
        found[scope] = words & written
        found[scope_shown] = words - written
        named |= found[scope]
    found[Scope.BCC] = {
        word for field in fields if field.name == b"bcc" for word in words_of(folded(field_text(field)))
    } & written
    found[Scope.HEADER] = written - named - found[Scope.BCC]
    return found


def _written_words(raw: RawMessage, fields: Sequence[Field]) -> set[str]:
    """Of all fields, with their names."""
    block = raw[fields[0].start : fields[-1].end] if fields else b""
    is_plain = b"=?" not in block and block.isascii() and _is_gapless(fields)
    # Where nothing is encoded, folding only parts words that spaces part anyway: so it is for most mail.
    return words_of(block.decode("ascii").lower() if is_plain else header_text(fields))


def _is_gapless(fields: Sequence[Field]) -> bool:
    """Whether nothing between the fields is none."""
    return all(one.end == next_.start for one, next_ in pairwise(fields))


def _shown(fields: Sequence[Field], limits: Limits) -> dict[bytes, str]:
    """As formats.digest gives them to those who compare subjects and addresses; control characters are no words."""
    envelope = envelope_of(fields, limits=limits)
    shown = {name: envelope.shown(name) for name in (b"from", b"to", b"cc")}
    shown[b"subject"] = decode_words(envelope.values.get(b"subject", b"")[: limits.subject])
    return shown


class _Gathering:
    """The texts of the parts, up to the bounds."""

    def __init__(self, raw: RawMessage, limits: Limits) -> None:
        self._raw = raw
        self._limits = limits
        self._room = MAX_TEXT_OCTETS
        self.is_cut = False

    def of(self, root: Part) -> tuple[set[str], set[str]]:
        body: set[str] = set()
        attached: set[str] = set()
        ahead = [(root, False)]
        while ahead:
            part, is_attached = ahead.pop()
            is_attached = is_attached or part.disposition == b"attachment"
            ahead.extend((child, is_attached) for child in part.children)
            target = attached if is_attached else body
            if part.is_message:
                target |= words_of(header_text(part.children[0].fields))
            elif part.type == b"text":
                target |= words_of(folded(self._text(part)))
        return body, attached - body

    def _text(self, part: Part) -> str:
        size = min(part.octets, self._limits.searched_part)
        if size > self._room:
            self.is_cut = True
        text = read_text(self._raw, part, source_limit=min(size, self._room))
        self._room -= min(size, self._room)
        return text
