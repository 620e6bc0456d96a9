"""Addresses as the directory compares them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstack.model.address import domain_key, parse_address
from mailstack.model.errors import Invalid


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("alice@example.com", "alice@example.com"),
        ("Alice@EXAMPLE.com", "alice@example.com"),
        ("alice@example.com.", "alice@example.com"),
        ("a.b+tag@example.com", "a.b+tag@example.com"),
        ("günter@bücher.example", "günter@xn--bcher-kva.example"),  # RFC 6531 §3.3, RFC 5891 §5
        ("GÜNTER@BÜCHER.example", "günter@xn--bcher-kva.example"),
        ("u\u0308@example.com", "\u00fc@example.com"),
        ("a@b@example.com", "a@b@example.com"),  # a quoted local part may hold an @; the last one counts
        ("root@[192.0.2.1]", "root@[192.0.2.1]"),
    ],
)
def test_the_key_of_an_address(text: str, key: str) -> None:
    assert parse_address(text).key == key


@pytest.mark.parametrize(
    "text",
    [
        "",
        "alice",
        "@example.com",
        "alice@",
        "al ice@example.com",
        "a\x00b@example.com",
        "a@-b.example",
        "a@b..example",
        "a" * 65 + "@example.com",
        "a@" + "b" * 64 + ".example",
        "a@exa mple.com",
        "a@" + "b." * 128 + "example",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        parse_address(text)


def test_case_of_the_local_part_is_kept_for_display() -> None:
    assert str(parse_address("Alice@Example.COM")) == "Alice@example.com"


@given(st.text(max_size=80))
def test_any_text_is_an_address_or_invalid(text: str) -> None:
    try:
        address = parse_address(text)
    except Invalid:
        return
    assert parse_address(str(address)).key == address.key


@given(st.text(max_size=80))
def test_a_domain_key_is_its_own_key(text: str) -> None:
    try:
        key = domain_key(text)
    except Invalid:
        return
    assert domain_key(key) == key
