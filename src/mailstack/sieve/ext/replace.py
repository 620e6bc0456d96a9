"""`replace`: a text, or a whole MIME entity, instead of a part or of all parts. RFC 5703 §5."""

from collections.abc import Iterator

from mailstack.formats.addresses import parse_mailboxes
from mailstack.formats.compose import write_field, write_text_field
from mailstack.formats.headers import header_end, scan_fields
from mailstack.formats.words import encode_words
from mailstack.model.errors import Invalid
from mailstack.sieve.arguments import Arguments
from mailstack.sieve.check import Compiler
from mailstack.sieve.composed import MIME_VERSION, boundaries_of, holds_boundary, is_of_content, octets_of, text_part
from mailstack.sieve.entity import Entity
from mailstack.sieve.faults import Misplaced, RuntimeFault
from mailstack.sieve.language import CommandSpec, Extension, Kind, Parameter, Signature, TagSpec
from mailstack.sieve.run import Run, Step


def _replace(arguments: Arguments, _compiler: Compiler) -> Step:
    replacement = arguments.text("replacement")
    is_mime = arguments.has("mime")
    subject, sender = arguments.optional("subject"), arguments.optional("from")
    if sender.constant:
        try:
            _from_field(sender.constant)
        except Invalid as fault:
            raise Misplaced(arguments.place("from"), str(fault)) from None

    def step(run: Run) -> None:
        boundaries = boundaries_of(run.message)
        run.spend(len(boundaries) + 1)
        made = _made(replacement.of(run), boundaries, is_mime=is_mime)
        entity = run.part or run.message
        if entity is run.message:
            try:
                made = _of_message(entity, made, subject.of(run), sender.of(run))
            except Invalid as fault:
                raise RuntimeFault(str(fault)) from None
        run.put(len(made))
        entity.replace(made)

    return step


def _made(text: str, boundaries: frozenset[bytes], *, is_mime: bool) -> bytes:
    if not is_mime:
        return text_part(text, boundaries)
    octets = octets_of(text)
    if holds_boundary(octets, boundaries):
        raise RuntimeFault("replace with what holds a boundary of the message")
    return octets


def _of_message(message: Entity, made: bytes, subject: str, sender: str) -> bytes:
    """RFC 5703 §5: all of the message is replaced, and keeps what its header says of it as a whole."""
    body_start = header_end(made)
    content = [made[at.start : at.end] for at in scan_fields(made, 0, body_start) if at.name.startswith(b"content-")]
    given = {}
    if subject:
        given[b"subject"] = write_text_field("Subject", subject)
    if sender:
        given[b"from"] = _from_field(sender)
    fields = [*_kept(message, given), *given.values(), MIME_VERSION, *content]
    return b"".join([*fields, b"\r\n", made[body_start:]])


def _kept(message: Entity, given: dict[bytes, bytes]) -> Iterator[bytes]:
    head = message.head
    for field in message.fields:
        if is_of_content(field.name):
            continue
        octets = head[field.start : field.end]
        # RFC 5703 §5: what was there is preserved, as Original-Subject and Original-From.
        before = b"Original-" if field.name in given else b""
        yield before + octets + (b"" if octets.endswith(b"\n") else b"\r\n")


def _from_field(value: str) -> bytes:
    """RFC 5703 §5: a mailbox-list. Raises Invalid."""
    mailboxes = parse_mailboxes(value.encode("utf-8", "replace"))
    if not mailboxes or not all(one.domain and one.local_part for one in mailboxes):
        raise Invalid(f"{value!r} is no list of addresses for a From field")
    if value.isascii():
        return write_field("From", value)
    written = []
    for one in mailboxes:
        name = encode_words(one.name.decode("utf-8", "replace")).decode("ascii")
        address = b"%b@%b" % (one.local_part, one.domain)
        written.append(f"{name} <{address.decode('utf-8', 'replace')}>".lstrip())
    return write_field("From", ", ".join(written))


EXTENSION = Extension(
    name="replace",
    commands=(
        CommandSpec(
            name="replace",
            signature=Signature(
                parameters=(Parameter(name="replacement", kind=Kind.STRING),),
                tags=(
                    TagSpec(name="mime"),
                    TagSpec(name="subject", value=Kind.STRING),
                    TagSpec(name="from", value=Kind.STRING),
                ),
            ),
            compile=_replace,
        ),
    ),
)
