"""Every message of the MIME corpora, whole and cut, read by everything that reads messages: no exception, bounded work.

mail-parser's and ruby-mail's collections, and mime-is-broken's evasions. What the parts are is other tests' matter.
"""

import time
import tracemalloc
from collections.abc import Iterator

import pytest

from mailstack.formats.addresses import display, flattened, parse_addresses
from mailstack.formats.binary import without_binary
from mailstack.formats.content import leaves, read_text
from mailstack.formats.dates import parse_date
from mailstack.formats.digest import digest_message
from mailstack.formats.headers import header_end, remove_fields, scan_fields, unfold
from mailstack.formats.mime import Part, scan
from mailstack.formats.words import decode_words
from mailstack.model.errors import Unsupported
from mailstack.model.section import Section, SectionText
from mailstack.services.mailbox.section import decoded_section, read_section, section_encoding
from tests.support.suites import packed_files, suite_path

SECONDS_PER_MESSAGE = 1.0
"""Of CPU, for all of it; the slowest needs a hundredth."""
OCTETS_PER_OCTET = 40
OCTETS_BESIDE = 512 * 1024
"""How much memory a message may need at once; the structures of a small one weigh more than it does."""
SOURCE_LIMIT = 1 << 20


def messages() -> dict[str, bytes]:
    """As they lie there, and as they are stored: with CRLF."""
    found = packed_files(suite_path("mime", "mime.tar.xz"))
    return found | {f"{name} crlf": raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") for name, raw in found.items()}


def read_all(raw: bytes) -> None:
    digest = digest_message(raw)
    root = scan(raw)
    for field in scan_fields(raw):
        value = unfold(field.value)
        for text in (decode_words(value), display(flattened(parse_addresses(value)))):
            text.encode("utf-8", "surrogatepass")
        parse_date(value)
    for number, part in numbered(root, ()):
        assert 0 <= part.header_start <= part.body_start <= part.body_end <= len(raw)
        read_parts(raw, digest.parts, number)
    for leaf in leaves(root):
        if leaf.type == b"text":
            read_text(raw, leaf, source_limit=SOURCE_LIMIT)
    without_binary(raw)
    remove_fields(raw, (b"received",))


def read_parts(raw: bytes, parts: bytes, number: tuple[int, ...]) -> None:
    for text in SectionText:
        read_section(raw, parts, Section(part=number, text=text, fields=("Subject", "Content-Type")))
    body = read_section(raw, parts, Section(part=number))
    try:
        decoded_section(body or b"", section_encoding(parts, Section(part=number)))
    except Unsupported:
        return


def numbered(part: Part, at: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], Part]]:
    yield at, part
    for number, child in enumerate(part.children, 1):
        yield from numbered(child, (*at, number))


def test_the_corpora_are_there() -> None:
    assert len(messages()) > 1_000


def test_every_message_is_read_in_bounded_time() -> None:
    slow = {}
    for name, raw in messages().items():
        started = time.process_time()
        read_all(raw)
        seconds = time.process_time() - started
        if seconds > SECONDS_PER_MESSAGE:
            slow[name] = seconds
    assert not slow


def test_every_message_is_read_in_bounded_memory() -> None:
    large = {}
    for name, raw in messages().items():
        tracemalloc.start()
        digest_message(raw)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        if peak > OCTETS_BESIDE + OCTETS_PER_OCTET * len(raw):
            large[name] = peak
    assert not large


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_message_cut_short_is_read_too(share: float) -> None:
    for raw in messages().values():
        read_all(raw[: int(len(raw) * share)])


def test_the_digest_is_text_that_can_be_kept() -> None:
    """RFC 3629 §3, RFC 8620 §1.5: no lone surrogates, no control characters."""
    for name, raw in messages().items():
        digest = digest_message(raw)
        for text in (digest.subject, digest.base_subject, digest.from_, digest.to, digest.cc, digest.preview):
            text.encode()
            assert all(one >= " " and not 0x7F <= ord(one) < 0xA0 for one in text), name
        assert b"\0" not in digest.envelope + digest.header_block[: header_end(raw)] or b"\0" in raw, name


def test_what_was_made_fit_for_all_stays_as_it_is() -> None:
    for name, raw in messages().items():
        changed = without_binary(raw)
        assert without_binary(changed) == changed, name
