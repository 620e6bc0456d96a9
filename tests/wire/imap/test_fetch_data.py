"""What FETCH answers, as bytes. RFC 9051 §7.5.2."""

import pytest

from mailstack.model.instant import Instant
from mailstack.wire.imap.fetch_data import (
    UID_FETCH,
    Told,
    binary_sizes_told,
    dates_told,
    fetch_lines,
    flags_text,
    flags_told,
    literal_head,
    literals8_told,
    literals_told,
    mod_seqs_told,
    object_ids_told,
    sizes_told,
    uids_told,
    written_told,
)

EPOCH = b'"01-Jan-1970 00:00:00 +0000"'


def test_items_of_many_messages() -> None:
    texts = [flags_text("\\Seen", True), flags_text("", False)]
    told = [uids_told([7, 9]), flags_told(texts), sizes_told([10, 20])]

    assert fetch_lines([1, 2], told) == (
        b"* 1 FETCH (UID 7 FLAGS (\\Seen \\Deleted) RFC822.SIZE 10)\r\n* 2 FETCH (UID 9 FLAGS () RFC822.SIZE 20)\r\n"
    )


def test_uidfetch_and_what_some_messages_have_besides() -> None:
    octets = fetch_lines([7, 9], [mod_seqs_told(iter([5, 6]))], word=UID_FETCH, tails=[b"", b" FLAGS (\\Seen)"])

    assert octets == b"* 7 UIDFETCH (MODSEQ (5))\r\n* 9 UIDFETCH (MODSEQ (6) FLAGS (\\Seen))\r\n"


def test_columns_are_as_long_as_the_numbers() -> None:
    with pytest.raises(ValueError, match="shorter"):
        fetch_lines([1, 2], [uids_told([7])])


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (dates_told(b"INTERNALDATE", [Instant(0)]), b"INTERNALDATE " + EPOCH),
        (dates_told(b"SAVEDATE", [None]), b"SAVEDATE NIL"),  # RFC 8514 §4.1
        (object_ids_told(b"EMAILID", ["M-1"]), b"EMAILID (M-1)"),
        (written_told(b"ENVELOPE", [b"(NIL)"]), b"ENVELOPE (NIL)"),
        (binary_sizes_told(b"BINARY.SIZE[1]", [3]), b"BINARY.SIZE[1] 3"),
        (literals_told(b"BODY[]", [b"a\r\n"]), b"BODY[] {3}\r\na\r\n"),
        (literals_told(b"BODY[9]", [None]), b"BODY[9] NIL"),
        (literals_told(b"BODY[HEADER.FIELDS (X%d)]", [b""]), b"BODY[HEADER.FIELDS (X%d)] {0}\r\n"),
        (literals_told(b"BODY[HEADER.FIELDS (X%d)]", [None]), b"BODY[HEADER.FIELDS (X%d)] NIL"),
        # RFC 3516 §4.3: literal8 only where there is a NUL.
        (literals8_told(b"BINARY[1]", [b"\xff"]), b"BINARY[1] {1}\r\n\xff"),
        (literals8_told(b"BINARY[1]<0>", [b"a\0"]), b"BINARY[1]<0> ~{2}\r\na\0"),
        (literals8_told(b"BINARY[9]", [None]), b"BINARY[9] NIL"),
    ],
)
def test_item(told: Told, expected: bytes) -> None:
    assert fetch_lines([3], [told]) == b"* 3 FETCH (%b)\r\n" % expected


def test_parts_that_some_messages_lack() -> None:
    assert fetch_lines([1, 2], [literals_told(b"BODY[2]", [None, b"x"])]) == (
        b"* 1 FETCH (BODY[2] NIL)\r\n* 2 FETCH (BODY[2] {1}\r\nx)\r\n"
    )


def test_heads_of_literals_that_are_sent_apart() -> None:
    assert literal_head(3) == b"{3}\r\n"
    assert literal_head(3, is_binary=True) == b"~{3}\r\n"
