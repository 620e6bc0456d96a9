"""What documents may say: any bytes are values, in time and bounds, and what was written reads back.

Covers mailstack.formats.addresses, mailstack.formats.binary, mailstack.formats.charsets, mailstack.formats.collation,
mailstack.formats.comments, mailstack.formats.content, mailstack.formats.dates, mailstack.formats.first_address,
mailstack.formats.digest, mailstack.formats.headers, mailstack.formats.html_text, mailstack.formats.list_fields,
mailstack.formats.mediatype, mailstack.formats.mime, mailstack.formats.part_table, mailstack.formats.indexed,
mailstack.formats.lines,
mailstack.formats.searched, mailstack.formats.seven_bit, mailstack.formats.short_lines, mailstack.formats.subject,
mailstack.formats.terms, mailstack.formats.words and mailstack.services.mailbox.section.
"""

from itertools import pairwise

from mailstack.formats.addresses import display, flattened, parse_addresses
from mailstack.formats.binary import without_binary
from mailstack.formats.charsets import decode
from mailstack.formats.collation import casemap
from mailstack.formats.comments import without_comments
from mailstack.formats.compose import write_text_field
from mailstack.formats.content import decode_transfer, decode_transfer_piece
from mailstack.formats.dates import (
    format_date,
    parse_date,
    written_day,
)
from mailstack.formats.digest import digest_message
from mailstack.formats.first_address import AddressField, first_display, first_mailbox
from mailstack.formats.headers import header_end, remove_fields, scan_fields, unfold
from mailstack.formats.html_text import html_to_text
from mailstack.formats.indexed import indexed_words
from mailstack.formats.limits import LIMITS
from mailstack.formats.lines import in_lines
from mailstack.formats.list_fields import authors, changes, has_list_id
from mailstack.formats.mediatype import parse_disposition, parse_media_type
from mailstack.formats.part_table import TransferEncoding, unpack
from mailstack.formats.searched import SearchedText, field_texts, folded
from mailstack.formats.seven_bit import in_7bit
from mailstack.formats.short_lines import has_long_line, in_short_lines
from mailstack.formats.subject import base_subject, is_reply_or_forward
from mailstack.formats.terms import MAX_WORD_CHARACTERS, needle_words, prefix_words, words_of
from mailstack.formats.words import decode_base64, decode_words, encode_words, parameter
from mailstack.model.errors import Damaged
from mailstack.model.line_ends import has_bare_line_end
from mailstack.model.search import Scope
from mailstack.model.section import Partial, Section, SectionText
from mailstack.services.mailbox.section import read_section
from tests.fuzz.target import Target
from tests.support.digest_checks import check_digest
from tests.support.mailing_lists import make_list

LISTS = (
    make_list("team@example.com"),
    make_list("a&b@example.com", name='D"\u00e4', subject_prefix="[\u00e4]", replies_to_list=True),
)
MESSAGE = (
    b"From: =?utf-8?q?J=C3=BC?= <a@b>, g: c@d;\r\nSubject: Re: [x] s\r\nDate: Fri, 21 Nov 1997 09:55:06 -0600\r\n"
    b"Message-ID: <m@x>\r\nReferences: <a@x> <b@x>\r\n"
    b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\ntext\r\n"
    b"--x\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\nContent-Type: text/html; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: quoted-printable\r\nContent-Disposition: attachment; filename*0*=utf-8''a;\r\n"
    b" filename*1=b\r\nContent-Language: en, de\r\n\r\n<p>=C3=BC</p>\r\n--x--\r\n"
)


def run_digest(data: bytes) -> None:
    check_digest(data)


def run_headers(data: bytes) -> None:
    end = header_end(data)
    at = 0
    for field in scan_fields(data):
        assert at <= field.start < field.end <= end
        assert b"\n" not in unfold(field.value)
        at = field.end
    assert remove_fields(data, ()) == data


def run_first_address(data: bytes) -> None:
    for field in AddressField:
        first_mailbox(data, field)
        first_display(data, field)


def run_addresses(data: bytes) -> None:
    entries = parse_addresses(data)
    assert len(entries) <= LIMITS.addresses
    display(flattened(entries)).encode()


def run_dates(data: bytes) -> None:
    written_day(data)
    instant = parse_date(data)
    if instant is not None:
        assert parse_date(format_date(instant).encode()) == instant


def run_words(data: bytes) -> None:
    text = decode_words(data)
    encode_words(text).decode("ascii")
    assert write_text_field("Subject", text).count(b"\nSubject") == 0
    base = base_subject(text)
    assert base_subject(base) == base
    assert not is_reply_or_forward(base)
    casemap(text)
    decode_base64(data)


def run_mediatype(data: bytes) -> None:
    without_comments(data)
    found = parse_media_type(data)
    disposition = parse_disposition(data)
    for parameters in (found[2] if found else (), disposition[1] if disposition else ()):
        assert len(parameters) <= LIMITS.parameters
        for name, _ in parameters:
            parameter(parameters, name.partition(b"*")[0])


def run_content(data: bytes) -> None:
    charset, _, body = data.partition(b"\n")
    html_to_text(decode(body, charset.decode("latin-1")))
    for encoding in TransferEncoding:
        # An encoding never makes more of its octets.
        whole = decode_transfer(body, encoding)
        assert len(whole) <= len(body)
        middle = len(body) // 2
        first, rest = decode_transfer_piece(body[:middle], encoding)
        second, last = decode_transfer_piece(rest + body[middle:], encoding)
        assert first + second + decode_transfer(last, encoding) == whole


def run_binary(data: bytes) -> None:
    once = without_binary(data)
    assert without_binary(once) == once


