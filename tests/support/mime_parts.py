"""Messages put together from parts, as octets."""

MIME = b"MIME-Version: 1.0\r\n"
TEXT = b"Content-Type: text/plain; charset=utf-8\r\n"


def encoded(word: bytes) -> bytes:
    return b"Content-Transfer-Encoding: " + word + b"\r\n"


def multipart(
    *parts: bytes, subtype: bytes = b"mixed", boundary: bytes = b"b", more: bytes = b"", preamble: bytes = b""
) -> bytes:
    """more: header fields."""
    return (
        b"Content-Type: multipart/"
        + subtype
        + b'; boundary="'
        + boundary
        + b'"\r\n'
        + more
        + b"\r\n"
        + preamble
        + b"".join(b"--" + boundary + b"\r\n" + each + b"\r\n" for each in parts)
        + b"--"
        + boundary
        + b"--\r\n"
    )
