"""Who a mail is from and for, where nobody says so: out of the fields that servers leave on top. RFC 5321 §4.4.

What the mail itself says is only believed where our own server wrote it, or where nothing else is to be had; each guess
is told.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from mailstack.formats.addresses import parse_mailboxes
from mailstack.formats.headers import Field, scan_fields, unfold
from mailstack.model.address import parse_address
from mailstack.model.errors import Invalid
from mailstack.model.line_ends import has_bare_line_end, with_crlf
from mailstack.spec.sections.tests import parse_path

MOST_GUESSED = 20

# As services.inbound.trace writes it.
_RECEIVED = re.compile(r"from (?P<helo>[!-~]+) \(\[(?:IPv6:)?(?P<peer>[0-9A-Fa-f:.]+)\]\)\s+by (?P<by>[!-~]+) ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What was said by who asks; None and none for what was not. mail_from: "" for the null path."""

    peer: str | None = None
    helo: str | None = None
    mail_from: str | None = None
    recipients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressed:
    """A whole envelope. notes: what was guessed, and from what."""

    peer: str
    helo: str
    mail_from: str
    recipients: tuple[str, ...]
    notes: tuple[str, ...]


def as_mail(content: bytes) -> tuple[bytes, tuple[str, ...]]:
    """With CRLF, and what had to be done for that. Raises Invalid where there is nothing."""
    notes = []
    if content.startswith(b"From "):
        # RFC 4155: how a mailbox in one file begins each message.
        content = content.partition(b"\n")[2]
        notes.append('the line "From …" on top is an mbox separator, and no part of the mail')
    if not content.strip():
        raise Invalid("there is no mail in it")
    if has_bare_line_end(content):
        content = b"".join(with_crlf(content))
        notes.append("lines that do not end in CRLF are read as if they did, as they would be sent")
    return content, tuple(notes)


def addressed(
    raw: bytes, given: Given, *, hostname: str, domains: Collection[str], notes: Sequence[str] = ()
) -> Addressed:
    """hostname and domains: ours. notes: come first. Raises Invalid, naming the option that is missing."""
    fields = scan_fields(raw)
    notes = list(notes)
    helo, peer = given.helo, given.peer
    brought = _brought(fields, hostname)
    if peer is None:
        if brought is None:
            raise Invalid(f"who brings the mail? Say --from ADDRESS: no Received field of {hostname} is on top of it")
        peer = brought["peer"]
        notes.append(f"--from {peer} is what our own Received field says")
    if helo is None and brought is not None and brought["peer"] == peer:
        helo = brought["helo"]
        notes.append(f"--helo {helo} is what our own Received field says")
    if helo is None:
        helo = f"[IPv6:{peer}]" if ":" in peer else f"[{peer}]"
        notes.append(f"--helo {helo} stands in for a name that nobody gave")
    mail_from = given.mail_from
    if mail_from is None:
        mail_from, source = _sender(fields)
        notes.append(f"--mail-from {mail_from or '<>'} is from {source}")
    recipients = given.recipients
    if not recipients:
        recipients, source = _recipients(fields, domains)
        notes.extend(f"--rcpt {recipient} is from {source}" for recipient in recipients)
    return Addressed(peer=peer, helo=helo, mail_from=mail_from, recipients=recipients, notes=tuple(notes))


def _brought(fields: Sequence[Field], hostname: str) -> re.Match[str] | None:
    """The newest Received field, if we wrote it: what is below ours was written by anybody."""
    newest = next((_text(field) for field in fields if field.name == b"received"), "")
    found = _RECEIVED.match(newest)
    return found if found is not None and found["by"].lower() == hostname and _is_address(found["peer"]) else None


def _sender(fields: Sequence[Field]) -> tuple[str, str]:
    for field in fields:
        if field.name == b"return-path":
            path = _text(field).removeprefix("<").removesuffix(">")
            if not path or _is_path(path):
                return path, "Return-Path"
    for path in _addresses(fields, b"from"):
        return path, "From, for there is no Return-Path"
    raise Invalid("who is it from? Say --mail-from ADDRESS or '<>': the mail has no Return-Path and no From")


def _recipients(fields: Sequence[Field], domains: Collection[str]) -> tuple[tuple[str, ...], str]:
    """Of the first field that names any of ours: those that servers write, before those that people write."""
    for names in ((b"delivered-to",), (b"x-original-to",), (b"to", b"cc")):
        found = dict.fromkeys(path for name in names for path in _addresses(fields, name) if _is_ours(path, domains))
        if found:
            source = " and ".join(name.decode().title() for name in names)
            return tuple(found)[:MOST_GUESSED], source
    raise Invalid("who is it for? Say --rcpt ADDRESS: no field of the mail names an address of this spec's domains")


def _addresses(fields: Sequence[Field], name: bytes) -> Iterator[str]:
    for field in fields:
        if field.name == name:
            for mailbox in parse_mailboxes(unfold(field.value)):
                path = f"{_decoded(mailbox.local_part)}@{_decoded(mailbox.domain)}"
                if mailbox.local_part and mailbox.domain and _is_path(path):
                    yield path


def _is_ours(path: str, domains: Collection[str]) -> bool:
    try:
        return parse_address(path).domain in domains
    except Invalid:
        return False


def _is_path(path: str) -> bool:
    try:
        parse_path(path)
    except ValueError:
        return False
    return True


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _text(field: Field) -> str:
    return " ".join(_decoded(unfold(field.value)).split())


def _decoded(octets: bytes) -> str:
    return octets.decode("utf-8", "replace")