def run_seven_bit(data: bytes) -> None:
    lowered = in_7bit(data)
    assert lowered is None or lowered.isascii()
    if lowered is not None:
        assert in_7bit(lowered) == lowered


def run_lines(data: bytes) -> None:
    lines = in_lines(data)
    if lines is not None:
        assert b"\0" not in lines
        assert not has_bare_line_end(lines)
        assert not has_long_line(lines)
        assert in_lines(lines) == lines


def run_short_lines(data: bytes) -> None:
    short = in_short_lines(data)
    if short is not None:
        assert not has_long_line(short)
        assert in_short_lines(short) == short


def run_part_table(data: bytes) -> None:
    try:
        unpack(data)
    except Damaged:
        return


def run_searched(data: bytes) -> None:
    text = SearchedText(data)
    assert text.body_has("")
    assert not text.body_has("\ufdd0")
    assert text.header_has("")
    assert field_texts(data[: header_end(data)], b"subject") == text.field_values(b"subject")


def run_indexed(data: bytes) -> None:
    found = indexed_words(data)
    text = SearchedText(data)
    for scope, words in found.words.items():
        assert all(0 < len(word) <= MAX_WORD_CHARACTERS for word in words)
        if scope in (Scope.BODY, Scope.ATTACHMENT):
            assert all(text.body_has(word) for word in words)


def run_terms(data: bytes) -> None:
    text = folded(data.decode("utf-8", "replace"))
    words = words_of(text)
    middle = text[len(text) // 3 :][: len(text) // 3]
    for asked in needle_words(middle)[0]:
        assert any(asked.text in word for word in words)
    prefix_words(text)


def run_section(data: bytes) -> None:
    parts = digest_message(data).parts
    for text in SectionText:
        for numbers in ((), (1,), (2,), (2, 1), (2, 1, 1)):
            section = Section(part=numbers, text=text, fields=("Subject",))
            whole = read_section(data, parts, section)
            cut = read_section(data, parts, section, Partial(offset=1, count=5))
            assert cut == (None if whole is None else whole[1:6])


def run_list_fields(data: bytes) -> None:
    fields = scan_fields(data)
    for mailing_list in LISTS:
        for rewrites_from in {False, bool(authors(fields))}:
            found = changes(fields, mailing_list, rewrites_from=rewrites_from)
            after = scan_fields(found.top)
            assert found.top.endswith(b"\r\n")
            assert sum(field.end - field.start for field in after) == len(found.top), "a field that is none"
            assert all(one[1] <= other[0] for one, other in pairwise(found.left_out))
            assert {field.name for field in after} <= found.names
            assert has_list_id(after, mailing_list.address)


TARGETS: tuple[Target, ...] = (
    Target("formats.digest", run_digest, (MESSAGE, b"")),
    Target("formats.headers", run_headers, (MESSAGE, b"A: b\r\n c\r\n\r\n")),
    Target("formats.addresses", run_addresses, (b'A <b@c>, "d\\"e" <@f:g@h>, i: j@k (l(m)), n@[1];, o . p@q',)),
    Target("formats.first_address", run_first_address, (digest_message(MESSAGE).envelope, b'("d" {1}\r\na NIL)')),
    Target("formats.dates", run_dates, (b"Fri, 21 Nov 1997 09:55:06 -0600 (CST)", b'"17-Jul-1996 02:44:25 -0700"')),
    Target("formats.words", run_words, (b"Re: =?utf-8?q?a=C3?= =?utf-8?b?qQ==?= (fwd)", b"=?iso-2022-jp*ja?B?GyRC?=")),
    Target(
        "formats.mediatype",
        run_mediatype,
        (b"multipart/mixed; boundary=\"a\\\"b\" (c); x*0*=utf-8''%C3; x*1=y; z*=a'b'c", b"attachment; filename=x y"),
    ),
    Target("formats.content", run_content, (b"utf-8\n<p>a=C3=A9&amp;</p><style>x</style>", b"x\nYWJj\r\nZGVm==")),
    Target(
        "formats.binary",
        run_binary,
        (MESSAGE, b"Content-Type: multipart/a; boundary=b\n\n--b\nContent-Transfer-Encoding: binary\n\n\0\n--b--\n"),
    ),
    Target(
        "formats.seven_bit",
        run_seven_bit,
        (
            b"MIME-Version: 1\nContent-Type: multipart/a; boundary=b\n\n"
            b"--b\nContent-Transfer-Encoding: 8bit\n\n\xe9\n--b--\n",
        ),
    ),
    Target(
        "formats.lines",
        run_lines,
        (
            b"MIME-Version: 1\nContent-Type: multipart/a; boundary=b\nContent-Transfer-Encoding: binary\n\n"
            b"--b\nContent-Transfer-Encoding: binary\n\n\0\r\n--b--\n",
        ),
    ),
    Target(
        "formats.short_lines",
        run_short_lines,
        (
            b"Content-Type: multipart/a; boundary=b\n\n--b\nContent-Transfer-Encoding: base64\n\n"
            + b"YQ" * 500
            + b"\n--b\nContent-Transfer-Encoding: quoted-printable\n\n"
            + b"=3D" * 400
            + b"\n--b--\n",
        ),
    ),
    Target("formats.part_table", run_part_table, (digest_message(MESSAGE).parts,)),
    Target("formats.searched", run_searched, (MESSAGE,)),
    Target("formats.indexed", run_indexed, (MESSAGE,)),
    Target("formats.terms", run_terms, ("a b, \u4f1a\u8bae x@y".encode(), b"", "\u0e20\xdf\ufb01".encode())),
    Target(
        "formats.list_fields", run_list_fields, (MESSAGE, b"From: a\r\nList-Id: x <team.example.com>\r\nSubject:\r\n")
    ),
    Target("mailbox.section", run_section, (MESSAGE,)),
)
