"""What replace and enclose put into a message: text parts, and headers made of other headers. RFC 2045, RFC 2046."""

from collections.abc import Collection, Iterator

from mailstack.formats.binary import base64_lines, has_binary
from mailstack.formats.words import parameter
from mailstack.model.line_ends import with_crlf
from mailstack.sieve.entity import Entity, walk

MIME_VERSION = b"MIME-Version: 1.0\r\n"


def octets_of(text: str) -> bytes:
    """With the line ends that mail has."""
    return b"".join(with_crlf(text.encode("utf-8", "replace")))


def text_part(text: str, boundaries: Collection[bytes]) -> bytes:
    """A whole entity; boundaries: of the multiparts around it, which its lines are not to be taken for."""
    body = octets_of(text)
    if has_binary(body) or holds_boundary(body, boundaries):
        encoding, body = b"base64", base64_lines(body)
    else:
        encoding = b"7bit" if body.isascii() else b"8bit"
    return b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: %b\r\n\r\n%b" % (encoding, body)


def boundaries_of(message: Entity) -> frozenset[bytes]:
    return frozenset(_boundaries(message))


def _boundaries(message: Entity) -> Iterator[bytes]:
    for entity in walk(message):
        boundary = parameter(entity.part.parameters, b"boundary") if entity.part.is_multipart else None
        if boundary:
            yield boundary.encode("utf-8", "replace")


def holds_boundary(octets: bytes, boundaries: Collection[bytes]) -> bool:
    """RFC 2046 §5.1.1: a boundary must not be in what is enclosed."""
    return any(b"--" + boundary in octets for boundary in boundaries)


def is_of_content(name: bytes) -> bool:
    """name: of a field, lower-case. RFC 2045 §3: what says how a body is to be read."""
    return name.startswith(b"content-") or name == b"mime-version"
