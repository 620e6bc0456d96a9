"""Responses into bytes. RFC 9051 §9: response-data, response-tagged, resp-text."""

from collections.abc import Callable, Iterable
from typing import assert_never

from mailstack.wire.imap import utf7
from mailstack.wire.imap.responses import (
    CapabilityData,
    Continuation,
    EnabledData,
    Exists,
    FlagsData,
    IdData,
    JmapAccessData,
    ListData,
    LsubData,
    NamespaceData,
    Recent,
    Response,
    StatusData,
    Tagged,
    UidBatchesData,
    Untagged,
    Vanished,
)


def write(response: Response, *, is_utf8: bool = False) -> bytes:
    """One whole response with its CRLF. is_utf8: RFC 6855 §3, RFC 9051 §5.1: mailbox names are UTF-8."""
    named = utf8_mailbox_name if is_utf8 else mailbox_name
    match response:
        case Tagged():
            return f"{response.tag} {_status(response)}\r\n".encode("ascii")
        case Untagged():
            return f"* {_status(response)}\r\n".encode("ascii")
        case Continuation():
            return b"+ %b\r\n" % response.data
        case CapabilityData():
            return f"* CAPABILITY {' '.join(response.names)}\r\n".encode("ascii")
        case EnabledData():
            return f"{' '.join(('* ENABLED', *response.names))}\r\n".encode("ascii")
        case IdData():
            pairs = b" ".join(b"%b %b" % (quoted(name), quoted(value)) for name, value in response.fields)
            return b"* ID (%b)\r\n" % pairs
        case NamespaceData():
            return b'* NAMESPACE (("" %b)) NIL NIL\r\n' % quoted(response.delimiter)
        case ListData() | LsubData():
            return _listed(response, named)
        case StatusData():
            items = " ".join(f"{name} {value}" for name, value in response.items)
            return b"* STATUS %b (%b)\r\n" % (named(response.name), items.encode("ascii"))
        case FlagsData():
            return f"* FLAGS ({' '.join(response.flags)})\r\n".encode("ascii")
        case Exists():
            return b"* %d EXISTS\r\n" % response.count
        case Recent():
            return b"* %d RECENT\r\n" % response.count
        case Vanished():
            earlier = "(EARLIER) " if response.is_earlier else ""
            return f"* VANISHED {earlier}{response.uids}\r\n".encode("ascii")
        case UidBatchesData():
            ranges = ",".join(f"{high}:{low}" if high != low else f"{high}" for high, low in response.ranges)
            return f'* UIDBATCHES (TAG "{response.tag}") {ranges}'.rstrip().encode("ascii") + b"\r\n"
        case JmapAccessData():
            return b"* JMAPACCESS %b\r\n" % quoted(response.url)
        case _:
            assert_never(response)


def expunges(numbers: Iterable[int]) -> bytes:
    """RFC 9051 §7.5.1. numbers: each as it is when those before it are gone."""
    return b"".join([b"* %d EXPUNGE\r\n" % number for number in numbers])


def quoted(text: str) -> bytes:
    """text: printable US-ASCII."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'.encode("ascii")


def mailbox_name(name: str) -> bytes:
    """Always quoted: what is an atom and what is not, clients do not agree on."""
    encoded = utf7.encode(name)
    return b'"%b"' % encoded.replace(b"\\", b"\\\\").replace(b'"', b'\\"')


def utf8_mailbox_name(name: str) -> bytes:
    return b'"%b"' % name.encode().replace(b"\\", b"\\\\").replace(b'"', b'\\"')


def _status(response: Tagged | Untagged) -> str:
    code = f"[{response.code}] " if response.code else ""
    return f"{response.condition} {code}{response.text}"


def _listed(response: ListData | LsubData, named: Callable[[str], bytes]) -> bytes:
    word = b"LIST" if isinstance(response, ListData) else b"LSUB"
    attributes = " ".join(response.attributes).encode("ascii")
    listed = b"* %b (%b) %b %b" % (word, attributes, quoted(response.delimiter), named(response.name))
    old_name = response.old_name if isinstance(response, ListData) else None
    return listed + (b' ("OLDNAME" (%b))' % named(old_name) if old_name is not None else b"") + b"\r\n"
