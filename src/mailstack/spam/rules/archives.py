"""What archives hold, by their files' names: zip, RAR, tar and gzip.

Signs are looked for, formats are not read: an archive that no program opens without complaint is not safer for it.
Bounded: so many files, of a file so much, archives in archives twice. Never raises.
APPNOTE.TXT 6.3.10 (zip), POSIX.1 ustar (tar), RFC 1951, RFC 1952.
"""

import re
import zlib
from collections.abc import Iterator
from itertools import islice
from struct import Struct

from mailstack.spam.rules.signs import Inside, Sign, is_program

HEAD_OCTETS = 512
"""Enough to know an archive by."""
MAX_ENTRIES = 400
MAX_INFLATED = 64 * 1024
"""Octets of one file."""
MAX_OPENED = 2
"""Files of an archive whose content is looked at."""
MAX_DEPTH = 2
_MAX_NAME = 300
_ZIP = b"PK\x03\x04"
_RAR = b"Rar!\x1a\x07"
_GZIP = b"\x1f\x8b"
_TAR = b"ustar"
_TAR_AT = 257
# APPNOTE §4.3.7: local file header; §4.3.12: central directory header, behind their versions. They have the same
# fields up to the lengths of what follows, and the latter has more before the name.
_ENTRY = re.compile(rb"PK(?:\x03\x04..(.{24})|\x01\x02....(.{24}).{14})", re.DOTALL)
_HEAD = Struct("<HHIIIIHH")
_IN_UTF8 = 1 << 11
_STORED, _DEFLATED = 0, 8
# Names stand in RAR as they are. What was packed looks like one now and then, but hardly with this ending.
_RAR_NAME = re.compile(rb"\.(?:bat|cmd|com|exe|hta|iso|jse?|lnk|msi|pif|ps1|scr|vb[es]|wsf)(?![\w.])", re.IGNORECASE)
_NAME_OCTETS = bytes(octet for octet in range(256) if octet >= 128 or chr(octet).isalnum() or chr(octet) in " -_().")
_SHORTEST_STEM = 4


def is_archive(content: bytes, ending: str) -> bool:
    """content: HEAD_OCTETS of it are enough."""
    return content.startswith((_ZIP, _RAR, _GZIP)) or ending == "zip" or content.startswith(_TAR, _TAR_AT)


def archive_in(content: bytes) -> Inside:
    if content.startswith(_RAR):
        return Inside(frozenset(), tuple(dict.fromkeys(_rar_names(content))))
    if content.startswith(_GZIP):
        return _gzip(content)
    if content.startswith(_TAR, _TAR_AT):
        return Inside(frozenset(), tuple(dict.fromkeys(_tar_names(content))))
    return _zip(content)


def _rar_names(content: bytes) -> Iterator[str]:
    """Of programs only."""
    for found in islice(_RAR_NAME.finditer(content), MAX_ENTRIES):
        before = content[max(found.start() - _MAX_NAME, 0) : found.start()]
        stem = before[len(before.rstrip(_NAME_OCTETS)) :]
        if len(stem) >= _SHORTEST_STEM:
            yield (stem + found[0]).decode("utf-8", "replace")


def _tar_names(content: bytes) -> Iterator[str]:
    at = -1
    for _ in range(MAX_ENTRIES):
        at = content.find(_TAR, at + 1)
        if at < 0:
            return
        if at >= _TAR_AT and (name := content[at - _TAR_AT : at - _TAR_AT + 100].partition(b"\0")[0]):
            yield name.decode("utf-8", "replace")


def _gzip(content: bytes) -> Inside:
    # RFC 1952 §2.2.
    inner = _inflated(content, 0, zlib.MAX_WBITS | 16)
    if inner.startswith(_TAR, _TAR_AT):
        return archive_in(inner)
    return Inside(frozenset({Sign.PROGRAM} if is_program(inner) else ()))


def _zip(content: bytes, depth: int = 1) -> Inside:
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
            entry = _entry_content(content, found.end() + name_octets + more_octets, method)
            if entry.startswith(_ZIP) and depth < MAX_DEPTH:
                inner = _zip(entry, depth + 1)
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


def _entry_content(content: bytes, start: int, method: int) -> bytes:
    if method == _STORED:
        return content[start : start + MAX_INFLATED]
    return _inflated(content, start, -zlib.MAX_WBITS) if method == _DEFLATED else b""


def _inflated(content: bytes, start: int, window_bits: int) -> bytes:
    """What is behind its end is left unread."""
    try:
        return zlib.decompressobj(window_bits).decompress(memoryview(content)[start:], MAX_INFLATED)
    except zlib.error:
        return b""
