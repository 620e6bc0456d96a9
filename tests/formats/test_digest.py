"""Digests: of ordinary mail, of the odd messages that others collected, and of bytes made to hurt."""

import base64
import binascii
import mmap
import tempfile
import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailstack.formats.digest import digest_message
from mailstack.formats.limits import Limits
from tests.support.digest_checks import check_digest
from tests.support.suites import packed_files, suite_path

ORDINARY = (
    "Received: from x by y\r\nFrom: =?utf-8?q?J=C3=BCrgen?= <j@x.example>\r\nTo: a@b, C <c@d>\r\nCc: e@f\r\n"
    "Subject: Re: [list] =?utf-8?q?gr=C3=BC=C3=9Fe?=\r\nDate: Fri, 21 Nov 1997 09:55:06 -0600\r\n"
    "Message-ID: <one@x.example>\r\nReferences: <a@x>\r\n <b@x>\r\nIn-Reply-To: <c@x>\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n\r\nHallo,\r\n\r\nschöne  Grüße\r\n"
).encode()


def test_an_ordinary_message() -> None:
    digest = check_digest(ORDINARY)
    assert (digest.subject, digest.base_subject) == ("Re: [list] grüße", "grüße")
    assert (digest.from_, digest.to, digest.cc) == ("Jürgen <j@x.example>", "a@b, C <c@d>", "e@f")
    assert (digest.message_id, digest.references) == ("one@x.example", ("a@x", "b@x"))
    assert digest.sent_at == 880127706000
    assert digest.preview == "Hallo, schöne Grüße"
    assert not digest.has_attachment
    assert b"Received" not in digest.header_block
    assert digest.header_block.startswith(b"From: =?utf-8?q?J=C3=BCrgen?= <j@x.example>\r\nTo:")
    assert b"References: <a@x>\r\n <b@x>\r\n" in digest.header_block


def test_without_references_the_message_answers_what_in_reply_to_names() -> None:
    assert digest_message(b"In-Reply-To: your mail of Monday <a@b>\r\n\r\n").references == ("a@b",)


def test_the_empty_message() -> None:
    digest = check_digest(b"")
    assert (digest.subject, digest.message_id, digest.references, digest.sent_at) == ("", "", (), None)
    assert digest.header_block == b""


def alternative(*parts: bytes) -> bytes:
    joined = b"".join(b"--x\r\n%b\r\n" % part for part in parts)
    return b"Content-Type: multipart/alternative; boundary=x\r\n\r\n" + joined + b"--x--\r\n"


@pytest.mark.parametrize(
    ("raw", "preview"),
    [
        (alternative(b"Content-Type: text/html\r\n\r\n<p>html", b"Content-Type: text/plain\r\n\r\nplain"), "plain"),
        (alternative(b"Content-Type: text/html\r\n\r\n<style>p{}</style><p>html&nbsp;x"), "html x"),
        (alternative(b"Content-Type: text/plain\r\n\r\n\r\n", b"Content-Type: text/html\r\n\r\n<p>html"), "html"),
        (alternative(b"Content-Disposition: attachment\r\n\r\nattached"), ""),
        (b"Content-Type: image/png\r\n\r\nx", ""),
        (b"Content-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n", "hello"),
        (b"\r\n" + b"word " * 1_000, ("word " * 52)[:256].rstrip()),
        (b"\r\n" + b"x" * 5_000, "x" * 256),
        (b"\r\na\x00b\x1b[31m", "a b [31m"),
    ],
)
def test_preview(raw: bytes, preview: str) -> None:
    assert digest_message(raw).preview == preview


@pytest.mark.parametrize(
    ("part", "has_attachment"),
    [
        (b"\r\ntext", False),
        (b"Content-Disposition: attachment; filename=x\r\n\r\ntext", True),
        (b"Content-Type: application/pdf\r\n\r\n", True),
        (b"Content-Type: image/png\r\nContent-ID: <a@b>\r\n\r\n", False),
        (b"Content-Type: image/png\r\nContent-Disposition: inline\r\n\r\n", False),
        (b"Content-Type: message/rfc822\r\n\r\nSubject: a\r\n\r\ntext", True),
        (b"Content-Type: message/rfc822\r\nContent-Disposition: inline\r\n\r\nSubject: a\r\n\r\ntext", False),
        (b"Content-Type: application/pgp-signature\r\nContent-Disposition: attachment\r\n\r\n", False),
    ],
)
def test_attachments(part: bytes, has_attachment: bool) -> None:
    assert digest_message(alternative(part)).has_attachment is has_attachment


