"""Responses into bytes. RFC 9051 §9: response-data, response-tagged, resp-text."""

import re
from collections.abc import Callable, Iterable
from typing import assert_never

from mailstack.wire.imap import utf7
from mailstack.wire.imap.responses import (
    AclData,
    CapabilityData,
    Continuation,
    EnabledData,
    Exists,
    FlagsData,
    IdData,
    JmapAccessData,
    ListData,
    ListRightsData,
    LsubData,
    MetadataData,
    MetadataNames,
    MyRightsData,
    NamespaceData,
    QuotaData,
    QuotaRootData,
    Recent,
    Response,
    StatusData,
    Tagged,
    UidBatchesData,
    Untagged,
    Vanished,
)

MAX_QUOTED_OCTETS = 1_000
_QUOTABLE = re.compile(rb"[\x20-\x7e]*")


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
            delimiter = quoted(response.delimiter)
            return b'* NAMESPACE (("" %b)) ((%b %b)) NIL\r\n' % (delimiter, named(response.others), delimiter)
        case ListData() | LsubData():
            return _listed(response, named)
        case StatusData():
            items = " ".join(f"{name} {value}" for name, value in response.items)
            return b"* STATUS %b (%b)\r\n" % (named(response.name), items.encode("ascii"))
        case AclData() | ListRightsData() | MyRightsData():
            return _rights(response, named)
        case QuotaData():
            resources = " ".join(f"{name} {used} {limit}" for name, used, limit in response.resources)
            return b"* QUOTA %b (%b)\r\n" % (string(response.root.encode()), resources.encode("ascii"))
        case QuotaRootData():
            roots = [string(root.encode()) for root in response.roots]
            return b"%b\r\n" % b" ".join((b"* QUOTAROOT", named(response.name), *roots))
        case MetadataData():
            entries = [b"%b %b" % (name.encode("ascii"), _value(value)) for name, value in response.entries]
            return b"* METADATA %b (%b)\r\n" % (named(response.name), b" ".join(entries))
        case FlagsData():
            return f"* FLAGS ({' '.join(response.flags)})\r\n".encode("ascii")
        case Exists():
            return b"* %d EXISTS\r\n" % response.count
        case Recent():
            return b"* %d RECENT\r\n" % response.count
        case MetadataNames():
            return b"* METADATA %b %b\r\n" % (named(response.name), " ".join(response.entries).encode("ascii"))
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


def string(octets: bytes) -> bytes:
    """string = quoted / literal, or literal8 (RFC 3516 §4) for what no literal can hold."""
    if len(octets) <= MAX_QUOTED_OCTETS and _QUOTABLE.fullmatch(octets):
        return quoted(octets.decode("ascii"))
    return b"%b{%d}\r\n%b" % (b"~" if b"\0" in octets else b"", len(octets), octets)


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
    extended = _extended(response, named) if isinstance(response, ListData) else []
    return listed + (b" (%b)" % b" ".join(extended) if extended else b"") + b"\r\n"


def _extended(response: ListData, named: Callable[[str], bytes]) -> list[bytes]:
    """RFC 5258 §6: mbox-list-extended = "(" [mbox-list-extended-item *(SP mbox-list-extended-item)] ")" """
    found = []
    if response.child_info:
        found.append(b'"CHILDINFO" (%b)' % b" ".join(map(quoted, response.child_info)))
    if response.old_name is not None:
        found.append(b'"OLDNAME" (%b)' % named(response.old_name))
    return found


def _rights(response: AclData | ListRightsData | MyRightsData, named: Callable[[str], bytes]) -> bytes:
    name = named(response.name)
    match response:
        case AclData():
            pairs = [b"%b %b" % (string(who.encode()), quoted(rights)) for who, rights in response.entries]
            return b"%b\r\n" % b" ".join((b"* ACL", name, *pairs))
        case ListRightsData():
            whose = string(response.identifier.encode())
            rights = b" ".join(map(quoted, (response.required, *response.optional)))
            return b"* LISTRIGHTS %b %b %b\r\n" % (name, whose, rights)
        case MyRightsData():
            return b"* MYRIGHTS %b %b\r\n" % (name, quoted(response.rights))
        case _:
            assert_never(response)


def _value(value: bytes | None) -> bytes:
    return b"NIL" if value is None else string(value)
