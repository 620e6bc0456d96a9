"""ENVELOPE, BODYSTRUCTURE, BODY[…] and BINARY of strangers' messages: those of ../shared/suites/mime.

They agree with the bytes on every message, and with Python's own parser on those in which it finds no defect.
"""

import binascii
import email
import re
import time
from collections.abc import Iterator
from email.message import Message
from email.policy import compat32

import pytest

from mailstack.formats.digest import digest_message
from mailstack.formats.part_table import TransferEncoding
from mailstack.model.line_ends import with_crlf
from mailstack.model.section import Section, SectionText
from mailstack.services.mailbox.section import decoded_section, read_section, section_encoding
from tests.support.digest_checks import check_digest
from tests.support.imap_lists import Value, read_list
from tests.support.suites import packed_files, suite_path

MESSAGE_S = 2.0
"""The largest has 300 KB; a quadratic scan would take minutes."""

_PADDED = re.compile(rb"[ \t](?:\r|\Z)")
"""What the reference leaves in, against RFC 2045 §6.7 (3)."""
_BASE64 = re.compile(rb"[A-Za-z0-9+/\r\n]*={0,2}[\r\n]*")


@pytest.fixture(scope="module")
def messages() -> dict[str, bytes]:
    """As APPEND keeps them: line ends are CRLF."""
    files = packed_files(suite_path("mime", "mime.tar.xz"))
    found = {name: b"".join(with_crlf(raw)) for name, raw in files.items() if raw}
    assert len(found) > 500
    return found


def test_every_message_agrees_with_its_bytes(messages: dict[str, bytes]) -> None:
    for name, raw in messages.items():
        begun = time.process_time()
        check_digest(raw)
        assert time.process_time() - begun < MESSAGE_S, name


def test_every_part_has_the_octets_that_bodystructure_counts(messages: dict[str, bytes]) -> None:
    for name, raw in messages.items():
        digest = digest_message(raw)
        for part, body in numbered(read_list(digest.body_structure)):
            octets = read_section(raw, digest.parts, Section(part=part))
            assert octets is not None, (name, part)
            if isinstance(body[0], bytes):
                assert body[6] == len(octets), (name, part)
            mime = read_section(raw, digest.parts, Section(part=part, text=SectionText.MIME))
            assert mime is not None, (name, part)
            assert mime + octets in raw, (name, part)


def test_there_are_no_other_parts(messages: dict[str, bytes]) -> None:
    for name, raw in messages.items():
        digest = digest_message(raw)
        numbers = {part for part, _ in numbered(read_list(digest.body_structure))}
        for part in numbers:
            following = (*part[:-1], part[-1] + 1)
            if following not in numbers:
                assert read_section(raw, digest.parts, Section(part=following)) is None, (name, following)


def test_valid_encodings_are_decoded_as_the_reference_does(messages: dict[str, bytes]) -> None:
    decoded = 0
    for name, raw in messages.items():
        digest = digest_message(raw)
        for part, body in numbered(read_list(digest.body_structure)):
            section = Section(part=part)
            octets = read_section(raw, digest.parts, section)
            if octets is None or not isinstance(body[0], bytes):
                continue
            encoding = section_encoding(digest.parts, section)
            if encoding is TransferEncoding.BASE64 and _BASE64.fullmatch(octets):
                reference = binascii.a2b_base64(octets) if len(b"".join(octets.split())) % 4 == 0 else None
            elif encoding is TransferEncoding.QUOTED_PRINTABLE and not _PADDED.search(octets):
                reference = binascii.a2b_qp(octets)
            else:
                continue
            if reference is not None:
                assert decoded_section(octets, encoding) == reference, (name, part)
                decoded += 1
    assert decoded > 300


def test_structure_is_that_of_the_standard_library_where_it_finds_no_fault(messages: dict[str, bytes]) -> None:
    compared = 0
    for name, raw in messages.items():
        reference = parsed(raw)
        if reference is None or any(part.defects for part in reference.walk()) or is_no_mime(reference):
            continue
        digest = digest_message(raw)
        ours = read_list(digest.body_structure)
        if shape(ours) == reference_shape(reference):
            compared += 1
        else:
            assert name in EXPLAINED, (name, shape(ours), reference_shape(reference))
    assert compared > 200


_FIELDS_ARE_NO_PARTS = "groups of fields, which RFC 9051 §9 shows as one part (body-type-basic)"
EXPLAINED = {
    "mail-parser/malformed/000.eml": "two delimiters in a row have an empty part between them, RFC 2046 §5.1.1",
    "mail-parser/rfc/001.eml": "the phantom bodies of message/external-body are no parts, RFC 2046 §5.2.3",
    "mail-parser/thirdparty/009.eml": "a fragment is no message, RFC 2046 §5.2.2",
    "ruby-mail/mime_emails/raw_email_with_mimepart_without_content_type.eml": _FIELDS_ARE_NO_PARTS,
    "ruby-mail/multipart_report_emails/multi_address_bounce1.eml": _FIELDS_ARE_NO_PARTS,
    "ruby-mail/multipart_report_emails/multi_address_bounce2.eml": _FIELDS_ARE_NO_PARTS,
    "ruby-mail/multipart_report_emails/report_422.eml": _FIELDS_ARE_NO_PARTS,
    "ruby-mail/multipart_report_emails/report_530.eml": _FIELDS_ARE_NO_PARTS,
}
"""Where the standard library goes other ways than the RFCs, or they say nothing."""


def is_no_mime(message: Message) -> bool:
    """mime-is-broken marks what the RFCs do not allow, and no two programs read alike."""
    return str(message["Subject"]).startswith("[0]")


def parsed(raw: bytes) -> Message | None:
    """None: it raised, as it does on hostile input."""
    try:
        return email.message_from_bytes(raw, policy=compat32)
    except Exception:  # noqa: BLE001 - whatever it raises is no reference
        return None


def numbered(body: list[Value], prefix: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], list[Value]]]:
    """Every part of a BODYSTRUCTURE with its number. RFC 9051 §6.4.5.1."""
    if isinstance(body[0], list):
        for number, child in enumerate((one for one in body if isinstance(one, list) and is_body(one)), start=1):
            yield from _part(child, (*prefix, number))
    else:
        yield from _part(body, (*prefix, 1))


def _part(body: list[Value], number: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], list[Value]]]:
    yield number, body
    if isinstance(body[0], list):
        yield from numbered(body, number)
    elif is_message(body) and isinstance(body[8], list):
        yield from numbered(body[8], number)


def is_body(value: list[Value]) -> bool:
    """Parts come first; what follows the subtype are parameters and dispositions."""
    return isinstance(value[0], list) or (len(value) >= 7 and isinstance(value[6], int))


def is_message(body: list[Value]) -> bool:
    return body[0] == b"message" and len(body) > 9 and isinstance(body[7], list)


def shape(body: list[Value]) -> object:
    if isinstance(body[0], list):
        children = [one for one in body if isinstance(one, list) and is_body(one)]
        subtype = body[len(children)]
        assert isinstance(subtype, bytes)
        return "multipart/" + subtype.decode().lower(), [shape(child) for child in children]
    kind = b"/".join(one for one in body[:2] if isinstance(one, bytes)).decode().lower()
    return (kind, [shape(body[8])]) if is_message(body) and isinstance(body[8], list) else (kind, [])


def reference_shape(part: Message) -> object:
    children = part.get_payload() if part.is_multipart() else []
    return part.get_content_type(), [reference_shape(child) for child in children if isinstance(child, Message)]
