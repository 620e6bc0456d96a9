"""What archives hold: names of files, whatever else is wrong with them, and in bounds."""

import gzip
import io
import struct
import tarfile
import zipfile

import pytest

from mailstack.spam.rules.archives import MAX_ENTRIES, MAX_INFLATED, archive_in, is_archive
from mailstack.spam.rules.inside import look_inside
from mailstack.spam.rules.signs import Sign


def archive_of(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as writing:
        for name, content in files.items():
            writing.writestr(name, content)
    return made.getvalue()


def encrypted(content: bytes) -> bytes:
    """The flag of each local header set. APPNOTE §4.4.4."""
    return content.replace(b"PK\x03\x04\x14\x00\x00", b"PK\x03\x04\x14\x00\x01")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_names_of_an_archive_and_of_one_in_it(method: int) -> None:
    inner = archive_of({"b.exe": b"MZ"})
    found = look_inside(archive_of({"d/": b"", "a.txt": b"x", "i.zip": inner}, method), "zip", "application/zip")
    assert set(found.names) == {"a.txt", "i.zip", "b.exe"}
    assert found.signs == frozenset()


def test_archives_are_opened_twice_and_no_deeper() -> None:
    third = archive_of({"c.exe": b"MZ"})
    second = archive_of({"third.zip": third})
    assert "c.exe" not in look_inside(archive_of({"second.zip": second}), "zip", "").names


def test_names_are_read_without_a_directory_at_the_end() -> None:
    content = archive_of({"a.exe": b"MZ"})
    assert look_inside(content[: content.index(b"PK\x01\x02")], "zip", "").names == ("a.exe",)


def test_names_in_unicode() -> None:
    assert look_inside(archive_of({"rechnung-ü.pdf": b"x"}), "zip", "").names == ("rechnung-ü.pdf",)


def test_bombs_end_at_the_bounds() -> None:
    many = b"".join(
        b"PK\x03\x04" + struct.pack("<HHHIIIIHH", 20, 0, 0, 0, 0, 0, 0, 6, 0) + b"%06d" % n for n in range(900)
    )
    assert len(look_inside(many, "zip", "").names) == MAX_ENTRIES
    bomb = archive_of({"b.zip": archive_of({"zeros": bytes(64 << 20)})})
    assert len(bomb) < MAX_INFLATED
    assert look_inside(bomb, "zip", "").names[0] == "b.zip"


def tar_of(*names: str) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.USTAR_FORMAT) as writing:
        for name in names:
            entry = tarfile.TarInfo(name)
            entry.size = 600
            writing.addfile(entry, io.BytesIO(bytes(600)))
    return made.getvalue()


def test_names_in_a_tar_plain_and_packed() -> None:
    plain = tar_of("a.txt", "d/setup.exe")
    assert archive_in(plain).names == ("a.txt", "d/setup.exe")
    assert archive_in(gzip.compress(plain)).names == ("a.txt", "d/setup.exe")


def test_a_program_that_was_packed_alone() -> None:
    assert archive_in(gzip.compress(b"MZ\x90\0" + bytes(100))).signs == {Sign.PROGRAM}
    assert archive_in(gzip.compress(b"a log")).signs == frozenset()
    assert archive_in(b"\x1f\x8b broken").signs == frozenset()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (b"invoice.exe", ("invoice.exe",)),
        (b"\x01in voice_1.SCR", ("in voice_1.SCR",)),
        (b"a.exe", ()),
        (b"photo.jpg", ()),
    ],
)
def test_programs_in_a_rar(name: bytes, expected: tuple[str, ...]) -> None:
    assert archive_in(b"Rar!\x1a\x07\x01\0" + b"\0\x02" + name + b"\0\xff packed").names == expected


@pytest.mark.parametrize(
    ("content", "ending", "expected"),
    [
        (b"PK\x03\x04", "docx", True),
        (b"junk before it", "zip", True),
        (b"Rar!\x1a\x07\0", "", True),
        (b"\x1f\x8b\x08", "", True),
        (tar_of("a")[:512], "", True),
        (b"MZ", "exe", False),
        (b"", "", False),
    ],
)
def test_what_is_one(content: bytes, ending: str, expected: bool) -> None:
    assert is_archive(content, ending) is expected


def test_many_names_end_at_the_bounds() -> None:
    assert len(archive_in(b"Rar!\x1a\x07" + b"".join(b"\0name%05d.exe\0" % n for n in range(900))).names) == MAX_ENTRIES
    assert len(archive_in(tar_of("a") + b"".join(b"ustar%05d" % n for n in range(900))).names) <= MAX_ENTRIES
