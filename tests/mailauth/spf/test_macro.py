"""Macros as RFC 7208 §7 writes them out, and how much of them at most."""

import pytest

from mailstack.mailauth.spf.macro import (
    MOST_NAME_OCTETS,
    MacroValues,
    domain_spec,
    end_of_name,
    explanation,
    is_name,
    macro_string,
)
from mailstack.model.errors import Invalid

# RFC 7208 §7.4
VALUES = MacroValues(
    sender="strong-bad@email.example.com",
    local_part="strong-bad",
    sender_domain="email.example.com",
    domain="email.example.com",
    dotted_ip="192.0.2.3",
    readable_ip="192.0.2.3",
    ip_zone="in-addr",
    helo="mx.example.org",
    receiver="receiver.example",
    seconds=1_700_000_000,
    validated_name="mx.example.org",
)


@pytest.mark.parametrize(
    ("written", "expanded"),
    [
        ("%{s}", "strong-bad@email.example.com"),
        ("%{o}", "email.example.com"),
        ("%{d}", "email.example.com"),
        ("%{d4}", "email.example.com"),
        ("%{d3}", "email.example.com"),
        ("%{d2}", "example.com"),
        ("%{d1}", "com"),
        ("%{d01}", "com"),
        ("%{d99999999999999999999}", "email.example.com"),
        ("%{dr}", "com.example.email"),
        ("%{d2r}", "example.email"),
        ("%{D2R}", "example.email"),
        ("%{l}", "strong-bad"),
        ("%{l-}", "strong.bad"),
        ("%{lr}", "strong-bad"),
        ("%{lr-}", "bad.strong"),
        ("%{l1r-}", "strong"),
        ("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"),
        ("%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"),
        ("%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"),
        ("%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com"),
        ("%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"),
        ("%{p} %{h} %{c} %{r} %{t}", "mx.example.org mx.example.org 192.0.2.3 receiver.example 1700000000"),
        ("%{S} %%%_%-", "strong-bad%40email.example.com % %20"),
    ],
)
def test_examples(written: str, expanded: str) -> None:
    assert explanation(macro_string(written), VALUES, 1_000) == expanded


@pytest.mark.parametrize("written", ["%", "50% off", "%{s", "%{s@}", "%{0d}", "%{}", "%{dd}", "%{d0}", "%(d)", "%é"])
def test_what_is_no_macro_is_an_error(written: str) -> None:
    with pytest.raises(Invalid):
        macro_string(written)


def test_too_long_a_name_loses_labels_on_the_left() -> None:
    name = end_of_name(domain_spec(f"{'%{o}.' * 40}example.net"), VALUES)
    assert is_name(name)
    assert MOST_NAME_OCTETS - len("example.") < len(name) <= MOST_NAME_OCTETS
    assert name.startswith(("email.", "example.", "com."))
    assert name.endswith(".email.example.com.example.net")


def test_of_a_macro_that_grows_to_a_million_characters_only_what_is_used_is_written() -> None:
    macros = macro_string("%{S}" * 40_000)
    assert len(explanation(macros, VALUES, 400)) == 400
    assert len(end_of_name(macros, VALUES)) <= MOST_NAME_OCTETS


def test_an_explanation_is_one_printable_line() -> None:
    assert explanation("a\r\n550 b\x00\x7f\udcff", VALUES, 400) == "a??550 b???"


@pytest.mark.parametrize("name", ["", ".", "a..b", ".a", "a.", "x" * 64 + ".example", "é.example", "a." * 127])
def test_what_is_no_name_is_not_asked_for(name: str) -> None:
    assert not is_name(name)
