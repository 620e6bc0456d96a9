"""Responses into bytes. RFC 5804 §4: response."""

import re
from typing import assert_never

from mailstack.wire.managesieve.responses import (
    Capability,
    Challenge,
    ListedScript,
    Reply,
    Response,
    ScriptContent,
)

MAX_QUOTED_OCTETS = 1024
# RFC 5804 §2.7 shows a name with a quote in it as a literal, and some clients know no other way.
_QUOTABLE = re.compile(rb"[^\x00\r\n\"\\]*")


def write(response: Response) -> bytes:
    """One whole response with its CRLF."""
    match response:
        case Reply():
            return _reply(response)
        case Challenge():
            return b"%b\r\n" % string(response.data)
        case Capability():
            value = b"" if response.value is None else b" " + string(response.value.encode())
            return b"%b%b\r\n" % (string(response.name.encode()), value)
        case ListedScript():
            return b"%b%b\r\n" % (string(response.name.encode()), b" ACTIVE" if response.is_active else b"")
        case ScriptContent():
            return b"%b\r\n" % _literal(response.content)
        case _:
            assert_never(response)


def string(octets: bytes) -> bytes:
    """string = quoted / literal-s2c. RFC 5804 §4: what is quoted has at most 1024 octets."""
    if len(octets) <= MAX_QUOTED_OCTETS and _QUOTABLE.fullmatch(octets):
        return b'"%b"' % octets
    return _literal(octets)


def _literal(octets: bytes) -> bytes:
    return b"{%d}\r\n%b" % (len(octets), octets)


def _reply(reply: Reply) -> bytes:
    """("OK" / "NO" / "BYE") [SP "(" resp-code ")"] [SP string] CRLF"""
    written = reply.condition.encode("ascii")
    if reply.code is not None:
        value = b"" if reply.code_value is None else b" " + string(reply.code_value)
        written += b" (%b%b)" % (reply.code.encode("ascii"), value)
    if reply.text:
        written += b" " + string(reply.text.encode())
    return written + b"\r\n"
