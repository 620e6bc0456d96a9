"""The packed part table says what the scan found, and never more than was packed."""

import pytest

from mailstack.formats.mime import Part, scan
from mailstack.formats.part_table import PartKind, PartRange, TransferEncoding, encoding_of, pack, unpack
from mailstack.model.errors import Damaged

RAW = (
    b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Transfer-Encoding: base64\r\n\r\nYQ==\r\n"
    b"--x\r\nContent-Type: message/rfc822\r\n\r\nSubject: s\r\n\r\nhello\r\n--x--\r\n"
)


def assert_same(part: Part, packed: PartRange) -> None:
    offsets = (part.header_start, part.body_start, part.body_end)
    assert offsets == (packed.header_start, packed.body_start, packed.body_end)
    assert encoding_of(part.encoding) is packed.encoding
    assert len(part.children) == len(packed.children)
    for child, packed_child in zip(part.children, packed.children, strict=True):
        assert_same(child, packed_child)


def test_what_is_packed_unpacks() -> None:
    root = scan(RAW)
    table = pack(root)
    assert len(table) == 1 + 16 * 4
    unpacked = unpack(table)
    assert_same(root, unpacked)
    assert [child.kind for child in unpacked.children] == [PartKind.LEAF, PartKind.MESSAGE]
    assert unpacked.children[0].encoding is TransferEncoding.BASE64


def test_unknown_encodings_are_remembered_as_such() -> None:
    assert encoding_of(b"x-uuencode") is TransferEncoding.UNKNOWN
    assert encoding_of(b"8bit") is TransferEncoding.IDENTITY


def test_a_damaged_table_is_reported() -> None:
    table = pack(scan(RAW))
    deep = b"\x01" + (b"\x02\x00\x01\x00" + bytes(12)) * 5_000
    for damaged in (b"", b"\x02" + table[1:], table[:-1], table + b"\x00", b"\x01\x09" + table[2:], deep):
        with pytest.raises(Damaged):
            unpack(damaged)
