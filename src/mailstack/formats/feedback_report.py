"""Reports of mail that nobody wanted, to whoever collects them: the Abuse Reporting Format. RFC 5965."""

from collections.abc import Iterator
from dataclasses import dataclass

from mailstack.formats.compose import shortened, write_date, write_field, write_message_id, write_text_field
from mailstack.formats.headers import first, header_end, scan_fields
from mailstack.formats.seven_bit import has_8bit
from mailstack.formats.text_part import write_text_part
from mailstack.formats.words import decode_words
from mailstack.model.instant import Instant
from mailstack.model.message import RawMessage

MAX_WHOLE_OCTETS = 1024 * 1024
"""Of a larger mail the header says enough."""
_CRLF = b"\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackReport:
    """feedback_type: a token, such as abuse. author, to, reporting_user: local@domain. text: with CRLF. raw: the mail
    that is reported; has_body: all of it, else its header. reverse_path: that it came by."""

    feedback_type: str
    author: str
    to: str
    text: str
    raw: RawMessage
    has_body: bool
    reverse_path: str
    reporting_user: str
    written_at: Instant
    domain: str


def write_feedback_report(report: FeedbackReport, *, token: str) -> bytes:
    """token: random letters and digits, for the boundary and the Message-ID. Raises Invalid for what no field holds."""
    delimiter = f"--=_{token}".encode("ascii")
    parts = (write_text_part(b"text/plain", f"{report.text.rstrip()}\r\n".encode()), _feedback(report), _mail(report))
    body = b"".join(delimiter + _CRLF + part + _CRLF for part in parts)
    return b"".join(_header(report, token)) + _CRLF + body + delimiter + b"--" + _CRLF


def _header(report: FeedbackReport, token: str) -> Iterator[bytes]:
    subject = decode_words(first(scan_fields(report.raw), b"subject") or b"")
    yield write_field("From", f"Postmaster <{report.author}>")
    yield write_field("To", f"<{report.to}>")
    yield write_text_field("Subject", shortened(f"Report: {subject}"))
    yield write_date(report.written_at)
    yield write_message_id(token, report.domain)
    yield write_field("Auto-Submitted", "auto-generated (report)")  # RFC 3834 §5
    yield write_field("MIME-Version", "1.0")
    # RFC 5965 §2: a multipart/report of three parts.
    yield write_field("Content-Type", f'multipart/report; report-type=feedback-report; boundary="=_{token}"')


def _feedback(report: FeedbackReport) -> bytes:
    fields = [
        # RFC 5965 §3.1: these three are needed.
        write_field("Feedback-Type", report.feedback_type),
        write_field("User-Agent", "mailstack"),
        write_field("Version", "1"),
        write_field("Original-Mail-From", f"<{report.reverse_path}>"),
        # RFC 5965 §3.5 lets there be others; this one is how those who read Dovecot's reports know the account.
        write_field("Dovecot-Reporting-User", f"<{report.reporting_user}>"),
    ]
    return b"Content-Type: message/feedback-report" + _CRLF + _CRLF + b"".join(fields)


def _mail(report: FeedbackReport) -> bytes:
    if not report.has_body or len(report.raw) > MAX_WHOLE_OCTETS:
        header = bytes(report.raw[: header_end(report.raw)])
        return write_text_part(b"text/rfc822-headers", header.rstrip(b"\r\n") + _CRLF)
    raw = bytes(report.raw)
    encoding = b"8bit" if has_8bit(raw) else b"7bit"
    return b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: %b\r\n\r\n%b" % (encoding, raw)
