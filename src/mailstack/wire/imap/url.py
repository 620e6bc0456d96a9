"""IMAP URLs of messages and parts of them, relative to this server: what CATENATE names. RFC 5092 §7, RFC 4469 §3.

No URL of another server is understood, and none of anything but a message.
"""

import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from mailstack.model.ids import Uid
from mailstack.model.section import Partial, Section
from mailstack.wire.imap.faults import SyntaxProblem
from mailstack.wire.imap.sections import section
from mailstack.wire.imap.tokens import MAX_NUMBER, Cursor

# RFC 5092 §11: ipath-query = [iuid] [isection] [ipartial] behind [enc-mailbox [uidvalidity]]; parts in any case
_URL = re.compile(
    r"(?:/(?P<mailbox>[^;/?#][^;?#]*?)(?:;UIDVALIDITY=(?P<uid_validity>[1-9][0-9]{0,9}))?/?(?=/;UID=|;UID=)|(?=/?;UID=))"
    r"/?;UID=(?P<uid>[1-9][0-9]{0,9})"
    r"(?:/;SECTION=(?P<section>[^;?#]+?))?"
    r"(?:/;PARTIAL=(?P<offset>[0-9]{1,18})(?:\.(?P<count>[1-9][0-9]{0,17}))?)?",
    re.IGNORECASE,
)
_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}")
WHOLE_REST = (1 << 63) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapUrl:
    """mailbox: decoded; None: the selected one. uid_validity: None: whatever it is."""

    mailbox: str | None
    uid_validity: int | None
    uid: Uid
    section: Section
    partial: Partial | None


def parse_url(url: str) -> ImapUrl | None:
    """None: it is none of a message here."""
    found = _URL.fullmatch(url)
    if found is None or not url.isascii() or "%" in _ENCODED.sub("", url):
        return None
    try:
        mailbox = _decoded(found["mailbox"])
        uid_validity, uid = int(found["uid_validity"] or 0), int(found["uid"])
        if max(uid, uid_validity) > MAX_NUMBER:
            return None
        return ImapUrl(
            mailbox=mailbox,
            uid_validity=uid_validity or None,
            uid=Uid(uid),
            section=_section(_decoded(found["section"])),
            partial=_partial(found["offset"], found["count"]),
        )
    except (SyntaxProblem, UnicodeDecodeError):
        return None


def _decoded(encoded: str | None) -> str | None:
    """RFC 5092 §3: percent-encoded UTF-8."""
    return None if encoded is None else unquote_to_bytes(encoded).decode()


def _section(text: str | None) -> Section:
    """RFC 5092 §7: section-spec as FETCH has it. Raises SyntaxProblem."""
    if text is None:
        return Section()
    cursor = Cursor([b"[%b]" % text.encode()], nesting=1, items=1)
    found = section(cursor)
    cursor.end()
    return found


def _partial(offset: str | None, count: str | None) -> Partial | None:
    """RFC 5092 §11: partial-range = number ["." nz-number]"""
    if offset is None:
        return None
    return Partial(offset=int(offset), count=WHOLE_REST if count is None else int(count))
