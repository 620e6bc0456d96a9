"""BODY and BODYSTRUCTURE: the examples of RFC 9051 §7.5.2, §6.4.5.1, and the forms of RFC 3501."""

from mailstack.formats.bodystructure import write_bodies
from mailstack.formats.mime import scan
from tests.support.imap_lists import read_list

TEXT = (
    b"Content-Type: TEXT/PLAIN; CHARSET=us-ascii; NAME=cc.diff\r\n"
    b"Content-ID: <960723163407.20117h@cac.washington.edu>\r\n"
    b"Content-Description: Compiler diff\r\nContent-Transfer-Encoding: BASE64\r\n\r\n" + b"x\r\n" * 73
)


def test_a_text_part() -> None:
    # RFC 9051 §7.5.2: the second part of its example, with our own sizes.
    assert write_bodies(scan(TEXT))[0] == (
        b'("text" "plain" ("charset" "us-ascii" "name" "cc.diff") "<960723163407.20117h@cac.washington.edu>" '
        b'"Compiler diff" "base64" 219 73)'
    )


def test_a_message_without_any_mime_field() -> None:
    raw = b"Subject: x\r\n\r\none\r\ntwo\r\n"
    assert write_bodies(scan(raw))[1] == (
        b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 10 2 NIL NIL NIL NIL)'
    )


def test_extension_data_of_a_single_part() -> None:
    raw = (
        b"Content-Type: image/png\r\nContent-MD5: Q2hlY2s=\r\nContent-Disposition: inline; filename=a.png\r\n"
        b"Content-Language: en, de\r\nContent-Location: a.png\r\n\r\n"
    )
    assert write_bodies(scan(raw))[0] == b'("image" "png" NIL NIL NIL "7bit" 0)'
    assert write_bodies(scan(raw))[1] == (
        b'("image" "png" NIL NIL NIL "7bit" 0 "Q2hlY2s=" ("inline" ("filename" "a.png")) ("en" "de") "a.png")'
    )


def test_a_multipart() -> None:
    raw = (
        b"Content-Type: multipart/mixed; boundary=x\r\nContent-Language: en\r\n\r\n--x\r\n\r\na\r\n"
        b"--x\r\nContent-Type: text/html\r\nContent-Disposition: attachment\r\n\r\n<p>\r\n--x--\r\n"
    )
    assert write_bodies(scan(raw))[0] == (
        b'(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 1 0)("text" "html" NIL NIL NIL "7bit" 3 0) "mixed")'
    )
    assert write_bodies(scan(raw))[1] == (
        b'(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 1 0 NIL NIL NIL NIL)'
        b'("text" "html" NIL NIL NIL "7bit" 3 0 NIL ("attachment" NIL) NIL NIL) "mixed" ("boundary" "x") NIL "en" NIL)'
    )


def test_an_embedded_message_brings_its_envelope_and_body() -> None:
    raw = b"Content-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nhello\r\n"
    envelope = b'(NIL "in" NIL NIL NIL NIL NIL NIL NIL NIL)'
    inner = b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 7 1'
    start = b'("message" "rfc822" NIL NIL NIL "7bit" 22 '
    assert write_bodies(scan(raw))[0] == start + envelope + b" " + inner + b") 3)"
    assert write_bodies(scan(raw))[1] == (start + envelope + b" " + inner + b" NIL NIL NIL NIL) 3 NIL NIL NIL NIL)")


def test_eight_bit_values_are_literals_and_read_back() -> None:
    raw = 'Content-Type: text/plain; name="ä"\r\nContent-Description: \x00\\"\r\n\r\n'.encode()
    structure = read_list(write_bodies(scan(raw))[1])
    assert structure[2] == [b"name", "ä".encode()]
    assert structure[4] == b'\\"'
