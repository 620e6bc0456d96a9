"""`enclose`: a message with a text, and the one that came as its attachment. RFC 5703 §6."""

from collections.abc import Collection, Iterator
from hashlib import sha256

from mailstack.formats.compose import write_field, write_message_id, write_text_field
from mailstack.formats.dates import format_date
from mailstack.model.errors import Invalid
from mailstack.sieve.arguments import Arguments
from mailstack.sieve.check import Compiler
from mailstack.sieve.composed import MIME_VERSION, is_of_content, text_part
from mailstack.sieve.entity import Entity
from mailstack.sieve.faults import RuntimeFault
from mailstack.sieve.language import CommandSpec, Extension, Kind, Parameter, Signature, TagSpec
from mailstack.sieve.run import Run, Step
from mailstack.sieve.text import texts

_NONE = texts((), 0)


def _enclose(arguments: Arguments, _compiler: Compiler) -> Step:
    text, subject = arguments.text("text"), arguments.optional("subject")
    names = arguments.texts("headers") if arguments.has("headers") else _NONE

    def step(run: Run) -> None:
        if len(run.enclosed) >= run.limits.enclosures:
            raise RuntimeFault(f"more than {run.limits.enclosures} messages in each other by 'enclose'")
        run.spend(run.message.size >> 10)
        copied = {name.lower().encode("utf-8", "replace") for name in names.of(run)}
        try:
            made = _made(run, text.of(run), subject.of(run), copied)
        except Invalid as fault:
            raise RuntimeFault(f"enclose: {fault}") from None
        run.put(len(made))
        outer = Entity(made)
        outer.children[1].enclose(run.message)
        run.enclose(outer)

    return step


def _made(run: Run, text: str, subject: str, copied: Collection[bytes]) -> bytes:
    """With nothing in its second part yet."""
    message = run.message
    token = _token(message)
    fields = list(_fields(run, token, subject, copied))
    part = text_part(text, (token,))
    # RFC 2046 §5.2.1: the attached message may be 8-bit text, and is not encoded.
    return b"".join(
        [
            *fields,
            MIME_VERSION,
            b'Content-Type: multipart/mixed; boundary="%b"\r\nContent-Transfer-Encoding: 8bit\r\n\r\n' % token,
            b"--%b\r\n%b\r\n" % (token, part),
            b"--%b\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" % token,
            b"\r\n--%b--\r\n" % token,
        ]
    )


def _fields(run: Run, token: bytes, subject: str, copied: Collection[bytes]) -> Iterator[bytes]:
    """RFC 5703 §6: those that are asked for, and else a date and an author of its own."""
    mail, message = run.mail, run.message
    there = {field.name for field in message.fields} & set(copied)
    author = mail.envelope.recipient or next(iter(mail.addresses), "")
    if b"from" not in there:
        yield write_field("From", author) if author else _copies(message, {b"from"})
    if b"date" not in there:
        yield write_field("Date", format_date(mail.received_at, mail.offset_minutes))
    if b"message-id" not in there:
        yield write_message_id(token.decode("ascii"), author.rpartition("@")[2] or "localhost")
    if subject:
        yield write_text_field("Subject", subject)
    # RFC 5703 §6: the subject of the enclosed message, where no other is given.
    kept = {name for name in there if not is_of_content(name)} | {b"subject"}
    yield _copies(message, kept - {b"subject"} if subject else kept)


def _copies(message: Entity, names: Collection[bytes]) -> bytes:
    head = message.head
    found = [head[field.start : field.end] for field in message.fields if field.name in names]
    return b"".join(octets if octets.endswith(b"\n") else octets + b"\r\n" for octets in found)


def _token(message: Entity) -> bytes:
    """For a boundary, which no text may hold (RFC 2046 §5.1.1): the same whenever the script runs over that mail."""
    token = sha256(message.head).hexdigest()[:40].encode("ascii")
    while message.holds(token):
        token = sha256(token).hexdigest()[:40].encode("ascii")
    return token


EXTENSION = Extension(
    name="enclose",
    commands=(
        CommandSpec(
            name="enclose",
            signature=Signature(
                parameters=(Parameter(name="text", kind=Kind.STRING),),
                tags=(TagSpec(name="subject", value=Kind.STRING), TagSpec(name="headers", value=Kind.STRINGS)),
            ),
            compile=_enclose,
        ),
    ),
)
