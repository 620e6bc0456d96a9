"""Delivery status notifications: what a sender gets when mail came back, is late or has arrived. RFC 3464, RFC 6522,
RFC 6533.

Written, and read only to take out again what was put in. Everything but the sender's own internationalised address is
7-bit text, so that a notice passes where the mail did not. Values from peers are made printable; none can add a field
or a part.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from mailstack.formats.compose import write_date, write_field, write_message_id, write_text_field
from mailstack.formats.dates import format_date
from mailstack.formats.headers import header_end
from mailstack.formats.text_part import write_text_part
from mailstack.formats.xtext import decode_xtext
from mailstack.model.delivery import SmtpReply
from mailstack.model.instant import Instant

MAX_HEADER_OCTETS = 64 * 1024
_CRLF = b"\r\n"
_BOUNDARY = re.compile(rb'\breport-type=delivery-status;\s+boundary="(=_[0-9A-Za-z]+)"')
_SHOWN = b"Content-Type: text/rfc822-headers"


class Action(StrEnum):
    """RFC 3464 §2.3.3."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientStatus:
    """recipient: a path as written. host: who gave the reply, "" for ourselves. original_recipient: as ORCPT had it,
    "" without one. retry_until: of delayed mail."""

    recipient: str
    reply: SmtpReply
    host: str
    original_recipient: str = ""
    retry_until: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """to: the reverse path of the mail. header: of the mail, with its closing empty line or without; b"" for a
    notice that does not show it. envelope_id: as ENVID had it, "" without one. trace_id: under which the log knows the
    mail, "" without one. whole: the mail itself, of 7-bit lines, in place of its header; b"": that alone.
    is_tls_optional: as the sender had it of the mail."""

    action: Action
    reporting_host: str
    to: str
    arrived_at: Instant
    written_at: Instant
    recipients: Sequence[RecipientStatus]
    header: bytes
    envelope_id: str = ""
    trace_id: str = ""
    whole: bytes = b""
    is_tls_optional: bool = False


def write_notice(notice: Notice, *, token: str) -> bytes:
    """token: random letters and digits, for the boundary and the Message-ID."""
    boundary = f"=_{token}".encode("ascii")
    parts = [_explanation(notice), _status(notice)]
    if notice.whole:
        parts.append(b"Content-Type: message/rfc822" + _CRLF + _CRLF + notice.whole)
    elif notice.header:  # RFC 6522 §3: the third part may be left out
        parts.append(_returned_header(notice.header))
    body = b"".join(b"--" + boundary + _CRLF + part + _CRLF for part in parts)
    return _header(notice, token) + _CRLF + body + b"--" + boundary + b"--" + _CRLF


def without_header(raw: bytes) -> bytes:
    """A notice, as write_notice has it, that shows nothing of the mail; any other message as it is."""
    boundary = _BOUNDARY.search(raw, 0, header_end(raw))
    if boundary is None:
        return raw
    delimiter = b"--" + boundary[1]
    before, shown, _ = raw.partition(delimiter + _CRLF + _SHOWN)
    return before + delimiter + b"--" + _CRLF if shown else raw


_SUBJECTS = {
    Action.FAILED: "Mail could not be delivered",
    Action.DELAYED: "Mail is delayed",
    Action.DELIVERED: "Mail was delivered",
    Action.RELAYED: "Mail was handed over",
    Action.EXPANDED: "Mail was passed on",
}
_OPENINGS = {
    Action.FAILED: "Your message could not be delivered to the addresses below. It will not be tried again.",
    Action.DELAYED: (
        "Your message has not been delivered to the addresses below yet. It will be tried again;\r\n"
        "you need not send it a second time."
    ),
    # RFC 3461 §5.2.3: it is there to be fetched, which says nothing of anybody having read it.
    Action.DELIVERED: "Your message is in the mailboxes of the addresses below, as you asked to be told.",
    Action.RELAYED: "Your message was taken by the servers of the addresses below, which may tell you no more of it.",
    # RFC 3464 §2.3.3: not the last word; failures and delays may follow.
    Action.EXPANDED: (
        "Your message was taken for the addresses below, each of which stands for several, and was passed on to\r\n"
        "them. Of each of these you hear no more, unless it fails or is late and you asked to be told."
    ),
}


def _header(notice: Notice, token: str) -> bytes:
    host = notice.reporting_host
    return b"".join(
        (
            write_field("From", f"Mail Delivery System <mailer-daemon@{host}>"),
            write_field("To", f"<{_printable(notice.to)}>"),
            write_text_field("Subject", _SUBJECTS[notice.action]),
            write_date(notice.written_at),
            write_message_id(token, host),
            write_field("Auto-Submitted", "auto-replied"),  # RFC 3834 §5.1: nobody's vacation answers it
            # RFC 8689 §6: what is written because of a mail asks for TLS as the mail did.
            write_field("TLS-Required", "No") if notice.is_tls_optional else b"",
            write_field("MIME-Version", "1.0"),
            # RFC 6522 §3
            write_field("Content-Type", f'multipart/report; report-type=delivery-status; boundary="=_{token}"'),
        )
    )


def _explanation(notice: Notice) -> bytes:
    lines = [f"This is the mail server at {notice.reporting_host}.", "", _OPENINGS[notice.action]]
    for status in notice.recipients:
        said_by = f"{_printable(status.host)} said" if status.host else "reason"
        lines += ["", f"<{_printable(status.recipient)}>"]
        if (written := _written_to(status)) not in ("", status.recipient):
            lines.append(f"    to which mail for <{written}> goes on")
        lines.append(f"    {said_by}: {_printable(str(status.reply))}")
    if notice.trace_id:
        lines += ["", f"Whoever runs this server finds it in the log by its trace: {notice.trace_id}"]
    text = ("\r\n".join(lines) + "\r\n").encode()
    return write_text_part(b"text/plain", text)


