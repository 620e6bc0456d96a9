"""What every mail gets on top: Return-Path, Received, Delivered-To, and what they tell of the way it has behind it.

Not what stands in Authentication-Results (formats.authres). RFC 5321 §4.4, §6.3; RFC 3848; RFC 9228.
"""

import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from urllib.parse import quote, unquote_to_bytes

from mailstack.formats.dates import format_date
from mailstack.formats.headers import Field, every, first, header_end
from mailstack.model.errors import TryAgainLater
from mailstack.model.instant import Instant
from mailstack.model.message import RawMessage

MAX_RECEIVED = 100
"""RFC 5321 §6.3: a server that counts Received fields should allow at least 100."""

_COPY_BYTES = 1 << 20
_RECEIVED = re.compile(rb"^received[ \t]*:", re.IGNORECASE | re.MULTILINE)
# As received_field writes it of who is logged in: RFC 3848 §1 over SMTP, and JMAP.
_SUBMITTED = re.compile(rb"(?:from \S++ \((?:\S++ )?+\[[^\]\s]++\]\)\s++)?+by (\S++) with (?:(?:E|UTF8)SMTPS?A|JMAP) ")
_DELIVERED_TO = re.compile(rb"^delivered-to[ \t]*+:([^\r\n]*+)", re.IGNORECASE | re.MULTILINE)
_ATOM = "!#$&'*+/=?^`{|}~@"  # RFC 5322 §3.2.3, what `quote` does not spare of itself, but for "%"
_FOREIGN = re.compile(r"[^!-~]+|[()\\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One acceptance of one mail by this server.

    hostname: ours. ehlo_domain: what the peer called itself. peer_host: its address, "" where it did not come by SMTP.
    protocol: RFC 3848's word.
    peer_name: that its address is verified to have, "" without one.
    """

    hostname: str
    ehlo_domain: str
    peer_host: str
    protocol: str
    trace_id: str
    received_at: Instant
    peer_name: str = ""

    @property
    def called(self) -> str:
        """The peer's own name for itself, with nothing that others could take for more than that."""
        return _printable(self.ehlo_domain)

    @property
    def named(self) -> str:
        return _printable(self.peer_name) if self.peer_name else ""


def protocol_word(
    *, is_extended: bool, has_tls: bool, is_authenticated: bool, smtp_utf8: bool, is_lmtp: bool = False
) -> str:
    if not is_extended:
        return "SMTP"
    # RFC 3848 §1, RFC 6531 §4.3: ESMTP or UTF8SMTP, LMTP or UTF8LMTP, then S for TLS, then A for AUTH.
    plain = "LMTP" if is_lmtp else "SMTP"
    word = f"UTF8{plain}" if smtp_utf8 else plain if is_lmtp else "ESMTP"
    return f"{word}{'S' if has_tls else ''}{'A' if is_authenticated else ''}"


def received_field(hop: Hop, *, recipient: str | None) -> bytes:
    """recipient: the only one, or None; with several, naming them would show each to the others (RFC 5321 §7.2).

    RFC 5321 §4.4: Time-stamp-line = "Received:" FWS Stamp CRLF; TCP-info = address-literal / ( Domain FWS
    address-literal ), of which the address is what the socket says, and the domain what DNS says of it.
    """
    literal = f"IPv6:{hop.peer_host}" if ":" in hop.peer_host else hop.peer_host
    for_ = f"\r\n\tfor <{recipient}>" if recipient else ""
    named = f"{hop.named} " if hop.named else ""
    # RFC 5321 §4.4: who hands mail over by another protocol has no From-domain to be named.
    from_ = f"from {hop.called} ({named}[{literal}])\r\n\t" if hop.peer_host else ""
    text = (
        f"Received: {from_}by {hop.hostname} with {hop.protocol} id {hop.trace_id}{for_};\r\n"
        f"\t{format_date(hop.received_at)}\r\n"
    )
    return text.encode()


def was_submitted(fields: Sequence[Field], hostname: str) -> bool:
    """Of a message as it lies in a mailbox: whether its author was logged in here. Submission lets nobody write
    in another's name. fields: of the header. hostname: ours."""
    found = _SUBMITTED.match((first(fields, b"received") or b"").strip())
    return found is not None and found[1].lower() == hostname.lower().encode()


def return_path_field(reverse_path: str) -> bytes:
    return f"Return-Path: <{reverse_path}>\r\n".encode()


def delivered_to_field(address: str) -> bytes:
    """RFC 9228 §4: of an address of ours that sent the mail on; where it meets its own, mail goes round in circles."""
    # Never beyond ASCII: it must not ask for SMTPUTF8 where the mail does not.
    return f"Delivered-To: {quote(address, safe=_ATOM)}\r\n".encode("ascii")


def passed_addresses(raw: RawMessage) -> frozenset[str]:
    """Those that sent the mail on, here and elsewhere, as it says."""
    return frozenset(_address_in(found[1]) for found in _DELIVERED_TO.finditer(raw[: header_end(raw)]))


def passed_by(fields: Sequence[Field]) -> frozenset[str]:
    """As passed_addresses. fields: of the header."""
    return frozenset(map(_address_in, every(fields, b"delivered-to")))


def _address_in(value: bytes) -> str:
    return unquote_to_bytes(value.strip()).decode("utf-8", "replace")


def has_too_many_hops(raw: RawMessage) -> bool:
    header = raw[: header_end(raw)]
    # The exact count takes longer, and nearly no message comes near it.
    return header.lower().count(b"received") > MAX_RECEIVED and len(_RECEIVED.findall(header)) > MAX_RECEIVED


def prepend(fields: bytes, raw: RawMessage, left_out: Sequence[tuple[int, int]] = ()) -> RawMessage:
    """left_out: ranges of the message that go, in order. A mapped message stays mapped: the whole goes into a file
    without a name, not into memory.

    Raises TryAgainLater when the disk is full.
    """
    if isinstance(raw, bytes):
        return fields + (b"".join(raw[start:end] for start, end in _kept(raw, left_out)) if left_out else raw)
    try:
        with tempfile.TemporaryFile(prefix="mailstack-") as file:
            file.write(fields)
            for start, end in _kept(raw, left_out):
                for at in range(start, end, _COPY_BYTES):
                    file.write(raw[at : min(at + _COPY_BYTES, end)])
            file.flush()
            return mmap(file.fileno(), 0, access=ACCESS_READ)
    except OSError as fault:
        raise TryAgainLater(f"copy of a large message: {fault}") from fault


def _kept(raw: RawMessage, left_out: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    at = 0
    for start, end in left_out:
        yield at, start
        at = end
    yield at, len(raw)


def _printable(text: str) -> str:
    """The peer's own name for itself goes into a field that others parse: nothing but what a domain or literal has."""
    return _FOREIGN.sub("?", text)[:255] or "unknown"
