"""Whose mail it says it is: the one domain of the one From field. RFC 9989 §5.3.1, RFC 5322 §3.6.2, RFC 6854.

Stricter than formats.addresses: where two programs could read two authors out of a field, one would be checked and the
other be shown. So whatever looks like an address counts, wherever it stands, and all must be of one domain.
"""

import re
from dataclasses import dataclass

from mailstack.formats.addresses import parse_mailboxes
from mailstack.formats.comments import without_comments
from mailstack.formats.headers import header_end, unfold
from mailstack.formats.limits import LIMITS
from mailstack.formats.words import decode_words
from mailstack.model.address import domain_key
from mailstack.model.errors import Invalid
from mailstack.model.message import RawMessage

MAX_FROM_OCTETS = 64 * 1024

# Not scan_fields: it stops after so many fields, and a From behind the last of them would be shown all the same.
_FROM = re.compile(rb"^from[ \t]*+:([^\n]*+(?:\n[ \t][^\n]*+)*+)", re.IGNORECASE | re.MULTILINE)
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_QUOTED = re.compile(rb"\"(?:[^\"\\]++|\\.)*+\"", re.DOTALL)
_BEHIND_AT = re.compile(rb"@[ \t]*+([^\s<>()\",;:@]*+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """domain: A-labels, "" where there is none. fault: why a From field that names addresses names no one domain, for
    people; "" where it does, and where there is no address at all."""

    domain: str = ""
    fault: str = ""


def author_of(raw: RawMessage) -> Author:
    """Never raises. A mail without a From field, or without an address in it, has no author and no fault."""
    end = header_end(raw)
    if end > LIMITS.header:
        return Author(fault="a header too large to look for From in")
    values = [unfold(found[1]) for found in _FROM.finditer(raw[:end])]
    if len(values) > 1:
        return Author(fault="several From fields")
    return _author(values[0]) if values else Author()


def _author(value: bytes) -> Author:
    if b"@" not in value and "@" not in decode_words(value):
        return Author()
    if len(value) > MAX_FROM_OCTETS:
        return Author(fault="a From field too long to be one")
    # A program in C reads up to the NUL; others make of control characters what they like.
    if _CONTROL.search(value):
        return Author(fault="control characters in the From field")
    mailboxes = parse_mailboxes(value)
    if not mailboxes or any(b"@" in mailbox.local_part or not mailbox.domain for mailbox in mailboxes):
        return Author(fault="a From field that is no address")
    try:
        domains = {_domain(domain) for domain in (*(mailbox.domain for mailbox in mailboxes), *_written(value))}
    except Invalid as fault:
        return Author(fault=f"From: {fault}")
    return Author(domain=domains.pop()) if len(domains) == 1 else Author(fault="a From field of several domains")


def _written(value: bytes) -> list[bytes]:
    """What stands behind an @ outside of quotes and comments. `Jo @ Work <jo@work.example>` is seen, and names one."""
    found = _BEHIND_AT.findall(without_comments(_QUOTED.sub(b"", value)))
    return [domain for domain in found if b"." in domain.strip(b".")]


def _domain(text: bytes) -> str:
    """Raises Invalid."""
    if text.startswith(b"["):
        raise Invalid("an address literal names no domain")
    try:
        # RFC 9989 §5.3.1: U-labels as A-labels; RFC 6532 §3.2: they are UTF-8.
        return domain_key(text.decode().removesuffix("."))
    except UnicodeDecodeError:
        raise Invalid("a domain that is no UTF-8") from None
