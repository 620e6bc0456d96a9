"""Which application protocols a client offers in the first message of its handshake. Pure.

Not a check of that message: OpenSSL reads it as well, and ends the handshake where it is malformed; here it then offers
nothing. RFC 8446 §4.1.2, RFC 5246 §7.4.1.2, RFC 7301 §3.1.
"""

from collections.abc import Iterator

CLIENT_HELLO = 1
ALPN = 16
HEADER_OCTETS = 4
VERSION_AND_RANDOM_OCTETS = 2 + 32


class _Short(Exception):
    """The message ends before it should."""


def offered_protocols(message: bytes) -> tuple[bytes, ...]:
    """message: the whole handshake message, of whatever kind. In the client's order of preference."""
    if message[:1] != bytes([CLIENT_HELLO]):
        return ()
    try:
        # ClientHello: legacy_version random legacy_session_id cipher_suites legacy_compression_methods extensions
        at = HEADER_OCTETS + VERSION_AND_RANDOM_OCTETS
        for width in (1, 2, 1):
            _, at = _vector(message, at, width)
        extensions, _ = _vector(message, at, 2)
        return tuple(_protocols(extensions))
    except _Short:
        return ()


def _protocols(extensions: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(extensions):
        kind = int.from_bytes(extensions[at : at + 2])
        data, at = _vector(extensions, at + 2, 2)
        if kind == ALPN:
            # RFC 7301 §3.1: ProtocolName protocol_name_list<2..2^16-1>
            names, _ = _vector(data, 0, 2)
            yield from _names(names)
            return


def _names(names: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(names):
        name, at = _vector(names, at, 1)
        yield name


def _vector(data: bytes, at: int, width: int) -> tuple[bytes, int]:
    """RFC 8446 §3.4: what has its length before it; and where the next begins."""
    start = at + width
    end = start + int.from_bytes(data[at:start])
    if start > len(data) or end > len(data):
        raise _Short
    return data[start:end], end
