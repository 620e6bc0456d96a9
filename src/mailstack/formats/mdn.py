"""Message disposition notifications: what becomes of a mail after it was delivered. RFC 8098.

Written for mail that a person's filter refused (RFC 5429 §2.1.1), where it was too late to refuse it by SMTP.
"""

from dataclasses import dataclass

from mailstack.formats.compose import write_date, write_field, write_message_id, write_text_field
from mailstack.formats.text_part import write_text_part
from mailstack.model.instant import Instant

_CRLF = b"\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """to: the reverse path of the mail. recipient: who refuses it. reason: with CRLF. header: of the mail, b"" where it
    is not shown. message_id: of the mail, "" without one."""

    reporting_host: str
    to: str
    recipient: str
    reason: str
    written_at: Instant
    header: bytes
    message_id: str = ""


def write_refused(refused: Refused, *, token: str) -> bytes:
    """token: random letters and digits, for the boundary and the Message-ID."""
    delimiter = f"--=_{token}".encode("ascii")
    parts = [_explanation(refused), _disposition(refused)]
    if refused.header:
        parts.append(write_text_part(b"text/rfc822-headers", refused.header.rstrip(b"\r\n") + _CRLF))
    body = b"".join(delimiter + _CRLF + part + _CRLF for part in parts)
    return _header(refused, token) + _CRLF + body + delimiter + b"--" + _CRLF


def _header(refused: Refused, token: str) -> bytes:
    report = f'multipart/report; report-type=disposition-notification; boundary="=_{token}"'
    return b"".join(
        (
            write_field("From", f"Mail Delivery System <postmaster@{refused.reporting_host}>"),
            write_field("To", f"<{refused.to}>"),
            write_text_field("Subject", "Mail was refused"),
            write_date(refused.written_at),
            write_message_id(token, refused.reporting_host),
            write_field("Auto-Submitted", "auto-replied (rejected)"),  # RFC 5429 §2.1.1
            write_field("MIME-Version", "1.0"),
            write_field("Content-Type", report),  # RFC 8098 §3.1
        )
    )


def _explanation(refused: Refused) -> bytes:
    opening = f"Your message was refused by the mail filter of <{refused.recipient}>, which says:"
    return write_text_part(b"text/plain", f"{opening}\r\n\r\n{refused.reason.rstrip()}\r\n".encode())


def _disposition(refused: Refused) -> bytes:
    fields = [
        write_field("Reporting-UA", f"{refused.reporting_host}; mailstack"),
        write_field("Final-Recipient", f"rfc822; {refused.recipient}"),
        write_field("Original-Message-ID", refused.message_id) if refused.message_id else b"",
        # RFC 5429 §2.1.1, RFC 8098 §3.2.6.
        write_field("Disposition", "automatic-action/MDN-sent-automatically; deleted"),
    ]
    return b"Content-Type: message/disposition-notification" + _CRLF + _CRLF + b"".join(fields)
