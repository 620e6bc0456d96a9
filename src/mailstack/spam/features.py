"""What a message is to the model: numbers for the words it shows, alone and in pairs, and for facts about it.

Numbers are 32 bits of CRC, which costs next to nothing in Python and is the same everywhere; names are made again for
those few that an explanation speaks of.
"""

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import repeat
from zlib import crc32

from mailstack.model.message import RawMessage
from mailstack.spam.fields import field_tokens
from mailstack.spam.limits import LIMITS, Limits
from mailstack.spam.links import link_tokens
from mailstack.spam.seen import Seen, look_at
from mailstack.spam.sender import Sender
from mailstack.spam.words import words_in

VERSION = 1
"""Of what the numbers mean: with another, what was learned is worth nothing."""

# By how many words two are apart; what makes the numbers of such pairs different from each other and from words.
_PAIRS = ((1, 0x9E3779B1), (2, 0x85EBCA77))


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """text: numbers of the words and pairs that are shown, each once. facts: of tokens, likewise."""

    words: Sequence[bytes]
    tokens: Sequence[bytes]
    text: Sequence[int]
    facts: Sequence[int]


def features_of(raw: RawMessage, sender: Sender | None = None, *, limits: Limits = LIMITS) -> Features:
    return features_in(look_at(raw, limits=limits), sender, limits=limits)


def features_in(seen: Seen, sender: Sender | None = None, *, limits: Limits = LIMITS) -> Features:
    """Of a message that was looked at for more than this."""
    words: list[bytes] = []
    tokens = list(field_tokens(seen.root.fields, limits))
    tokens += _content_tokens(seen, words, limits)
    tokens += link_tokens(seen.links, limits.links)
    if sender is not None:
        tokens += _sender_tokens(sender)
    return Features(
        words=words,
        tokens=tokens,
        text=tuple(_text_numbers(words)),
        facts=tuple(set(map(crc32, tokens))),
    )


def _text_numbers(words: list[bytes]) -> set[int]:
    alone = list(map(crc32, words))
    found = set(alone)
    for apart, salt in _PAIRS:
        found.update(map(crc32, words[apart:], [number ^ salt for number in alone]))
    return found


def _content_tokens(seen: Seen, words: list[bytes], limits: Limits) -> Iterator[bytes]:
    invisible = mixed = 0
    for text in seen.texts:
        if len(text) > limits.beginning + limits.end:
            text = f"{text[: limits.beginning]} {text[-limits.end :]}"
        found = words_in(text, most=limits.words - len(words), octets=limits.word_octets)
        words += found.words
        invisible += found.invisible
        mixed += found.mixed
    yield from map(str.encode, seen.notes)
    if invisible:
        yield b"invisible characters in words" if invisible > 5 else b"an invisible character"
    if mixed:
        yield b"two scripts in words" if mixed > 3 else b"two scripts in a word"
    hidden: list[bytes] = []
    for text in seen.hidden:
        hidden += words_in(text[: limits.end], most=limits.hidden_words - len(hidden), octets=limits.word_octets).words
    if hidden:
        yield b"hidden text" if len(hidden) * 2 < len(words) else b"more hidden than shown"
        yield from map(bytes.__add__, repeat(b"hidden "), hidden)
    yield b"words: " + str(len(words).bit_length()).encode()
    yield from _structure_tokens(seen, len(words))


def _structure_tokens(seen: Seen, words: int) -> Iterator[bytes]:
    root = seen.root
    yield b"is " + root.type[:40] + b"/" + root.subtype[:40]
    if root.encoding != b"7bit":
        yield b"encoded as " + root.encoding[:20]
    charset = next((value for name, value in root.parameters if name == b"charset"), b"")
    if charset:
        yield b"charset " + charset[:20].lower()
    if seen.image_count:
        yield b"images: " + str(min(seen.image_count, 255).bit_length()).encode()
        if words < 20 * min(seen.image_count, 10):
            yield b"more images than words"
    for attachment in seen.attachments:
        yield b"attached " + attachment.media_type.encode("utf-8", "replace")
        if "." in attachment.name:
            yield b"attached ." + attachment.name.rpartition(".")[2].lower().encode("utf-8", "replace")
    if seen.attachments and words < 20:
        yield b"attached with few words"


def _sender_tokens(sender: Sender) -> Iterator[bytes]:
    for kind, value in (
        ("network", sender.network),
        ("host", ".".join(sender.host.split(".")[-2:])),
        ("helo", ".".join(sender.helo.split(".")[-2:])),
        ("verified", sender.verified_domain),
        ("return path", sender.mail_from_domain or "<>"),
        ("address", sender.iprev),
        ("spf", sender.spf),
        ("dkim", sender.dkim),
        ("dmarc", sender.dmarc),
        ("connection", "tls" if sender.is_tls else "plain"),
    ):
        if value:
            yield f"{kind} {value}".lower().encode("utf-8", "replace")


def names_of(features: Features, wanted: Set[int]) -> dict[int, str]:
    """For these numbers, what they stand for."""
    words = features.words
    names = {number: _shown(word) for number, word in zip(map(crc32, words), words, strict=True) if number in wanted}
    for apart, salt in _PAIRS:
        between = " " if apart == 1 else " … "
        for one, two in zip(words, words[apart:], strict=False):
            if (number := crc32(two, crc32(one) ^ salt)) in wanted:
                names[number] = _shown(one) + between + _shown(two)
    names.update((crc32(token), _shown(token)) for token in features.tokens if crc32(token) in wanted)
    return names


def _shown(octets: bytes) -> str:
    return octets.decode("utf-8", "replace")