def _written_to(status: RecipientStatus) -> str:
    kind, _, address = status.original_recipient.partition(";")
    return decode_xtext(address) if kind.casefold() == "rfc822" else ""


def _status(notice: Notice) -> bytes:
    # RFC 3464 §2.1: per-message fields, then a group for each recipient, parted by empty lines.
    groups = [
        _envelope_id_field(notice.envelope_id)
        + write_field("Reporting-MTA", f"dns; {notice.reporting_host}")
        + write_field("Arrival-Date", format_date(notice.arrived_at))
        + _trace_field(notice.trace_id)
    ]
    groups += [_recipient_fields(notice, status) for status in notice.recipients]
    return b"Content-Type: message/delivery-status" + _CRLF + _CRLF + _CRLF.join(groups)


def _envelope_id_field(envelope_id: str) -> bytes:
    # RFC 3464 §2.2.1, RFC 3461 §6.3: decoded again.
    return write_field("Original-Envelope-Id", decode_xtext(envelope_id)) if envelope_id else b""


def _trace_field(trace_id: str) -> bytes:
    # RFC 3464 §2.4: extension fields begin with "X-" unless they are registered.
    return write_field("X-Mailstack-Trace", trace_id) if trace_id else b""


def _original_recipient_field(original: str) -> bytes:
    if not original:
        return b""
    kind, _, address = original.partition(";")
    # RFC 3464 §2.3.1; RFC 6533 §3: of type utf-8, the form in the notice is that of the parameter, but all ASCII.
    text = "".join(map(_unicode_xtext, address)) if kind.casefold() == "utf-8" else decode_xtext(address)
    return write_field("Original-Recipient", f"{kind}; {text}")


def _unicode_xtext(character: str) -> str:
    return character if character.isascii() else _xtext(character)


def _recipient_fields(notice: Notice, status: RecipientStatus) -> bytes:
    fields = [
        _original_recipient_field(status.original_recipient),
        write_field("Final-Recipient", _typed_address(status.recipient)),
        write_field("Action", notice.action.value),
        write_field("Status", _status_code(notice.action, status.reply)),
    ]
    if status.host:
        fields.append(write_field("Remote-MTA", f"dns; {_ascii(status.host)}"))
        fields.append(write_field("Diagnostic-Code", f"smtp; {_ascii(str(status.reply))}"))
        # RFC 3464 §2.3.7: only of an attempt that is known of; a person may have given it up, or a back-off ended it.
        fields.append(write_field("Last-Attempt-Date", format_date(notice.written_at)))
    else:
        # RFC 3464 §2.3.6: the type says where the code comes from, and this one came from no peer.
        fields.append(write_field("Diagnostic-Code", f"x-mailstack; {_ascii(str(status.reply))}"))
    if status.retry_until is not None:
        fields.append(write_field("Will-Retry-Until", format_date(status.retry_until)))
    return b"".join(fields)


def _status_code(action: Action, reply: SmtpReply) -> str:
    # RFC 3464 §2.3.4: the class goes with the action; 0.0 where nobody said more.
    wanted = _CLASSES[action]
    return f"{wanted}{reply.status[1:]}" if reply.status else f"{wanted}.0.0"


_CLASSES = {Action.FAILED: "5", Action.DELAYED: "4", Action.DELIVERED: "2", Action.RELAYED: "2", Action.EXPANDED: "2"}


def _typed_address(recipient: str) -> str:
    text = _printable(recipient)
    if text.isascii():
        return f"rfc822; {text}"
    # RFC 6533 §3: utf-8-addr-xtext, the form for message/delivery-status, which is ASCII.
    return "utf-8; " + "".join(_xtext(character) for character in text)


def _xtext(character: str) -> str:
    # EmbeddedUnicodeChar = %x5C.78 "{" EmbeddedUnicodePoint "}"; "\", "+" and "=" are embedded as well.
    plain = "!" <= character <= "~" and character not in "\\+="
    return character if plain else f"\\x{{{ord(character):02X}}}"


def _returned_header(header: bytes) -> bytes:
    # RFC 6522 §4: the header tells the sender which mail it was, and is all that a stranger to it should get.
    return write_text_part(b"text/rfc822-headers", _bounded(header.rstrip(b"\r\n") + _CRLF))


def _bounded(header: bytes) -> bytes:
    if len(header) <= MAX_HEADER_OCTETS:
        return header
    return header[: header.rfind(_CRLF, 0, MAX_HEADER_OCTETS) + 2] or header[:MAX_HEADER_OCTETS]


_ENDLESS = re.compile(r"(\S{200})(?=\S)")
_SPACES = re.compile(r"\s+")


def _printable(text: str) -> str:
    """One line; what does not print becomes a question mark."""
    line = _SPACES.sub(" ", text)
    return line if line.isprintable() else "".join(c if c.isprintable() else "?" for c in line)


def _ascii(text: str) -> str:
    """Broken into words that fit a line: a peer's endless word must not keep the sender from hearing of it at all."""
    plain = _printable(text).encode("ascii", "backslashreplace").decode("ascii")
    return _ENDLESS.sub(r"\1 ", plain)
