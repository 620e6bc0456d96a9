"""The head of a request as a whole: whether its version, method, framing and target are ones that are served here.

Not its size, which is counted while it comes in. RFC 9110 §7.8, §9.3, RFC 9112 §3, §6.
"""

from collections.abc import Sequence

from mailstack.servers.http.problem import (
    BAD_REQUEST,
    NOT_IMPLEMENTED,
    UNKNOWN_CODING,
    VERSION_NOT_SUPPORTED,
    Problem,
)
from mailstack.servers.http.target import HTTP_1_0, BadTarget, Target, read_target

VERSIONS = ("1.1", HTTP_1_0)
# RFC 9110 §9.3.6, §9.3.8: a tunnel and an echo are of no use here.
METHODS_WITHOUT_USE = (b"CONNECT", b"TRACE")
Fields = Sequence[tuple[bytes, bytes]]
"""Names in lower case."""


class BadHead(Exception):
    """reason: for the log, "" where the problem says it all."""

    def __init__(self, problem: Problem, reason: str = "") -> None:
        super().__init__(reason)
        self.problem = problem
        self.reason = reason


def read_head(method: bytes, url: bytes, fields: Fields, *, version: str, is_upgrade: bool) -> Target:
    """is_upgrade: the parser stops behind this head. Raises BadHead."""
    if version not in VERSIONS:
        raise BadHead(VERSION_NOT_SUPPORTED)
    if method in METHODS_WITHOUT_USE:
        raise BadHead(NOT_IMPLEMENTED)
    _check_framing(fields, version=version, is_upgrade=is_upgrade)
    try:
        return read_target(method, url, _values(fields, b"host"), version)
    except BadTarget as fault:
        raise BadHead(BAD_REQUEST, str(fault)) from None


def _check_framing(fields: Fields, *, version: str, is_upgrade: bool) -> None:
    lengths = _values(fields, b"content-length")
    codings = [coding.strip().lower() for coding in b",".join(_values(fields, b"transfer-encoding")).split(b",")]
    is_coded = codings != [b""]
    # RFC 9112 §6.1: chunks in HTTP/1.0, or two statements of one length, were made to be read in two ways.
    if is_coded and (version == HTTP_1_0 or lengths):
        raise BadHead(BAD_REQUEST)
    # RFC 9112 §6.1: what was coded before it was cut in chunks would be taken for the content itself.
    if codings[-1] == b"chunked" and len(codings) > 1:
        raise BadHead(UNKNOWN_CODING)
    # RFC 9110 §7.8: the content comes first, in HTTP/1.1; but the parser stops before it.
    if is_upgrade and (is_coded or lengths not in ([], [b"0"])):
        raise BadHead(BAD_REQUEST, "an upgrade with content")


def _values(fields: Fields, wanted: bytes) -> list[bytes]:
    return [value for name, value in fields if name == wanted]
