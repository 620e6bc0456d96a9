"""Addresses that scripts send to. RFC 5228 §2.4.2.3."""

import pytest

from mailstack.model.errors import Invalid
from mailstack.sieve.actions import Redirect
from mailstack.sieve.addresses import outbound_address
from tests.support.sieve import done, outcome


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a@b.example", "a@b.example"),
        (" a @ b.example ", "a@b.example"),
        ("A Name <a@b.example>", "a@b.example"),
        ("A. Name<a@b.example >", "a@b.example"),
        ('"Name, A." <a@b.example>', "a@b.example"),
        ('"a"@b.example', "a@b.example"),
        ("a(comment)@b.example (and another)", "a@b.example"),
        ("..a..b..@b.example", "..a..b..@b.example"),
        ("rüdiger@bücher.example", "rüdiger@xn--bcher-kva.example"),
        ("a@[192.0.2.1]", "a@[192.0.2.1]"),
    ],
)
def test_addresses(text: str, expected: str) -> None:
    assert outbound_address(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@b.example",
        "a",
        "a@",
        "<>",
        "Name a@b.example",
        "Name <a@b.example",
        "a@b.example, c@d.example",
        "Group: a@b.example;",
        "<@c.example:a@b.example>",
        "a b@c.example",
        '"a b"@c.example',
        "a@b..example",
        "a@b.example>\r\nX: y",
    ],
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(Invalid):
        outbound_address(text)


@pytest.mark.parametrize("text", ['"' * 100_000, "<" * 100_000, "a " * 100_000, "(" * 100_000, "a<" + '"\\' * 50_000])
def test_long_ones_are_read_once(text: str) -> None:
    with pytest.raises(Invalid):
        outbound_address(text)


def test_redirect_takes_the_address_without_the_name() -> None:
    (redirect,) = done('redirect "Bart <bart@example.com>";')
    assert redirect == Redirect(address="bart@example.com")
    (redirect,) = done('require "variables"; set "to" "Bart <bart@example.com>"; redirect "${to}";')
    assert redirect == Redirect(address="bart@example.com")


def test_what_a_run_makes_no_address_of_is_a_fault() -> None:
    assert outcome('require "variables"; set "to" "bart"; redirect "${to}";').fault.startswith("redirect to 'bart': ")
