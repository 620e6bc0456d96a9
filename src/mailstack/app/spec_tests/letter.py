"""The message of a test, as a mail program would write it, or as its file has it. RFC 5322 §3.6."""

import os
from collections.abc import Mapping
from pathlib import Path

from mailstack.app.spec_tests.bed import NOW
from mailstack.formats.compose import write_date, write_field, write_message_id, write_text_field
from mailstack.model.line_ends import with_crlf
from mailstack.spec.sections.tests import Send

MAX_FILE_BYTES = 64 << 20
MESSAGE_ID_TOKEN = "a-test-of-the-spec"

# What holds addresses is not encoded as words are (RFC 2047 §5): UTF-8 stays UTF-8 (RFC 6532 §3.2).
_STRUCTURED = frozenset({"from", "to", "cc", "sender", "reply-to", "message-id", "references", "in-reply-to", "date"})


def message_of(send: Send, title: str, sender: str) -> bytes:
    """With CRLF line ends. title: for mails without a subject. sender: for the From field.

    Raises Invalid for a field that fits no line.
    """
    return b"".join(with_crlf(_written(send, title, sender) if send.eml is None else _read(send.eml)))


def why_unreadable(path: Path) -> str:
    """Of a message file; "" for one that can be read."""
    try:
        # Opening a FIFO would wait for whoever writes to it.
        if path.exists() and not path.is_file():
            return f"{path} is not a regular file"
        with path.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
    except OSError as fault:
        return f"{path} cannot be read: {fault.strerror or fault}"
    return f"{path} is over {MAX_FILE_BYTES >> 20} MiB" if size > MAX_FILE_BYTES else ""


def _written(send: Send, title: str, sender: str) -> bytes:
    fields = {
        "From": sender or f"postmaster@{send.helo}",
        "To": ", ".join(send.to),
        "Subject": title if send.subject is None else send.subject,
    }
    header = b"".join(_field(name, value) for name, value in _overridden(fields, send.headers).items())
    named = {name.casefold() for name in send.headers}
    if "date" not in named:
        header += write_date(NOW)
    if "message-id" not in named:
        header += write_message_id(MESSAGE_ID_TOKEN, "client.example")
    if "mime-version" not in named and "content-type" not in named:
        header += b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
    body = "A test of the spec.\n" if send.body is None else send.body
    return header + b"\r\n" + body.encode()


def _overridden(fields: Mapping[str, str], further: Mapping[str, str]) -> dict[str, str]:
    named = {name.casefold() for name in further}
    return {**{name: value for name, value in fields.items() if name.casefold() not in named}, **further}


def _field(name: str, value: str) -> bytes:
    return write_field(name, value) if name.casefold() in _STRUCTURED else write_text_field(name, value)


def _read(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(MAX_FILE_BYTES)
