"""ENVELOPE of a message, as IMAP sends it. RFC 9051 §7.5.2, RFC 3501 §7.4.2.

Values are those of the header, unfolded; encoded words stay as they are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from mailstack.formats.addresses import Group, Mailbox, display, parse_addresses
from mailstack.formats.headers import Field, unfold
from mailstack.formats.limits import LIMITS, Limits
from mailstack.formats.nstring import nstring, parenthesized, string

ADDRESS_FIELDS = (b"from", b"sender", b"reply-to", b"to", b"cc", b"bcc")


_CACHED_OCTETS = 200


class AddressList(NamedTuple):
    """One address field. wire: as an envelope holds it. shown: for people, decoded (addresses.display)."""

    wire: bytes
    shown: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """values: the first field of each name, unfolded. addresses: of each field in ADDRESS_FIELDS that is there."""

    values: Mapping[bytes, bytes]
    addresses: Mapping[bytes, AddressList]

    def shown(self, name: bytes) -> str:
        """Of an address field; "" where it is missing."""
        return self.addresses[name].shown if name in self.addresses else ""


_NAMES = frozenset({b"date", b"subject", b"in-reply-to", b"message-id", b"references", *ADDRESS_FIELDS})


def envelope_of(fields: Sequence[Field], *, limits: Limits = LIMITS) -> Envelope:
    values: dict[bytes, bytes] = {}
    addresses: dict[bytes, AddressList] = {}
    repeated: dict[bytes, list[bytes]] = {}
    for name, value, _, _ in fields:
        if name in _NAMES:
            if name in values:
                repeated.setdefault(name, [values[name]]).append(unfold(value))
            else:
                values[name] = unfold(value)
    for name in ADDRESS_FIELDS:
        if name in values:
            # RFC 5322 §3.6 allows one of each; RFC 5322 §4.5.3: several are to be read as one list.
            value = b", ".join(repeated[name]) if name in repeated else values[name]
            # Everybody's mail is to the same few, and from not so many.
            is_small = len(value) <= _CACHED_OCTETS and limits is LIMITS
            addresses[name] = _small_list(value) if is_small else _address_list(value, limits)
    return Envelope(values=values, addresses=addresses)


def write_envelope(envelope: Envelope) -> bytes:
    """RFC 9051 §9: date, subject, from, sender, reply-to, to, cc, bcc, in-reply-to, message-id."""
    values = envelope.values
    written = {name: field.wire for name, field in envelope.addresses.items()}
    sender = written.get(b"from", b"NIL")
    return parenthesized(
        (
            nstring(values.get(b"date")),
            nstring(values.get(b"subject")),
            sender,
            # RFC 9051 §7.5.2: an absent or empty Sender or Reply-To is the same as From.
            _unless_nil(written.get(b"sender"), sender),
            _unless_nil(written.get(b"reply-to"), sender),
            written.get(b"to", b"NIL"),
            written.get(b"cc", b"NIL"),
            written.get(b"bcc", b"NIL"),
            nstring(values.get(b"in-reply-to")),
            nstring(values.get(b"message-id")),
        )
    )


def _unless_nil(written: bytes | None, default: bytes) -> bytes:
    return default if written is None or written == b"NIL" else written


def _address_list(value: bytes, limits: Limits) -> AddressList:
    entries = parse_addresses(value, limits=limits)
    return AddressList(_wire(entries), display(entries))


@lru_cache(maxsize=1024)
def _small_list(value: bytes) -> AddressList:
    return _address_list(value, LIMITS)


def _wire(entries: Sequence[Mailbox | Group]) -> bytes:
    """RFC 9051 §9: env-from = "(" 1*address ")" / nil."""
    if not entries:
        return b"NIL"
    written: list[bytes] = []
    for entry in entries:
        if isinstance(entry, Group):
            # RFC 9051 §7.5.2: a host of NIL begins a group, a mailbox of NIL ends it.
            written.append(b"(NIL NIL %b NIL)" % string(entry.name))
            written.extend(map(_address, entry.members))
            written.append(b"(NIL NIL NIL NIL)")
        else:
            written.append(_address(entry))
    return b"(%b)" % b"".join(written)


def _address(mailbox: Mailbox) -> bytes:
    """RFC 9051 §9: address = "(" addr-name SP addr-adl SP addr-mailbox SP addr-host ")"; addr-adl: a source route."""
    name = nstring(mailbox.name or None)
    route = nstring(mailbox.route or None)
    return b"(%b %b %b %b)" % (name, route, string(mailbox.local_part), string(mailbox.domain))
