"""Which parts are shown, which attached, and their numbers."""

import pytest

from mailstack.formats.body_parts import body_lists, content_octets, content_of, file_name, leaf_range, part_leaves
from mailstack.formats.mime import Part, scan
from mailstack.formats.part_table import pack, unpack


def leaf(content_type: str, content: str, disposition: str = "") -> bytes:
    shown = f"Content-Disposition: {disposition}\r\n" if disposition else ""
    return f"Content-Type: {content_type}\r\n{shown}\r\n{content}".encode()


def multi(subtype: str, *parts: bytes) -> bytes:
    boundary = f"{subtype}{len(b''.join(parts))}".encode()
    body = b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts)
    return (
        b"Content-Type: multipart/"
        + subtype.encode()
        + b"; boundary="
        + boundary
        + b"\r\n\r\n"
        + body
        + b"--"
        + boundary
    ) + b"--\r\n"


def lists_of(raw: bytes) -> tuple[str, str, str]:
    lists = body_lists(scan(raw))

    def letters(parts: list[Part]) -> str:
        return "".join(content_of(raw, part).decode()[-1:] for part in parts)

    return letters([*lists.text]), letters([*lists.html]), letters([*lists.attachments])


_PLAIN, _HTML, _JPEG = "text/plain", "text/html", "image/jpeg"
# RFC 8621 §4.1.4: the example behind the algorithm.
_EXAMPLE = multi(
    "mixed",
    leaf(_PLAIN, "A", "inline"),
    multi(
        "mixed",
        multi(
            "alternative",
            multi("mixed", leaf(_PLAIN, "B", "inline"), leaf(_JPEG, "C", "inline"), leaf(_PLAIN, "D", "inline")),
            multi("related", leaf(_HTML, "E"), leaf(_JPEG, "F")),
        ),
        leaf(_JPEG, "G", "attachment"),
        leaf("application/x-excel", "H"),
        leaf("message/rfc822", "Subject: x\r\n\r\nJ"),
    ),
    leaf(_PLAIN, "K", "inline"),
)


def test_the_example_of_the_rfc() -> None:
    assert lists_of(_EXAMPLE) == ("ABCDK", "AEK", "CFGHJ")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"Subject: x\r\n\r\nA", ("A", "A", "")),
        (leaf(_HTML, "A"), ("A", "A", "")),
        (leaf("application/pdf", "A"), ("", "", "A")),
        (leaf(_PLAIN, "A", "attachment"), ("", "", "A")),
        (multi("alternative", leaf(_PLAIN, "A"), leaf(_HTML, "B")), ("A", "B", "")),
        (multi("alternative", leaf(_PLAIN, "A")), ("A", "A", "")),
        (multi("alternative", leaf(_HTML, "A")), ("A", "A", "")),
        (multi("alternative", leaf(_PLAIN, "A"), leaf("text/calendar", "B")), ("A", "A", "B")),
        (multi("mixed", leaf(_PLAIN, "A"), leaf(f"{_PLAIN}; name=b.txt", "B")), ("A", "A", "B")),
        (multi("mixed", leaf(_PLAIN, "A"), leaf(f"{_JPEG}; name=b.jpg", "B")), ("AB", "AB", "")),
        (multi("related", leaf(_HTML, "A"), leaf(_JPEG, "B")), ("A", "A", "B")),
        # What has no place in either list is still there.
        (multi("alternative", multi("mixed", leaf(_HTML, "A"), leaf(_PLAIN, "B"))), ("A", "A", "B")),
    ],
)
def test_lists(raw: bytes, expected: tuple[str, str, str]) -> None:
    assert lists_of(raw) == expected


def test_numbers_are_the_same_in_the_stored_table() -> None:
    root = scan(_EXAMPLE)
    table = unpack(pack(root))
    leaves = list(part_leaves(root))
    assert len(leaves) == 10
    for number, part in enumerate(leaves, 1):
        found = leaf_range(table, number)
        assert found is not None
        assert (found.body_start, found.body_end) == (part.body_start, part.body_end)
    assert leaf_range(table, 0) is None
    assert leaf_range(table, 11) is None


def test_the_content_is_without_its_transfer_encoding() -> None:
    raw = b"Content-Transfer-Encoding: base64\r\nContent-Type: text/plain; name=a; x=y\r\n\r\nYWJj\r\n"
    part = scan(raw)
    assert content_of(raw, part) == b"abc"
    assert content_octets(raw, part) == 3
    assert file_name(part) == "a"


def test_the_name_of_the_disposition_counts_first() -> None:
    assert file_name(scan(leaf("text/plain; name=a", "", "inline; filename*=utf-8''%C3%BC"))) == "ü"