def test_what_is_remembered_of_small_headers_says_the_same() -> None:
    """With limits of their own, messages are read without what was remembered of others."""
    for name, raw in packed_files(suite_path("mime", "mime.tar.xz")).items():
        for octets in (raw, raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")):
            assert digest_message(octets) == digest_message(octets, limits=Limits()), name


def test_every_message_of_the_corpora() -> None:
    slowest = 0.0
    for name, raw in packed_files(suite_path("mime", "mime.tar.xz")).items():
        start = time.process_time()
        try:
            check_digest(raw)
        except Exception as fault:
            raise AssertionError(name) from fault
        slowest = max(slowest, time.process_time() - start)
    assert slowest < 1.0


@pytest.mark.parametrize(
    "raw",
    [
        b"Content-Type: message/rfc822\r\n\r\n" * 2_000,
        b"".join(b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n" % (n, n) for n in range(2_000)),
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + b"--x\r\n\r\ny\r\n" * 100_000,
        b"Content-Type: multipart/digest; boundary=x\r\n\r\n" + b"--x\r\n\r\nTo: " + b"a@b," * 50_000 + b"\r\n\r\n\r\n",
        b"To: " + b"a@b," * 250_000 + b"\r\n\r\n",
        b"X: y\r\n" * 170_000,
        b"Subject: " + b"=?utf-8?q?x?= " * 70_000,
        b"References: " + b"<a@b>" * 200_000,
        b"no colon\r\n" * 100_000,
        b"\x00" * 1_000_000,
        b"\r\n" * 500_000,
        b"Content-Type: text/html\r\n\r\n" + b"<" * 1_000_000,
        b"Content-Transfer-Encoding: base64\r\n\r\n" + b"=" * 1_000_000,
    ],
    ids=[
        "messages",
        "nested",
        "parts",
        "digest",
        "addresses",
        "fields",
        "words",
        "references",
        "no-colon",
        "nuls",
        "empty-lines",
        "markup",
        "padding",
    ],
)
def test_mime_bombs_are_digested_soon(raw: bytes) -> None:
    start = time.process_time()
    check_digest(raw)
    assert time.process_time() - start < 3


MUTATED = [
    ORDINARY,
    alternative(b"Content-Type: text/html\r\n\r\n<p>html", ORDINARY),
    b"Content-Type: message/rfc822\r\n\r\n" + ORDINARY,
]


@settings(derandomize=True, max_examples=300)
@given(st.sampled_from(MUTATED), st.lists(st.tuples(st.integers(0, 600), st.binary(max_size=6)), max_size=8))
def test_mutations_are_digested(raw: bytes, edits: list[tuple[int, bytes]]) -> None:
    for at, octets in edits:
        raw = raw[:at] + octets + raw[at + 3 :]
    assert check_digest(raw) == digest_message(raw, limits=Limits())


@settings(derandomize=True, max_examples=100)
@given(st.sampled_from(MUTATED), st.integers(0, 700))
def test_truncated_messages_are_digested(raw: bytes, size: int) -> None:
    check_digest(raw[:size])


def test_a_header_of_many_hostile_references_is_bounded() -> None:
    digest = check_digest(b"References: " + b"<a@b> " * 1_000 + b"\r\n\r\n")
    assert len(digest.references) == 100


@pytest.mark.parametrize("encoding", [b"8bit", b"quoted-printable", b"base64"])
def test_previews_are_as_long_in_every_script(encoding: bytes) -> None:
    text = "a" + ("漢字" * 30 + " ") * 40
    encoded = {
        b"8bit": text.encode(),
        b"quoted-printable": binascii.b2a_qp(text.encode()),
        b"base64": base64.encodebytes(text.encode()),
    }[encoding]
    raw = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: " + encoding + b"\r\n\r\n" + encoded
    assert digest_message(raw).preview == text[:256].rstrip()


def test_a_large_mapped_message_does_not_fill_the_memory() -> None:
    part = b"Content-Type: %b\r\nContent-Transfer-Encoding: base64\r\n\r\n" + (b"A" * 76 + b"\r\n") * 130_000
    raw = alternative(part % b"text/plain", part % b"text/html", part % b"application/pdf")
    with tempfile.TemporaryFile() as file:
        file.write(raw)
        file.flush()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            tracemalloc.start()
            try:
                digest = digest_message(mapped)
                _, peak = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
    assert len(raw) > 30_000_000
    assert peak < 4_000_000
    assert digest == digest_message(raw)
