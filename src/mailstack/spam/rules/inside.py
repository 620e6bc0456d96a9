"""What files hold that harms: macros and objects in documents, scripts in pages, programs in archives.

Signs are looked for, formats are not read. Never raises. MS-CFB (OLE2).
"""

import re
from collections.abc import Iterator

from mailstack.spam.rules.archives import archive_in, is_archive
from mailstack.spam.rules.signs import PROGRAMS, Inside, Sign, is_program

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_RTF = b"{\\rt"
PAGES = frozenset({"htm", "html", "mht", "mhtml", "shtml", "svg", "xht", "xhtml"})
_PAGE_TYPES = frozenset({"image/svg+xml", "text/html", "application/xhtml+xml"})
_VBA = "_VBA_PROJECT".encode("utf-16-le")
_OLE_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_OLE_PACKAGE = "\x01Ole10Native".encode("utf-16-le")
_RTF_OBJECT = re.compile(rb"\\obj(?:data|update|autlink)\b", re.IGNORECASE)
_RTF_TEMPLATE = re.compile(rb"\\\*\s*+\\template\s++[^{}]{0,20}(?:https?:|\\\\)", re.IGNORECASE)
_SCRIPT = re.compile(rb"<script|\bjavascript:|\son(?:load|error|click)\s*=|\btype\s*=\s*[\"']?password", re.IGNORECASE)


def is_worth_a_look(beginning: bytes, ending: str, media_type: str) -> bool:
    """beginning: of the content; archives.HEAD_OCTETS are enough."""
    return (
        beginning.startswith((*PROGRAMS, _OLE, _RTF))
        or is_archive(beginning, ending)
        or ending in PAGES
        or media_type in _PAGE_TYPES
    )


def look_inside(content: bytes, ending: str, media_type: str) -> Inside:
    if is_archive(content, ending):
        return archive_in(content)
    signs: set[Sign] = set()
    if is_program(content):
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
