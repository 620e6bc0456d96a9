"""What files hold that harms: programs in archives, macros and objects in documents, scripts in pages.

Signs are looked for, formats are not read: a zip that no program opens without complaint is not safer for it. Bounded:
of an archive so many entries, of an entry so much, archives in archives twice. Never raises.
APPNOTE.TXT 6.3.10 (zip), MS-CFB (OLE2), RFC 1951.
"""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from struct import Struct

MAX_ENTRIES = 200
MAX_INFLATED = 64 * 1024
"""Octets of one entry."""
MAX_OPENED = 2
"""Entries of an archive whose content is looked at."""
MAX_DEPTH = 2
_MAX_NAME = 300


class Sign(Enum):
    PROGRAM = "a program"
    ENCRYPTED = "encrypted"
    DOCUMENT = "a document of an office program"
    MACROS = "macros"
    FETCHES = "fetches a template from elsewhere"
    OBJECTS = "embedded objects"
    SCRIPT = "scripts"


@dataclass(frozen=True, slots=True)
class Inside:
    """names: of the files in an archive, and in archives in it, each once."""

    signs: frozenset[Sign]
    names: tuple[str, ...] = ()


NOTHING = Inside(frozenset())
# What begins so runs, whatever it is called: Windows, Linux, and a link of Windows (MS-SHLLINK §2.1).
_PROGRAMS = (b"MZ", b"\x7fELF", b"L\0\0\0\x01\x14\x02\0")
# Within so many octets a program has a zero, which no text has.
_PROGRAM_HEAD = 64
_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_RTF = b"{\\rt"
PAGES = frozenset({"htm", "html", "mht", "mhtml", "shtml", "svg", "xht", "xhtml"})
_PAGE_TYPES = frozenset({"image/svg+xml", "text/html", "application/xhtml+xml"})
# APPNOTE §4.3.7: local file header; §4.3.12: central directory header, behind their versions. They have the same
# fields up to the lengths of what follows, and the latter has more before the name.
_ENTRY = re.compile(rb"PK(?:\x03\x04..(.{24})|\x01\x02....(.{24}).{14})", re.DOTALL)
_HEAD = Struct("<HHIIIIHH")
_IN_UTF8 = 1 << 11
_STORED, _DEFLATED = 0, 8
_VBA = "_VBA_PROJECT".encode("utf-16-le")
_OLE_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_OLE_PACKAGE = "\x01Ole10Native".encode("utf-16-le")
_RTF_OBJECT = re.compile(rb"\\obj(?:data|update|autlink)\b", re.IGNORECASE)
_RTF_TEMPLATE = re.compile(rb"\\\*\s*+\\template\s++[^{}]{0,20}(?:https?:|\\\\)", re.IGNORECASE)
_SCRIPT = re.compile(rb"<script|\bjavascript:|\son(?:load|error|click)\s*=|\btype\s*=\s*[\"']?password", re.IGNORECASE)


def is_worth_a_look(beginning: bytes, ending: str, media_type: str) -> bool:
    """beginning: of the content; enough for its first few octets."""
    return beginning.startswith((*_PROGRAMS, _ZIP, _OLE, _RTF)) or ending in PAGES or media_type in _PAGE_TYPES


def look_inside(content: bytes, ending: str, media_type: str) -> Inside:
    if content.startswith(_ZIP):
        return _archive(content)
    signs: set[Sign] = set()
    if content.startswith(_PROGRAMS) and b"\0" in content[:_PROGRAM_HEAD]:
        signs.add(Sign.PROGRAM)
    elif content.startswith(_OLE):
        signs.update(_in_ole(content))
    elif content.startswith(_RTF):
        signs.update(_in_rtf(content))
    elif (ending in PAGES or media_type in _PAGE_TYPES) and _SCRIPT.search(content):
        signs.add(Sign.SCRIPT)
    return Inside(frozenset(signs))


def _in_ole(content: bytes) -> Iterator[Sign]:
    yield Sign.DOCUMENT
    if _VBA in content:
        yield Sign.MACROS
    if _OLE_ENCRYPTED in content:
        yield Sign.ENCRYPTED
    if _OLE_PACKAGE in content:
        yield Sign.OBJECTS


def _in_rtf(content: bytes) -> Iterator[Sign]:
    yield Sign.DOCUMENT
    if _RTF_OBJECT.search(content):
        yield Sign.OBJECTS
    if _RTF_TEMPLATE.search(content):
        yield Sign.FETCHES


def _archive(content: bytes, depth: int = 1) -> Inside:
    signs: set[Sign] = set()
    names: dict[str, None] = {}
    opened = 0
    for found in islice(_ENTRY.finditer(content), MAX_ENTRIES):
        flags, method, _, _, _, _, name_octets, more_octets = _HEAD.unpack(found[1] or found[2])
        name = _entry_name(content[found.end() : found.end() + min(name_octets, _MAX_NAME)], flags)
        if not name or name.endswith("/"):
            continue
        names[name] = None
        if flags & 1:
            signs.add(Sign.ENCRYPTED)
        elif opened < MAX_OPENED and found[0].startswith(_ZIP) and _is_telling(name):
            opened += 1
            entry = _inflated(content, found.end() + name_octets + more_octets, method)
            if entry.startswith(_ZIP) and depth < MAX_DEPTH:
                inner = _archive(entry, depth + 1)
                signs |= inner.signs
                names.update(dict.fromkeys(inner.names))
            elif b'attachedTemplate"' in entry and b'TargetMode="External"' in entry:
                signs.add(Sign.FETCHES)
    if "[Content_Types].xml" in names:
        signs.add(Sign.DOCUMENT)
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        signs.add(Sign.MACROS)
    return Inside(frozenset(signs), tuple(names)[:MAX_ENTRIES])


def _entry_name(octets: bytes, flags: int) -> str:
    # APPNOTE §4.4.4, appendix D: else it is of IBM code page 437.
    return octets.decode("utf-8" if flags & _IN_UTF8 else "cp437", "replace")


def _is_telling(name: str) -> bool:
    lower = name.lower()
    return lower.endswith((".zip", "settings.xml.rels"))


def _inflated(content: bytes, start: int, method: int) -> bytes:
    if method == _STORED:
        return content[start : start + MAX_INFLATED]
    if method != _DEFLATED:
        return b""
    try:
        # What is behind its end is left unread.
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(memoryview(content)[start:], MAX_INFLATED)
    except zlib.error:
        return b""
