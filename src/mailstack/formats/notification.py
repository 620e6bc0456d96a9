"""The mail that a filter's `notify` sends: word of another mail, made by a mailto URI. RFC 5436 §2.7.

Whether there is one at all (not for what was sent automatically), and how many, is not its question.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mailstack.formats.addresses import Mailbox, address_text, parse_mailboxes
from mailstack.formats.auto_reply import thread_fields
from mailstack.formats.compose import phrase, shortened, write_date, write_field, write_message_id, write_text_field
from mailstack.formats.headers import Field, first
from mailstack.formats.mailto import Mailto
from mailstack.formats.text_part import write_text_part
from mailstack.formats.words import decode_words
from mailstack.model.instant import Instant

# RFC 5436 §2.7: what a URI must not set, for it is the mail's own or would deceive; and what this message says itself.
_NOT_FROM_URIS = re.compile(
    r"from|sender|to|cc|bcc|subject|date|message-id|references|in-reply-to|auto-submitted|received|return-path"
    r"|mime-version|content-.*|resent-.*|list-.*|dkim-signature|arc-.*|authentication-results"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """sender: for From. owner: whose script it is; both local@domain. message: as `:message` has it, "" without one.
    domain: for the Message-ID. fields: of the mail that it tells of."""

    uri: Mailto
    sender: str
    owner: str
    message: str = ""
    written_at: Instant
    domain: str
    fields: Sequence[Field] = ()


def recipients(uri: Mailto) -> tuple[str, ...]:
    """Of the envelope, local@domain: those of to and cc, each once."""
    return tuple(dict.fromkeys(address_text(one) for one in (*_to(uri), *_copies(uri))))


def write_notification(notification: Notification, *, token: str) -> bytes:
    """token: random letters and digits. Raises Invalid for an address that is none."""
    return b"".join(_fields(notification, token)) + write_text_part(b"text/plain", _body(notification).encode())


def _fields(notification: Notification, token: str) -> Iterator[bytes]:
    uri = notification.uri
    # RFC 5436 §2.7.1: with one of the parameters that tell whose script it was.
    yield write_field("Auto-Submitted", f'auto-notified; owner-email="{_quoted(notification.owner)}"')
    yield write_field("From", notification.sender)
    yield write_field("To", _written(_to(uri)))
    if copies := _copies(uri):
        yield write_field("Cc", _written(copies))
    yield write_text_field("Subject", _subject(notification))
    yield write_date(notification.written_at)
    yield write_message_id(token, notification.domain)
    yield from thread_fields(notification.fields)
    for name, value in uri.fields:
        if not _NOT_FROM_URIS.fullmatch(name):
            yield write_text_field(name.capitalize(), value)
    yield write_field("MIME-Version", "1.0")


def _to(uri: Mailto) -> tuple[Mailbox, ...]:
    return parse_mailboxes(", ".join(uri.to).encode())


def _copies(uri: Mailto) -> tuple[Mailbox, ...]:
    """Those who are not addressed already."""
    addressed = {address_text(one) for one in _to(uri)}
    given = parse_mailboxes(", ".join(value for name, value in uri.fields if name == "cc").encode())
    return tuple(one for one in given if address_text(one) not in addressed)


def _written(mailboxes: Sequence[Mailbox]) -> str:
    return ", ".join(f"{phrase(decode_words(one.name))} <{address_text(one)}>".lstrip() for one in mailboxes)


def _quoted(text: str) -> str:
    return re.sub(r"([\"\\])", r"\\\1", text)


def _subject(notification: Notification) -> str:
    """RFC 5436 §2.7: that of `:message`, else of the URI, else of the mail."""
    named = next((value for name, value in notification.uri.fields if name == "subject"), None)
    of_mail = decode_words(first(notification.fields, b"subject") or b"")
    return shortened(notification.message or (of_mail if named is None else named))


def _body(notification: Notification) -> str:
    if notification.uri.body:
        return f"{notification.uri.body.rstrip()}\r\n"
    shown = [(name, first(notification.fields, name.lower().encode("ascii"))) for name in ("From", "Subject")]
    return "".join(f"{name}: {decode_words(value)}\r\n" for name, value in shown if value is not None)
