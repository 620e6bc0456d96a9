"""BODY[…]: what is asked, and how the answer names it."""

import pytest

from mailstack.model.section import Partial, Section, SectionText
from mailstack.wire.imap.faults import SyntaxProblem
from mailstack.wire.imap.sections import partial, section, section_text
from mailstack.wire.imap.tokens import Cursor


def cursor(text: bytes) -> Cursor:
    return Cursor((text,), nesting=1, items=1)


SECTIONS = [
    (b"[]", Section()),
    (b"[HEADER]", Section(text=SectionText.HEADER)),
    (b"[TEXT]", Section(text=SectionText.TEXT)),
    (b"[4.2.2.1]", Section(part=(4, 2, 2, 1))),
    (b"[4.1.MIME]", Section(part=(4, 1), text=SectionText.MIME)),
    (b"[4.2.HEADER]", Section(part=(4, 2), text=SectionText.HEADER)),
    (b"[HEADER.FIELDS (DATE FROM)]", Section(text=SectionText.HEADER_FIELDS, fields=("DATE", "FROM"))),
    (b"[1.HEADER.FIELDS.NOT (X-A)]", Section(part=(1,), text=SectionText.HEADER_FIELDS_NOT, fields=("X-A",))),
    (b'[HEADER.FIELDS ("a(b")]', Section(text=SectionText.HEADER_FIELDS, fields=("a(b",))),
]


@pytest.mark.parametrize(("text", "expected"), SECTIONS)
def test_section(text: bytes, expected: Section) -> None:
    assert section(cursor(text)) == expected


@pytest.mark.parametrize(("text", "expected"), SECTIONS)
def test_the_answer_names_it_as_asked(text: bytes, expected: Section) -> None:
    assert section_text(expected) == text


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[",
        b"[MIME]",
        b"[0]",
        b"[1.]",
        b"[1..2]",
        b"[HEADER.FIELDS]",
        b"[HEADER.FIELDS ()]",
        b"[HEADER.FIELDS (A:B)]",
        b'[HEADER.FIELDS ("a b")]',
        b"[FOO]",
        b"[TEXT",
        b"[" + b".".join([b"1"] * 101) + b"]",
    ],
)
def test_what_is_no_section(text: bytes) -> None:
    with pytest.raises(SyntaxProblem):
        section(cursor(text))


def test_partial() -> None:
    assert partial(cursor(b"<0.2048>")) == Partial(offset=0, count=2048)
    assert partial(cursor(b" FLAGS")) is None


@pytest.mark.parametrize("text", [b"<0>", b"<0.0>", b"<0.1", b"<-1.1>"])
def test_what_is_no_partial(text: bytes) -> None:
    with pytest.raises(SyntaxProblem):
        partial(cursor(text))
