"""Which names of domains may be taken for others, and which may not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstack.spam.rules.lookalike import Lookalikes, has_two_scripts, poses_as_latin, shown_host, site_of

OURS = Lookalikes(["northwind.example", "mail.northwind.example", "acme.co.uk"])


@pytest.mark.parametrize(
    ("host", "site"),
    [
        ("www.shop.example", "shop.example"),
        ("shop.example", "shop.example"),
        ("a.b.shop.co.uk", "shop.co.uk"),
        ("shop.com.au", "shop.com.au"),
        ("co.uk", "co.uk"),
        ("a.de", "a.de"),
        ("www.a.de", "a.de"),
        ("localhost", "localhost"),
        ("192.0.2.1", "192.0.2.1"),
        ("[2001:db8::1]", "[2001:db8::1]"),
        ("", ""),
    ],
)
def test_what_somebody_registered(host: str, site: str) -> None:
    assert site_of(host) == site


@pytest.mark.parametrize(
    ("host", "meant"),
    [
        ("n0rthwind.example", "northwind.example"),
        ("northw1nd.example", "northwind.example"),
        ("north-wind.example", "northwind.example"),
        ("northvvind.example", "northwind.example"),
        ("www.northwlnd.test", "northwind.example"),
        ("xn--nrthwind-nbh.example", "northwind.example"),  # its first o is Cyrillic
        ("xn--nrthwind-v3a.example", "northwind.example"),  # nórthwind
        ("acrne.co.uk", "acme.co.uk"),
        # Its own, and what is below them.
        ("northwind.example", ""),
        ("a.northwind.example", ""),
        # The same name elsewhere is somebody's right.
        ("northwind.test", ""),
        ("northwinds.example", ""),
        ("", ""),
    ],
)
def test_what_is_drawn_alike(host: str, meant: str) -> None:
    assert OURS.drawn_as(host) == meant


@pytest.mark.parametrize(
    ("host", "meant"),
    [
        ("northwnd.example", "northwind.example"),
        ("northwinds.example", "northwind.example"),
        ("northwimd.example", "northwind.example"),
        ("nortwhind.test", "northwind.example"),
        ("northwind.example", ""),
        ("northwind.test", ""),
        ("southwind.example", ""),
        ("northwindow.example", ""),
        # Of short names, a letter is too much.
        ("acne.co.uk", ""),
        ("xyz.example", ""),
        ("", ""),
    ],
)
def test_what_is_one_letter_off(host: str, meant: str) -> None:
    assert OURS.one_off(host) == meant


def test_of_nothing_there_are_no_lookalikes() -> None:
    assert Lookalikes([]).drawn_as("n0rthwind.example") == Lookalikes([]).one_off("northwint.example") == ""


@pytest.mark.parametrize(
    ("host", "mixed", "posing"),
    [
        ("xn--pypal-4ve.example", True, False),  # one letter is Cyrillic
        ("xn--80ak6aa92e.example", False, True),  # all Cyrillic
        ("xn--e1afmkfd.example", False, False),  # пример
        ("xn--bcher-kva.example", False, False),  # bücher
        ("xn--e1afmkfd.xn--p1ai", False, False),
        ("paypal.example", False, False),
        ("xn--\N{LATIN SMALL LETTER E WITH ACUTE}.example", False, False),
        ("xn--99999999999.example", False, False),
    ],
)
def test_letters_of_other_scripts(host: str, mixed: bool, posing: bool) -> None:
    assert (has_two_scripts(host), poses_as_latin(host)) == (mixed, posing)


def test_what_is_too_long_for_a_label_is_shown_as_it_is() -> None:
    """To decode it takes time by the square of it."""
    host = f"xn--{'a' * 200_000}.example"
    assert shown_host(host) == host


def test_names_are_shown_as_programs_do() -> None:
    assert shown_host("www.xn--bcher-kva.example") == "www.bücher.example"


@given(st.text(alphabet="abcdefghij", min_size=6, max_size=12), st.integers(0, 11), st.sampled_from("kz"))
def test_one_letter_more_less_or_other_is_found(name: str, at: int, letter: str) -> None:
    known = Lookalikes([f"{name}.example"])
    at %= len(name)
    for near in (name[:at] + letter + name[at:], name[:at] + letter + name[at + 1 :]):
        assert known.one_off(f"{near}.example") == f"{name}.example"


@given(st.text(max_size=80))
def test_no_name_is_too_odd(host: str) -> None:
    OURS.drawn_as(host)
    OURS.one_off(host)
    has_two_scripts(host)
    poses_as_latin(host)
