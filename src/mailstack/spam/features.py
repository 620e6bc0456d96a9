"""What a message is to the model: numbers for the words it shows, and for facts about it.

Numbers are 32 bits of CRC, which costs next to nothing in Python and is the same everywhere; names are made again for
those few that an explanation speaks of.
"""

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """text: numbers of the words that are shown, in the subject too, each once. facts: of tokens, likewise."""

    words: Sequence[bytes]
    tokens: Sequence[bytes]
    text: Sequence[int]
    facts: Sequence[int]


def features_of(raw: RawMessage, sender: Sender | None = None, *, limits: Limits = LIMITS) -> Features:
    return features_in(look_at(raw, limits=limits), sender, limits=limits)


def features_in(seen: Seen, sender: Sender | None = None, *, limits: Limits = LIMITS) -> Features:
    """Of a message that was looked at for more than this."""
    subject: list[bytes] = []
    shown: list[bytes] = []
    tokens = list(field_tokens(seen.root.fields, subject, limits))
    tokens += _content_tokens(seen, shown, limits)
    tokens += link_tokens(seen.links, limits.links)
    if sender is not None:
        tokens += _sender_tokens(sender)
    words = (subject + shown)[: limits.words]
    return Features(
        words=words,
        tokens=tokens,
        text=tuple(set(map(crc32, words))),
        facts=tuple(set(map(crc32, tokens))),
    )


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
    hidden = 0
    for text in seen.hidden:
        hidden += len(words_in(text[: limits.end], most=limits.hidden_words, octets=limits.word_octets).words)
    if hidden:
        yield b"hidden text" if hidden * 2 < len(words) else b"more hidden than shown"
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
    names = (*features.words, *features.tokens)
    named = dict(zip(map(crc32, names), names, strict=True))
    return {number: named[number].decode("utf-8", "replace") for number in wanted if number in named}
