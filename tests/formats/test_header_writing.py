"""Header fields from values are read back the same."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailstack.formats.header_forms import date_form, groups_form, message_ids_form, raw_form, text_form, urls_form
from mailstack.formats.header_writing import write_parameter, write_value
from mailstack.formats.headers import scan_fields
from mailstack.formats.mediatype import parse_media_type
from mailstack.formats.words import parameter
from mailstack.model.errors import Invalid
from mailstack.model.header_value import (
    AddressGroup,
    EmailAddress,
    Groups,
    HeaderValue,
    MessageIds,
    RawValue,
    TextValue,
    Urls,
    ZonedDate,
)
from mailstack.model.instant import Instant


def value_of(value: HeaderValue) -> bytes:
    (field,) = scan_fields(write_value("X-Field", value))
    return field.value


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (RawValue(" a"), b"X-Field: a\r\n"),
        (RawValue("a\n b\r\n\tc"), b"X-Field:a\r\n b\r\n\tc\r\n"),
        (TextValue("Dinner?"), b"X-Field: Dinner?\r\n"),
        (TextValue("a  b"), b"X-Field: =?utf-8?b?YSAgYg==?=\r\n"),
        (
            Groups((AddressGroup(None, (EmailAddress("Joe Bloggs", "joe@x"), EmailAddress(None, "a@x"))),)),
            b'X-Field: "Joe Bloggs" <joe@x>, a@x\r\n',
        ),
        (
            Groups((AddressGroup("G", (EmailAddress(None, "a@x"),)), AddressGroup("", ()))),
            b'X-Field: "G": a@x;, "": ;\r\n',
        ),
        (Groups((AddressGroup(None, (EmailAddress(None, 'a"b c@x'),)),)), b'X-Field: <"a\\"b c"@x>\r\n'),
        (Groups((AddressGroup(None, (EmailAddress(None, '"a b"@x'),)),)), b'X-Field: <"a b"@x>\r\n'),
        (Groups((AddressGroup(None, (EmailAddress("Joe", "joe"),)),)), b'X-Field: "Joe" <joe>\r\n'),
        (MessageIds(("a@b", "c@d")), b"X-Field: <a@b> <c@d>\r\n"),
        (ZonedDate(Instant(1_531_184_591_000), 600), b"X-Field: Tue, 10 Jul 2018 11:03:11 +1000\r\n"),
        (Urls(("mailto:a@x", "https://x/")), b"X-Field: <mailto:a@x>, <https://x/>\r\n"),
    ],
)
def test_written(value: HeaderValue, written: bytes) -> None:
    assert write_value("X-Field", value) == written


@pytest.mark.parametrize(
    "value",
    [
        RawValue("a\nBcc: b"),
        RawValue("a\r\n \r\nb"),
        RawValue("a\rb"),
        RawValue("a\0"),
        RawValue("\ud800"),
        RawValue("a" * 999),
        Groups((AddressGroup(None, (EmailAddress("a", "a@x>\r\nBcc: b"),)),)),
        Groups((AddressGroup(None, (EmailAddress("a", "b@c, d"),)),)),
        Groups((AddressGroup(None, (EmailAddress("a", "<b@c>"),)),)),
        Groups((AddressGroup(None, (EmailAddress(None, ""),)),)),
        MessageIds(("<a@b>",)),
        MessageIds(("a b",)),
        MessageIds(("",)),
        Urls(("http://x/ y",)),
        Urls(("a\r\nb",)),
    ],
)
def test_refused(value: HeaderValue) -> None:
    with pytest.raises(Invalid):
        write_value("X-Field", value)


_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=120)
_ATOM = st.text("abcdefghijklmnopqrstuvwxyzäß0123456789-", min_size=1, max_size=20)
_EMAIL = st.builds("{}@{}.example".format, st.text("ab cde.\"\\(),:;[]!#ü'", min_size=1, max_size=20), _ATOM).filter(
    lambda email: not email.startswith('""@')
)
_NAME = _TEXT.map(lambda text: unicodedata.normalize("NFC", text).strip() or None)
_ADDRESS = st.builds(EmailAddress, _NAME, _EMAIL)
_MEMBERS = st.lists(_ADDRESS, max_size=3).map(tuple)


@settings(derandomize=True)
@given(_TEXT)
def test_text_comes_back(text: str) -> None:
    assert text_form(value_of(TextValue(text))) == unicodedata.normalize("NFC", text)


@settings(derandomize=True)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=120))
def test_raw_comes_back(text: str) -> None:
    assert raw_form(value_of(RawValue(text))) == text


@settings(derandomize=True)
@given(_MEMBERS.filter(bool), st.lists(st.tuples(_NAME, _MEMBERS), max_size=2))
def test_groups_come_back(
    alone: tuple[EmailAddress, ...], named: list[tuple[str | None, tuple[EmailAddress, ...]]]
) -> None:
    groups = (AddressGroup(None, alone), *(AddressGroup(name or "", members) for name, members in named))
    found = groups_form(value_of(Groups(groups)))
    assert [(group.name, [one.name for one in group.addresses]) for group in found] == [
        (group.name, [one.name for one in group.addresses]) for group in groups
    ]
    again = groups_form(value_of(Groups(found)))
    assert again == found


@settings(derandomize=True)
@given(st.lists(st.text("abc.!$%@-", min_size=1, max_size=20), min_size=1, max_size=5).map(tuple))
def test_ids_and_urls_come_back(ids: tuple[str, ...]) -> None:
    assert message_ids_form(value_of(MessageIds(ids))) == ids
    assert urls_form(value_of(Urls(ids))) == [*ids]


@settings(derandomize=True)
@given(st.integers(0, 4_000_000_000), st.integers(-14 * 60, 14 * 60))
def test_dates_come_back(seconds: int, offset: int) -> None:
    written = value_of(ZonedDate(Instant(seconds * 1000), offset))
    assert date_form(written) == (seconds * 1000, offset)


@settings(derandomize=True)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_parameters_come_back(value: str) -> None:
    found = parse_media_type(b"text/plain" + write_parameter("name", value).encode())
    assert found is not None
    assert (parameter(found[2], b"name") or "") == value


def test_a_plain_parameter_is_a_quoted_string() -> None:
    assert write_parameter("filename", 'a "b".pdf') == '; filename="a \\"b\\".pdf"'
    assert write_parameter("filename", "ü.pdf") == "; filename*=utf-8''%C3%BC.pdf"
    assert write_parameter("filename", "x" * 61).startswith("; filename*0*=utf-8''xxx")
