"""Files of a message: which there are, what they are called, and as much of them as is looked at."""

import base64

import pytest

from mailstack.formats.mime import scan
from mailstack.spam.rules.attached import MAX_FILES, File, endings_of, files_of
from mailstack.spam.rules.signs import Sign
from tests.spam.rules.test_archives import archive_of
from tests.spam.test_seen import mixed, part


def files(*parts: bytes) -> tuple[File, ...]:
    raw = mixed(*parts)
    return files_of(raw, scan(raw))


def encoded(name: bytes, content: bytes) -> bytes:
    body = base64.encodebytes(content).replace(b"\n", b"\r\n")
    return part(b"application/octet-stream; name=" + name, body, b"Content-Transfer-Encoding: base64\r\n")


@pytest.mark.parametrize(
    ("name", "endings"),
    [
        ("a.PDF.exe", ["exe", "pdf"]),
        ("a.tar.gz", ["gz", "tar"]),
        ("a.exe. ", ["exe", ""]),
        ("a.pdf .exe", ["exe", "pdf"]),
        ("a", ["", ""]),
        ("", ["", ""]),
        (".profile", ["profile", ""]),
    ],
)
def test_endings(name: str, endings: list[str]) -> None:
    assert endings_of(name) == endings


def test_all_but_texts_are_files() -> None:
    found = files(
        part(b"text/plain", b"hello"),
        part(b"text/plain; name=run.vbs", b"x"),
        part(b"text/html", b"<p>", b"Content-Disposition: attachment\r\n"),
        part(b"image/png", b"x"),
    )
    assert [(file.name, file.ending, file.media_type) for file in found] == [
        ("run.vbs", "vbs", "text/plain"),
        ("", "", "text/html"),
        ("", "", "image/png"),
    ]


def test_content_is_decoded_and_looked_into() -> None:
    (file,) = files(encoded(b"a.jpg", archive_of({"setup.exe": b"MZ"})))
    assert file.inside.names == ("setup.exe",)
    (file,) = files(encoded(b"a.txt", b"MZ" + bytes(100)))
    assert file.inside.signs == {Sign.PROGRAM}


def test_of_a_large_archive_the_directory_at_its_end_is_read() -> None:
    noise = bytes(range(256)) * 8_000
    content = archive_of({"noise": noise, "setup.exe": b"MZ"}, 0)
    assert len(content) > 2_000_000
    (file,) = files(encoded(b"a.zip", content))
    assert set(file.inside.names) == {"noise", "setup.exe"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("invoice\u202efdp.exe", True),
        ("invoice.pdf          .exe", True),
        ("invoice.pdf__________.exe", True),
        ("invoice v1.2 final.pdf", False),
        ("a.b.c", False),
    ],
)
def test_names_that_hide_their_ending(name: str, expected: bool) -> None:
    (file,) = files(
        part(b"application/x", b"x", b'Content-Disposition: attachment; filename="' + name.encode() + b'"\r\n')
    )
    assert file.hides_its_ending is expected


def test_so_many_and_no_more() -> None:
    assert len(files(*[part(b"image/png", b"x")] * 50)) == MAX_FILES
