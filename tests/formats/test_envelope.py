"""ENVELOPE: the example of RFC 9051 §7.5.2, and headers that break its rules."""

import pytest

from mailstack.formats.envelope import envelope_of, write_envelope
from mailstack.formats.headers import scan_fields
from tests.support.imap_lists import read_list


def written(header: bytes) -> bytes:
    return write_envelope(envelope_of(scan_fields(header)))


def test_the_example_of_rfc_9051() -> None:
    header = (
        b"Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\nFrom: Terry Gray <gray@cac.washington.edu>\r\n"
        b"Subject: IMAP4rev2 WG mtg summary and minutes\r\nTo: imap@cac.washington.edu\r\n"
        b"cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>\r\n"
        b"Message-Id: <B27397-0100000@cac.washington.edu>\r\n\r\n"
    )
    assert written(header) == (
        b'("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)" "IMAP4rev2 WG mtg summary and minutes" '
        b'(("Terry Gray" NIL "gray" "cac.washington.edu")) (("Terry Gray" NIL "gray" "cac.washington.edu")) '
        b'(("Terry Gray" NIL "gray" "cac.washington.edu")) ((NIL NIL "imap" "cac.washington.edu")) '
        b'((NIL NIL "minutes" "CNRI.Reston.VA.US")("John Klensin" NIL "KLENSIN" "MIT.EDU")) NIL NIL '
        b'"<B27397-0100000@cac.washington.edu>")'
    )


@pytest.mark.parametrize(
    ("header", "at", "value"),
    [
        (b"", 0, None),
        (b"Subject:\r\n", 1, b""),  # RFC 9051 §7.5.2: present and empty is no NIL
        (b"Subject: a\r\n b\r\n", 1, b"a b"),
        (b"Subject: =?utf-8?q?x?=\r\n", 1, b"=?utf-8?q?x?="),
        (b'Subject: a "quote" \\ here\r\n', 1, b'a "quote" \\ here'),
        ("Subject: é\r\n".encode(), 1, "é".encode()),
        (b"Subject: a\x00b\rc\r\n", 1, b"ab\rc"),
        (b"Subject: " + b"x" * 5_000 + b"\r\n", 1, b"x" * 5_000),
        (b"Subject: first\r\nSubject: second\r\n", 1, b"first"),
        (b"From: a@b\r\nReply-To: \r\n", 4, [[None, None, b"a", b"b"]]),  # empty is as From
        (b"From: a@b\r\nSender: c@d\r\n", 3, [[None, None, b"c", b"d"]]),
        (b"Sender: c@d\r\n", 2, None),
        (b"To: a@b\r\nTo: c@d\r\n", 5, [[None, None, b"a", b"b"], [None, None, b"c", b"d"]]),
        (
            b"To: g: a@b;, nobody\r\n",
            5,
            [
                [None, None, b"g", None],
                [None, None, b"a", b"b"],
                [None, None, None, None],
                [None, None, b"nobody", b""],
            ],
        ),
        (b"To: undisclosed-recipients:;\r\n", 5, [[None, None, b"undisclosed-recipients", None], [None] * 4]),
        (b"To: ,\r\n", 5, None),
        (b"To: A <@one,@two:a@b>\r\n", 5, [[b"A", b"@one,@two", b"a", b"b"]]),  # RFC 5322 §4.4: obs-route
        (b"In-Reply-To: <a@b>\r\n", 8, b"<a@b>"),
    ],
)
def test_items(header: bytes, at: int, value: object) -> None:
    envelope = read_list(written(header + b"\r\n"))
    assert len(envelope) == 10
    assert envelope[at] == value
