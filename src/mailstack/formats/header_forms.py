"""Values of header fields in the forms that JMAP reads them in. Never raises. RFC 8621 §4.1.2.

Not which form goes with which field (wire/jmap/mail). All take the value as it stands behind the colon, still folded.
"""

import re
import unicodedata
from collections.abc import Sequence

from mailstack.formats.addresses import Group, Mailbox, parse_addresses
from mailstack.formats.charsets import guess
from mailstack.formats.comments import comment_end
from mailstack.formats.dates import parse_zoned
from mailstack.formats.digest import message_ids_in
from mailstack.formats.headers import unfold
from mailstack.formats.limits import Limits
from mailstack.formats.words import decode_placed_words
from mailstack.model.header_value import AddressGroup, EmailAddress
from mailstack.model.instant import Instant

# All references of a message, unlike those that its thread is made of.
_LIMITS = Limits(references=10_000)
_CONTROLS = re.compile("[\x00-\x08\x0a-\x1f\x7f]+")
# RFC 5322 §3.2.3: dot-atom-text; RFC 6532 §3.2: and all that is not ASCII.
_DOT_ATOM = re.compile(r"[^\x00-\x20\x7f\"(),:;<>@\[\\\].]++(?:\.[^\x00-\x20\x7f\"(),:;<>@\[\\\].]++)*+")
_QUOTED_SPECIAL = re.compile(r"([\"\\])")
# RFC 2369 §2: URLs in angle brackets, comments outside of them.
_URL_OR_COMMENT = re.compile(rb"<([^<>]*+)>|\(")
_SPACE = re.compile(rb"\s+")


def raw_form(value: bytes) -> str:
    """RFC 8621 §4.1.2.1: without the line break at its end and without NUL; what is no UTF-8 is replaced."""
    return value.removesuffix(b"\n").removesuffix(b"\r").replace(b"\0", b"").decode("utf-8", "replace")


def text_form(value: bytes) -> str:
    """RFC 8621 §4.1.2.2."""
    unfolded = value.replace(b"\r\n", b"").replace(b"\n", b"").rstrip(b"\r").lstrip(b" ")
    return _shown(decode_placed_words(unfolded))


def addresses_form(value: bytes) -> tuple[EmailAddress, ...]:
    """RFC 8621 §4.1.2.3: those in groups too."""
    return tuple(address for group in groups_form(value) for address in group.addresses)


def groups_form(value: bytes) -> tuple[AddressGroup, ...]:
    """RFC 8621 §4.1.2.4: addresses that follow one another and are in no group stand in one without a name."""
    groups: list[AddressGroup] = []
    alone: list[EmailAddress] = []
    for entry in parse_addresses(unfold(value)):
        if isinstance(entry, Mailbox):
            alone.append(_address(entry))
            continue
        if alone:
            groups.append(AddressGroup(None, tuple(alone)))
            alone = []
        groups.append(_group(entry))
    return (*groups, AddressGroup(None, tuple(alone))) if alone else tuple(groups)


def message_ids_form(value: bytes) -> Sequence[str] | None:
    """RFC 8621 §4.1.2.5: without angle brackets; None where there are none."""
    return message_ids_in(unfold(value), _LIMITS) or None


def date_form(value: bytes) -> tuple[Instant, int] | None:
    """RFC 8621 §4.1.2.6: with the zone, in minutes east of UTC; None for what is no date."""
    return parse_zoned(value)


def urls_form(value: bytes) -> Sequence[str] | None:
    """RFC 8621 §4.1.2.7: without angle brackets; None where there are none."""
    found: list[str] = []
    at = 0
    while (next_ := _URL_OR_COMMENT.search(value, at)) is not None:
        at = next_.end()
        if next_[1] is None:
            at = comment_end(value, at)
        elif url := _SPACE.sub(b"", next_[1]):
            # RFC 2369 §2: white space inside the brackets is ignored.
            found.append(guess(url))
    return found or None


def _group(group: Group) -> AddressGroup:
    return AddressGroup(_name(group.name) or "", tuple(map(_address, group.members)))


def _address(mailbox: Mailbox) -> EmailAddress:
    return EmailAddress(_name(mailbox.name), _addr_spec(mailbox))


def _name(name: bytes) -> str | None:
    # Deviates: encoded words inside quotes are decoded, which RFC 2047 §5 (3) forbids; many senders write them there.
    return _shown(decode_placed_words(name)).strip() or None


def _addr_spec(mailbox: Mailbox) -> str:
    local_part = guess(mailbox.local_part)
    if not mailbox.domain:
        return _CONTROLS.sub("", local_part)
    if not _DOT_ATOM.fullmatch(local_part):
        local_part = '"' + _QUOTED_SPECIAL.sub(r"\\\1", local_part) + '"'
    return _CONTROLS.sub("", f"{local_part}@{guess(mailbox.domain)}")


def _shown(text: str) -> str:
    """RFC 8621 §4.1.2.2: no control characters, in Normalization Form C."""
    return text if text.isascii() and text.isprintable() else unicodedata.normalize("NFC", _CONTROLS.sub("", text))
