"""The forms of RFC 8621 §4.1.2, by its rules and examples."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailstack.formats.header_forms import (
    addresses_form,
    date_form,
    groups_form,
    message_ids_form,
    raw_form,
    text_form,
    urls_form,
)
from mailstack.model.header_value import AddressGroup, EmailAddress
from mailstack.model.instant import Instant

_EXAMPLE = (
    b' "  James Smythe" <james@example.com>, Friends:\r\n'
    b"  jane@example.com, =?UTF-8?Q?John_Sm=C3=AEth?=\r\n  <john@example.com>;\r"
)
_JAMES = EmailAddress("James Smythe", "james@example.com")
_JANE = EmailAddress(None, "jane@example.com")
_JOHN = EmailAddress("John Smîth", "john@example.com")


def test_the_addresses_of_the_rfc() -> None:
    assert addresses_form(_EXAMPLE) == (_JAMES, _JANE, _JOHN)


def test_the_grouped_addresses_of_the_rfc() -> None:
    assert groups_form(_EXAMPLE) == (AddressGroup(None, (_JAMES,)), AddressGroup("Friends", (_JANE, _JOHN)))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b" a@x (Ann)", (EmailAddress("Ann", "a@x"),)),
        (b' "a b"@x', (EmailAddress(None, '"a b"@x'),)),
        (b" undisclosed", (EmailAddress(None, "undisclosed"),)),
        (b"", ()),
        (b' "=?utf-8?q?J=C3=BCrgen?=" <j@x>', (EmailAddress("Jürgen", "j@x"),)),
        ("  Jürgen <jürgen@ü.example>".encode(), (EmailAddress("Jürgen", "jürgen@ü.example"),)),
    ],
)
def test_addresses(value: bytes, expected: tuple[EmailAddress, ...]) -> None:
    assert addresses_form(value) == expected


def test_addresses_between_and_behind_groups() -> None:
    assert groups_form(b"a@x, b@x, G:;, c@x") == (
        AddressGroup(None, (EmailAddress(None, "a@x"), EmailAddress(None, "b@x"))),
        AddressGroup("G", ()),
        AddressGroup(None, (EmailAddress(None, "c@x"),)),
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b" Hello\r\n  world\r", " Hello\r\n  world"),
        (b"a\0b", "ab"),
        (b" \xff\xfe", " \ufffd\ufffd"),
        ("ü".encode(), "ü"),
    ],
)
def test_raw(value: bytes, expected: str) -> None:
    assert raw_form(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"  Hello\r\n  world \r", "Hello  world "),
        (b" =?utf-8?q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
        (b" =?utf-8?q?a?= =?utf-8?q?b?= c", "ab c"),
        (b" =?utf-8?b?w7w=?=\r\n =?iso-8859-1?q?=FC?=", "üü"),
        # RFC 2047 §5 (1): white space around it; §2: none within; a charset that is known.
        (b" x=?utf-8?q?a?=", "x=?utf-8?q?a?="),
        (b" =?utf-8?q?a b?=", "=?utf-8?q?a b?="),
        (b" =?no-such?q?a?=", "=?no-such?q?a?="),
        (b" =?utf-8?q?a=00=0Ab?=", "ab"),
        (b" =?utf-8?q?u=CC=88?=", "ü"),
    ],
)
def test_text(value: bytes, expected: str) -> None:
    assert text_form(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b" <a@b>", ("a@b",)),
        (b" <a@b>\r\n\t(comment) <c@d>", ("a@b", "c@d")),
        (b" no id", None),
        (b"", None),
    ],
)
def test_message_ids(value: bytes, expected: tuple[str, ...] | None) -> None:
    assert message_ids_form(value) == expected


def test_dates_keep_their_zone() -> None:
    assert date_form(b" Tue, 10 Jul 2018 11:03:11 +1000") == (Instant(1_531_184_591_000), 600)
    assert date_form(b" yesterday") is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b" <mailto:partytime@lists.example.com>", ["mailto:partytime@lists.example.com"]),
        (b" <mailto:a@x> (by <mail>), <https://x/\r\n  y>", ["mailto:a@x", "https://x/y"]),
        (b" NO (posting not allowed)", None),
        (b" <>", None),
    ],
)
def test_urls(value: bytes, expected: list[str] | None) -> None:
    assert urls_form(value) == expected


@settings(derandomize=True)
@given(st.binary(max_size=200))
def test_any_octets_have_every_form(value: bytes) -> None:
    for form in (raw_form, text_form, addresses_form, groups_form, message_ids_form, urls_form, date_form):
        form(value)
    for text in (raw_form(value), text_form(value)):
        text.encode()
