"""Answers that nobody wrote just now: to whom there may be one, and what it looks like. RFC 3834; RFC 5230 §4.5, §5.

How often the same sender is answered is not its question.
"""

import re
from collections.abc import Sequence, Set
from dataclasses import dataclass

from mailstack.formats.addresses import address_text, parse_mailboxes
from mailstack.formats.compose import phrase, shortened, write_date, write_field, write_message_id, write_text_field
from mailstack.formats.headers import Field, every, first, header_end
from mailstack.formats.list_fields import is_automatic
from mailstack.formats.text_part import write_text_part
from mailstack.formats.words import decode_words
from mailstack.model.errors import Invalid
from mailstack.model.instant import Instant

MAX_REFERENCES = 20
# RFC 5230 §4.6: fields of lists, RFC 2369 and RFC 2919; and what lists were known by before them.
_OF_LISTS = frozenset(
    {
        *(b"list-id", b"list-help", b"list-subscribe", b"list-unsubscribe"),
        *(b"list-post", b"list-owner", b"list-archive"),
    }
)
_OF_MANY = frozenset({b"bulk", b"list", b"junk"})
# RFC 5230 §4.5: where an account must be named for an answer: what comes by Bcc of others, or a list, names it nowhere.
_NAMING = (b"to", b"cc", b"bcc", b"resent-to", b"resent-cc", b"resent-bcc")
# RFC 3834 §2: programs that read their mail, by the names that they have.
_PROGRAM = re.compile(
    r"(?:owner-.*|.*-(?:request|owner|bounces?)|mailer-daemon|listserv|majordomo|no-?reply|do-?not-?reply)",
    re.IGNORECASE,
)
_MESSAGE_ID = re.compile(rb"<[^<>\s]{1,900}>")


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoReply:
    """to: the reverse path of the mail. sender: local@domain; name: in front of it, "" for none. text: with CRLF; a
    whole MIME entity, fields and body, where is_mime. domain: for the Message-ID. fields: of the mail."""

    to: str
    sender: str
    name: str = ""
    subject: str
    text: str
    is_mime: bool = False
    written_at: Instant
    domain: str
    fields: Sequence[Field] = ()


def why_not(fields: Sequence[Field], *, reverse_path: str, own: Set[str]) -> str:
    """Why a mail gets no answer, for the log; "" where it may. own: addresses of the account, case-folded."""
    sender = reverse_path.casefold()
    if not sender:
        return "it is a notice"
    if sender in own:
        return "it is from oneself"
    if _PROGRAM.fullmatch(sender.rpartition("@")[0]):
        return "a program sent it"
    if is_automatic(fields):
        return "it was sent automatically"
    if any(field.name in _OF_LISTS for field in fields):
        return "it came by a list"
    if any(value.strip().lower() in _OF_MANY for value in every(fields, b"precedence")):
        return "it went to many"
    if any(_wants_none(value) for value in every(fields, b"x-auto-response-suppress")):
        return "its sender wants no answers of absence"
    return "" if own & _named(fields) else "it names none of the account's addresses"


def _wants_none(value: bytes) -> bool:
    """Of Exchange's field: all answers, or those that say that somebody is out of office."""
    return any(word.strip().lower() in (b"all", b"oof") for word in value.split(b","))


def _named(fields: Sequence[Field]) -> set[str]:
    return {
        address_text(mailbox).casefold()
        for name in _NAMING
        for value in every(fields, name)
        for mailbox in parse_mailboxes(value)
    }


def write_auto_reply(reply: AutoReply, *, token: str) -> bytes:
    """token: random letters and digits. Raises Invalid for an address or an entity that is none."""
    entity = _entity(reply.text) if reply.is_mime else write_text_part(b"text/plain", reply.text.encode())
    name = f"{phrase(reply.name)} " if reply.name else ""
    return b"".join(
        (
            write_field("From", f"{name}<{reply.sender}>"),
            write_field("To", _to(reply)),
            _subject_field(reply),
            write_date(reply.written_at),
            write_message_id(token, reply.domain),
            *thread_fields(reply.fields),
            write_field("Auto-Submitted", "auto-replied (vacation)"),  # RFC 5230 §5.7
            write_field("MIME-Version", "1.0"),
            entity,
        )
    )


def _to(reply: AutoReply) -> str:
    """Whoever sent the mail, with the name that it has there."""
    wanted = reply.to.casefold()
    for value in (value for name in (b"sender", b"from") for value in every(reply.fields, name)):
        for mailbox in parse_mailboxes(value):
            if mailbox.name and address_text(mailbox).casefold() == wanted:
                return f"{phrase(decode_words(mailbox.name))} <{reply.to}>".lstrip()
    return f"<{reply.to}>"


def _subject_field(reply: AutoReply) -> bytes:
    # RFC 5230 §4.3: encoded if and only if it is not ASCII; whoever wrote encoded words wants them.
    subject = _subject(reply)
    if reply.subject and subject.isascii() and subject.isprintable():
        return write_field("Subject", subject)
    return write_text_field("Subject", subject)


def _subject(reply: AutoReply) -> str:
    if reply.subject:
        return shortened(reply.subject)
    # RFC 5230 §5.3, RFC 3834 §3.1.5: "Auto: " before that of the mail, or where it has none, words of our own.
    of_mail = decode_words(first(reply.fields, b"subject") or b"").strip()
    return shortened(f"Auto: {of_mail}").rstrip() if of_mail else "Automated reply"


def thread_fields(fields: Sequence[Field]) -> tuple[bytes, ...]:
    """RFC 5230 §5.8, RFC 5322 §3.6.4."""
    answered = _MESSAGE_ID.search(first(fields, b"message-id") or b"")
    if answered is None:
        return ()
    before = _MESSAGE_ID.findall(first(fields, b"references") or first(fields, b"in-reply-to") or b"")
    # The first of a long thread is what it is found by.
    kept = before if len(before) <= MAX_REFERENCES else [before[0], *before[1 - MAX_REFERENCES :]]
    references = b" ".join([*kept, answered[0]])
    return (
        write_field("In-Reply-To", answered[0].decode("utf-8", "replace")),
        write_field("References", references.decode("utf-8", "replace")),
    )


def _entity(text: str) -> bytes:
    """RFC 5230 §4.1: with `:mime`, the text has a header of its own, of which only MIME's fields are taken."""
    raw = text.encode()
    end = header_end(raw)
    if not raw[:end].isascii():
        raise Invalid("a MIME entity with a header that is not ASCII")
    lines = re.split(rb"(?<=\r\n)(?![ \t])", raw[:end])
    kept = [line for line in lines if line.lower().startswith(b"content-")]
    if not kept:
        raise Invalid("a MIME entity without any of its fields")
    return b"".join(kept) + b"\r\n" + raw[end:]
