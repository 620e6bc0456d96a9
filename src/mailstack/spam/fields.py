"""What header fields give to learn from: words of some, the shape of others, and nothing of those that servers on the
way write, for they tell more of the receiver than of the sender.

RFC 5322 §3.6.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache

from mailstack.formats.addresses import Mailbox, parse_mailboxes
from mailstack.formats.dates import parse_date
from mailstack.formats.headers import Field, unfold
from mailstack.formats.limits import Limits as FormatLimits
from mailstack.formats.subject import is_reply_or_forward
from mailstack.formats.words import decode_words
from mailstack.spam.limits import Limits
from mailstack.spam.words import words_in

# Programs that write mail name themselves here.
_PROGRAM_FIELDS = (b"x-mailer", b"user-agent")
# Those whose being there says something of who writes. Not what lists and relays add, nor what filters say.
_TOLD_OF = (
    b"in-reply-to",
    b"references",
    b"organization",
    b"reply-to",
    b"cc",
    b"mime-version",
    b"content-type",
    b"x-priority",
    b"importance",
    b"disposition-notification-to",
)
_ONCE = (b"from", b"subject", b"date", b"to", b"message-id")
_READ = frozenset((*_PROGRAM_FIELDS, *_TOLD_OF, *_ONCE))
_MANY = ((0, b"none"), (1, b"one"), (3, b"a few"), (10, b"several"))
_FIELD_OCTETS = 2_000
_SHOUTING = re.compile(r"[A-Z]{4}")


def field_tokens(fields: Sequence[Field], subject: list[bytes], limits: Limits) -> Iterator[bytes]:
    """Of the message's own header; each a few words for people to read. subject: gets its words as they are, for they
    say the same in a text."""
    values: dict[bytes, bytes] = {}
    for field in fields:
        if field.name in _ONCE and field.name in values:
            yield b"two fields " + field.name
        # The first counts, as it does for who reads it.
        if field.name in _READ and field.name not in values:
            values[field.name] = unfold(field.value[:_FIELD_OCTETS])
    yield from (b"no field " + name for name in _ONCE if not values.get(name))
    yield from (b"has field " + name for name in _TOLD_OF if name in values)
    yield from _subject(decode_words(values.get(b"subject", b"")), values, subject, limits)
    yield from _people(values, limits)
    for name in _PROGRAM_FIELDS:
        if name in values:
            yield from _words(b"program ", decode_words(values[name]), limits.field_words, limits)
    date = values.get(b"date")
    if date is not None and parse_date(date) is None:
        yield b"a date that is none"


def _subject(text: str, values: dict[bytes, bytes], words: list[bytes], limits: Limits) -> Iterator[bytes]:
    found = words_in(text, most=limits.subject_words, octets=limits.word_octets)
    words += found.words
    for word in found.words:
        yield b"subject " + word
    for one, two in zip(found.words, found.words[1:], strict=False):
        yield b"subject " + one + b" " + two
    if found.invisible:
        yield b"invisible characters in the subject"
    if found.mixed:
        yield b"two scripts in a word of the subject"
    if len(text) > 8 and text == text.upper() != text.lower():
        yield b"subject all in capitals"
    elif _SHOUTING.search(text):
        yield b"capitals in the subject"
    yield from (b"subject has " + mark.encode() for mark in "!?$%*" if mark in text)
    if "   " in text:
        yield b"gap in the subject"
    if is_reply_or_forward(text):
        yield b"subject of a reply" if b"in-reply-to" in values or b"references" in values else b"reply to nothing"


def _people(values: dict[bytes, bytes], limits: Limits) -> Iterator[bytes]:
    senders = _mailboxes(values.get(b"from", b""), limits)
    domains = {sender.domain.lower() for sender in senders}
    for sender in senders[:2]:
        yield b"from " + sender.domain.lower()
        yield b"from ." + sender.domain.lower().rpartition(b".")[2]
        name = decode_words(sender.name)
        yield from _words(b"from name ", name, limits.field_words, limits)
        if not name:
            yield b"from without a name"
        if "@" in name:
            yield b"address as a name"
        if len(sender.local_part) - len(sender.local_part.translate(None, b"0123456789")) > 3:
            yield b"many digits in the from address"
    if len(senders) > 1:
        yield b"several from"
    for replied in _mailboxes(values.get(b"reply-to", b""), limits)[:1]:
        yield b"replies go elsewhere" if replied.domain.lower() not in domains else b"replies go to the same domain"
    to, cc = (_mailboxes(values.get(name, b""), limits) for name in (b"to", b"cc"))
    yield _how_many(len(to)) + b" in to"
    yield _how_many(len(cc)) + b" in cc"
    if any(person.local_part and not person.domain for person in to):
        yield b"to without a domain"
    if senders and to and senders[0].local_part == to[0].local_part and senders[0].domain == to[0].domain:
        yield b"to the same as from"
    at = values.get(b"message-id", b"").rpartition(b"@")[2].rstrip(b"> ").lower()
    if at:
        is_own = any(at == domain or at.endswith(b"." + domain) for domain in domains if domain)
        yield b"message id of the from domain" if is_own else b"message id of another domain"


def _mailboxes(value: bytes, limits: Limits) -> tuple[Mailbox, ...]:
    return parse_mailboxes(value, limits=_address_limits(limits.recipients)) if value else ()


@cache
def _address_limits(most: int) -> FormatLimits:
    return FormatLimits(addresses=most)


def _words(kind: bytes, text: str, most: int, limits: Limits) -> Iterator[bytes]:
    return (kind + word for word in words_in(text, most=most, octets=limits.word_octets).words)


def _how_many(count: int) -> bytes:
    return next((name for most, name in _MANY if count <= most), b"many")
