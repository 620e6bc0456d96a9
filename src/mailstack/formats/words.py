"""Encoded words of header fields and the parameter values of RFC 2231, to text and back. Never raises.

Not the fields' own grammar (addresses, mediatype). RFC 2047 §2-§6, RFC 2231 §3-§4, RFC 6532 §3.
"""

import binascii
import re
from collections.abc import Sequence
from urllib.parse import unquote_to_bytes

from mailstack.formats.charsets import decode, guess, knows

# RFC 2047 §2: encoded-word = "=?" charset "?" encoding "?" encoded-text "?="; RFC 2231 §5 puts "*" language behind the
# charset. White space in the text is not allowed, and common.
_WORD = re.compile(rb"=\?([^?*\s]++)(?:\*[^?\s]*+)?\?([bBqQ])\?([^?\r\n]*+)\?=")
# RFC 2047 §2: encoded-text = 1*<any printable ASCII character other than "?" or SPACE>
_PLACED = rb"=\?[^?*\s]++(?:\*[^?\s]*+)?\?[bBqQ]\?[!->@-~]++\?="
_PLACED_WORDS = re.compile(rb"(?<!\S)%b(?:[ \t]++%b)*+(?!\S)" % (_PLACED, _PLACED))
_NOT_BASE64 = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"))
# RFC 2047 §2: at most 75 characters a word; 42 octets make 56 of base64, and "=?utf-8?b?" and "?=" another 12.
_OCTETS_PER_WORD = 42
# RFC 5322 §2.1.1: a line holds 998 octets, and is folded at spaces only.
_LONG_WORD = re.compile(r"\S{900}")


def decode_words(value: bytes) -> str:
    """The text of an unstructured field or a phrase; value: unfolded."""
    if b"=?" not in value:
        return guess(value)
    pieces: list[str] = []
    pending = bytearray()
    pending_charset = b""
    at = 0
    for word in _WORD.finditer(value):
        between = value[at : word.start()]
        charset = word[1].lower()
        # RFC 2047 §6.2: white space between two encoded words is not shown; a character may be cut between two words
        # of one charset by senders who know no better, so their bytes are joined first.
        is_adjacent = bool(at) and not between.strip(b" \t\r\n")
        if not is_adjacent or charset != pending_charset:
            pieces.append(decode(bytes(pending), pending_charset.decode("ascii", "replace")))
            pending.clear()
            pieces.append("" if is_adjacent else guess(between))
        pending += _octets(word[2], word[3])
        pending_charset = charset
        at = word.end()
    pieces.append(decode(bytes(pending), pending_charset.decode("ascii", "replace")))
    pieces.append(guess(value[at:]))
    return "".join(pieces)


def decode_placed_words(value: bytes) -> str:
    """As decode_words, but of encoded words only those that stand where they may and whose charset is known.

    RFC 2047 §5 (1), §6.1: white space is around each, and none within.
    """
    if b"=?" not in value:
        return guess(value)
    pieces: list[str] = []
    at = 0
    for run in _PLACED_WORDS.finditer(value):
        if not all(knows(word[1].decode("ascii", "replace")) for word in _WORD.finditer(run[0])):
            continue
        pieces += (guess(value[at : run.start()]), decode_words(run[0]))
        at = run.end()
    return "".join((*pieces, guess(value[at:])))


def encode_words(text: str) -> bytes:
    """ASCII for an unstructured field or a phrase: text as it is where it can be, else base64 words of UTF-8."""
    if text.isascii() and text.isprintable() and "=?" not in text and not _LONG_WORD.search(text):
        return text.encode("ascii")
    return as_words(text)


def as_words(text: str) -> bytes:
    """As encode_words, but encoded whatever it is: for text whose spaces would not survive folding."""
    words: list[bytes] = []
    octets = b""
    for character in text:
        encoded = character.encode("utf-8", "replace")
        # RFC 2047 §5: each word holds whole characters.
        if len(octets) + len(encoded) > _OCTETS_PER_WORD:
            words.append(_word(octets))
            octets = b""
        octets += encoded
    return b" ".join([*words, _word(octets)])


def parameter(parameters: Sequence[tuple[bytes, bytes]], name: bytes) -> str | None:
    """The value of a MIME parameter, its continuations joined and decoded; None where there is none.

    parameters: as formats.mediatype gives them, names lower-case, RFC 2231's stars still on.
    """
    plain = None
    pieces: dict[int, tuple[bool, bytes]] = {}
    for key, value in parameters:
        if not key.startswith(name):
            continue
        stem, star, rest = key.partition(b"*")
        if stem != name:
            continue
        if not star:
            plain = value if plain is None else plain
        elif not rest:
            return _extended([(True, value)])
        else:
            number = rest.removesuffix(b"*")
            if number.isdigit() and len(number) < 5:
                pieces.setdefault(int(number), (rest.endswith(b"*"), value))
    if 0 in pieces:
        # RFC 2231 §3: numbers count up from 0 without a gap, in any order.
        return _extended([pieces[at] for at in range(len(pieces)) if at in pieces])
    # RFC 2047 §5 forbids encoded words in parameters; many senders write them all the same.
    return None if plain is None else decode_words(plain)


def _extended(pieces: Sequence[tuple[bool, bytes]]) -> str:
    """RFC 2231 §4: charset "'" language "'" text, percent-encoded where the piece's name ends in a star."""
    charset = b""
    octets: list[bytes] = []
    for at, (is_encoded, value) in enumerate(pieces):
        if at == 0 and is_encoded and value.count(b"'") >= 2:
            charset, _, value = value.split(b"'", 2)
        octets.append(unquote_to_bytes(value) if is_encoded else value)
    return decode(b"".join(octets), charset.decode("ascii", "replace"))


def _octets(encoding: bytes, text: bytes) -> bytes:
    if encoding in b"qQ":
        # RFC 2047 §4.2: an underscore is a space.
        return binascii.a2b_qp(text.replace(b"_", b" "))
    return decode_base64(text)


def decode_base64(text: bytes) -> bytes:
    """Whatever is not of the alphabet is passed over (RFC 2045 §6.8); a broken end loses at most its last octets."""
    chunks = [chunk.translate(None, _NOT_BASE64) for chunk in text.split(b"=") if chunk]
    return b"".join(_base64_run(chunk) for chunk in chunks)


def decode_base64_piece(text: bytes) -> tuple[bytes, bytes]:
    """Of a text that goes on: what can be decoded already, and up to three characters that belong to what follows."""
    whole, sign, rest = text.rpartition(b"=")
    rest = rest.translate(None, _NOT_BASE64)
    end = len(rest) - len(rest) % 4
    return decode_base64(whole + sign) + binascii.a2b_base64(rest[:end]), rest[end:]


def _base64_run(run: bytes) -> bytes:
    if len(run) % 4 == 1:
        run = run[:-1]
    return binascii.a2b_base64(run + b"=" * (-len(run) % 4))


def _word(octets: bytes) -> bytes:
    return b"=?utf-8?b?" + binascii.b2a_base64(octets, newline=False) + b"?="
