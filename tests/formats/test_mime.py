"""RFC 2045 and RFC 2046: the structure of messages as offsets, the RFCs' examples and the bombs of others."""

import mmap
import tempfile
import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailstack.formats.limits import LIMITS, Limits
from mailstack.formats.mime import Part, scan

SIMPLE = (
    b"From: Nathaniel Borenstein <nsb@bellcore.com>\r\nSubject: Sample message\r\nMIME-Version: 1.0\r\n"
    b'Content-type: multipart/mixed; boundary="simple boundary"\r\n\r\n'
    b"This is the preamble.\r\n\r\n--simple boundary\r\n\r\n"
    b"This is implicitly typed plain US-ASCII text.\r\nIt does NOT end with a linebreak.\r\n"
    b"--simple boundary\r\nContent-type: text/plain; charset=us-ascii\r\n\r\n"
    b"This is explicitly typed plain US-ASCII text.\r\nIt DOES end with a linebreak.\r\n\r\n"
    b"--simple boundary--\r\n\r\nThis is the epilogue.  It is also to be ignored.\r\n"
)  # RFC 2046 §5.1.1


def walk(part: Part) -> Iterator[Part]:
    yield part
    for child in part.children:
        yield from walk(child)


def shape(part: Part) -> str:
    name = f"{part.type.decode()}/{part.subtype.decode()}"
    return f"{name}({', '.join(map(shape, part.children))})" if part.children else name


def bodies(raw: bytes, part: Part) -> list[bytes]:
    return [raw[one.body_start : one.body_end] for one in walk(part) if not one.children]


def multipart(boundary: bytes, *parts: bytes, subtype: bytes = b"mixed") -> bytes:
    joined = b"".join(b"--%b\r\n%b\r\n" % (boundary, part) for part in parts)
    return b"Content-Type: multipart/%b; boundary=%b\r\n\r\n%b--%b--\r\n" % (subtype, boundary, joined, boundary)


def test_the_example_of_rfc_2046() -> None:
    root = scan(SIMPLE)
    assert shape(root) == "multipart/mixed(text/plain, text/plain)"
    assert bodies(SIMPLE, root) == [
        b"This is implicitly typed plain US-ASCII text.\r\nIt does NOT end with a linebreak.",
        b"This is explicitly typed plain US-ASCII text.\r\nIt DOES end with a linebreak.\r\n",
    ]
    assert [part.lines for part in root.children] == [1, 2]


def test_a_part_knows_its_header() -> None:
    raw = (
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: Base64 (c)\r\nContent-ID: <a@b>\r\n"
        b"Content-Description: a\r\n  note\r\nContent-Disposition: attachment; filename=x\r\n"
        b"Content-Language: en, DE\r\n"
        b"Content-Location: http://x/\r\nContent-MD5: abc\r\n\r\nYQ==\r\n"
    )
    part = scan(raw)
    assert part.parameters == ((b"charset", b"utf-8"),)
    assert part.encoding == b"base64"
    assert part.heading.content_id == b"<a@b>"
    assert part.heading.description == b"a  note"
    assert (part.disposition, part.heading.disposition_parameters) == (b"attachment", ((b"filename", b"x"),))
    assert part.heading.language == (b"en", b"de")
    assert (part.heading.location, part.heading.md5) == (b"http://x/", b"abc")
    assert (part.octets, part.lines) == (6, 1)


def test_the_same_header_at_another_place() -> None:
    """Small headers are read once; the ranges of their fields are each part's own."""
    header = b"Content-Type: text/html\r\nContent-ID: <a>\r\n\r\n"
    raw = multipart(b"b", *[header + body for body in (b"one", b"three", b"five")])
    for part in scan(raw).children:
        assert [raw[field.start : field.end] for field in part.fields] == [
            b"Content-Type: text/html\r\n",
            b"Content-ID: <a>\r\n",
        ]
        assert (part.subtype, part.heading.content_id) == (b"html", b"<a>")


def test_the_same_header_in_a_digest_says_something_else() -> None:
    parts = [b"\r\nSubject: x\r\n\r\n"] * 2
    assert shape(scan(multipart(b"b", *parts))) == "multipart/mixed(text/plain, text/plain)"
    assert shape(scan(multipart(b"b", *parts, subtype=b"digest"))) == (
        "multipart/digest(message/rfc822(text/plain), message/rfc822(text/plain))"
    )


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", "text/plain"),
        (b"Content-Type: nonsense\r\n\r\n", "text/plain"),  # RFC 2045 §5.2
        (b"Content-Type: multipart/mixed\r\n\r\n--x\r\n\r\n--x--", "text/plain"),  # no boundary
        # RFC 2231 §3, §4: in pieces, and encoded.
        (
            b"Content-Type: multipart/mixed; boundary*1=b; boundary*0=a\r\n\r\n--ab\r\n\r\n1\r\n--ab--",
            "multipart/mixed(text/plain)",
        ),
        (
            b"Content-Type: multipart/mixed; boundary*=''a%20b\r\n\r\n--a b\r\n\r\n1\r\n--a b\r\n\r\n2\r\n--a b--",
            "multipart/mixed(text/plain, text/plain)",
        ),
        (b"Content-Type: multipart/mixed; boundary*=utf-8''%C3%BC\r\n\r\n--?\r\n\r\n--?--", "text/plain"),
        (b'Content-Type: multipart/mixed; boundary=""\r\n\r\n--\r\n\r\n----', "text/plain"),
        (b"Content-Type: multipart/mixed; boundary=x\r\n\r\nnone of it", "multipart/mixed(text/plain)"),
        (b"Content-Type: multipart/mixed; boundary=x", "multipart/mixed(text/plain)"),
        (b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x--\r\n", "multipart/mixed(text/plain)"),
        (b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\na", "multipart/mixed(text/plain)"),  # truncated
        (b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x", "multipart/mixed(text/plain)"),
        (
            b"Content-Type: multipart/mixed; boundary=x\n\n--x\n\na\n--x \t\n\nb\n--x--\n",
            "multipart/mixed(text/plain, text/plain)",
        ),
        (
            multipart(b"x", b"\r\nSubject: a\r\n\r\nb", subtype=b"digest"),  # RFC 2046 §5.1.5
            "multipart/digest(message/rfc822(text/plain))",
        ),
        (
            multipart(b"x", b"Content-Type: message/rfc822\r\n\r\n" + SIMPLE),
            "multipart/mixed(message/rfc822(multipart/mixed(text/plain, text/plain)))",
        ),
        (b"Content-Type: message/rfc822\r\n\r\nA: b\r\n\r\nc", "message/rfc822(text/plain)"),
        (b"Content-Type: message/global\r\n\r\nA: b\r\n\r\nc", "message/global(text/plain)"),
        (b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nQTog", "application/octet-stream"),
        (b"Content-Type: message/delivery-status\r\n\r\nA: b\r\n", "message/delivery-status"),
    ],
)
def test_structures(raw: bytes, expected: str) -> None:
    assert shape(scan(raw)) == expected


@pytest.mark.parametrize("line", [b"--ab", b"--abcd", b"-- abc", b" --abc", b"--abc x", b"x--abc", b"--ABC"])
def test_only_the_whole_boundary_alone_on_a_line_parts(line: bytes) -> None:
    raw = multipart(b"abc", b"\r\nfirst\r\n" + line + b"\r\nstill first", b"\r\nsecond")
    assert bodies(raw, scan(raw)) == [b"first\r\n" + line + b"\r\nstill first", b"second"]


def test_an_inner_boundary_may_begin_as_the_outer_one() -> None:
    raw = multipart(b"ab", multipart(b"abc", b"\r\n1", b"\r\n2"), b"\r\n3")
    assert bodies(raw, scan(raw)) == [b"1", b"2", b"3"]


def test_an_outer_boundary_ends_an_unclosed_inner_multipart() -> None:
    inner = b"Content-Type: multipart/mixed; boundary=in\r\n\r\n--in\r\n\r\n1\r\n--in\r\n\r\n2"
    raw = multipart(b"out", inner, b"\r\n3")
    assert shape(scan(raw)) == "multipart/mixed(multipart/mixed(text/plain, text/plain), text/plain)"
    assert bodies(raw, scan(raw)) == [b"1", b"2", b"3"]  # RFC 2046 §5.1.2


def test_empty_parts_and_neighbouring_delimiters() -> None:
    raw = b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n--x\r\n\r\n--x\r\n\r\n\r\n--x--\r\n"
    assert bodies(raw, scan(raw)) == [b"", b"", b""]


def test_mime_bombs_nesting_ends_at_the_limit() -> None:
    raw = b"x"
    for level in range(2_000):
        raw = multipart(b"b%d" % level, raw if level else b"\r\nx")
    root = scan(raw)
    assert LIMITS.depth <= len(list(walk(root))) <= LIMITS.depth + 2
    assert shape(root).endswith("application/octet-stream" + ")" * LIMITS.depth)


def test_mime_bombs_messages_in_messages_end_at_the_limit() -> None:
    root = scan(b"Content-Type: message/rfc822\r\n\r\n" * 2_000)
    assert len(list(walk(root))) == LIMITS.depth + 1


def test_mime_bombs_parts_end_at_the_limit() -> None:
    raw = multipart(b"x", *([b"\r\ny"] * 100_000))
    assert len(list(walk(scan(raw)))) == LIMITS.parts
    assert len(list(walk(scan(raw, limits=Limits(parts=5))))) == 5


def test_parts_of_all_levels_count_together() -> None:
    inner = multipart(b"in", *([b"\r\ny"] * 40))
    raw = multipart(b"out", *([inner] * 40))
    assert len(list(walk(scan(raw, limits=Limits(parts=100))))) <= 140


@pytest.mark.parametrize(
    "raw",
    [
        b"A: b\r\n" * 170_000,  # a megabyte of header
        b"A" * 1_000_000,
        b":" * 1_000_000,
        b"\x00" * 1_000_000,
        b"Content-Type: " + b"a/b;" * 250_000,
        b"Content-Type: multipart/mixed; boundary=a\r\n\r\n" + b"\n--a-" * 200_000,
        b"Content-Type: multipart/mixed; boundary=" + b"a" * 500 + b"\r\n\r\n" + b"\n--" + b"a" * 1_000_000,
        b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n" * 20_000,
        b"Content-Type: multipart/digest; boundary=a\r\n\r\n" + b"--a\r\n" * 200_000,
    ],
    ids=["fields", "no-colon", "colons", "nuls", "parameters", "candidates", "long-boundary", "quine", "digest"],
)
def test_mime_bombs_cost_little(raw: bytes) -> None:
    # CVE-2026-26312, CVE-2024-23184: cyclic structures, endless headers.
    start = time.process_time()
    root = scan(raw)
    assert time.process_time() - start < 2
    assert len(list(walk(root))) <= LIMITS.parts + LIMITS.depth


def test_a_mapped_file_scans_as_bytes_do() -> None:
    raw = multipart(b"out", SIMPLE, b"\r\n" + b"line\r\n" * 400_000, b"\r\nend")
    with tempfile.TemporaryFile() as file:
        file.write(raw)
        file.flush()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            assert scan(mapped) == scan(raw)


PIECES = [
    b"--a",
    b"--b",
    b"--",
    b"\r\n",
    b"\r\n\r\n",
    b"\n",
    b"x",
    b"\x00",
    b"Content-Type: text/plain",
    b"message/rfc822",
    b"\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n",
    b"\r\nContent-Type: multipart/digest; boundary=b\r\n\r\n",
    b"\r\nContent-Type: message/rfc822\r\n\r\n",
    b"\r\n--a\r\n",
    b"\r\n--b\r\n",
    b"\r\n--a--\r\n",
]


@settings(derandomize=True, max_examples=500)
@given(st.lists(st.sampled_from(PIECES), max_size=60).map(b"".join))
def test_parts_nest(raw: bytes) -> None:
    root = scan(raw)
    assert (root.header_start, root.body_end) == (0, len(raw))
    for part in walk(root):
        assert part.header_start <= part.body_start <= part.body_end
        assert not part.is_multipart or part.children
        at = part.body_start
        for child in part.children:
            assert at <= child.header_start
            assert child.body_end <= part.body_end
            at = child.body_end
