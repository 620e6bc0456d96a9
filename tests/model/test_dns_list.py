"""How lists in DNS are asked, about what they are not, and which of their answers are listings. RFC 5782 §2."""

import pytest

from mailstack.model.dns_list import backwards, is_listing, is_refusal, public_address, public_names


@pytest.mark.parametrize(
    ("host", "question"),
    [
        ("192.0.2.99", "99.2.0.192"),  # RFC 5782 §2.1
        ("2001:db8:1:2:3:4:567:89ab", "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2"),  # §2.4
        ("", None),
        ("mail.example", None),
    ],
)
def test_an_address_is_asked_about_backwards(host: str, question: str | None) -> None:
    assert backwards(host) == question


@pytest.mark.parametrize(
    ("host", "question"),
    [
        ("8.8.4.4", "4.4.8.8"),
        ("::ffff:8.8.4.4", "4.4.8.8"),
        ("10.0.0.1", None),
        ("127.0.0.1", None),
        ("169.254.1.1", None),
        ("100.64.0.1", None),
        ("fe80::1%eth0", None),
        ("fd00::1", None),
        ("::1", None),
        ("0.0.0.0", None),
        ("3232235777", None),
        ("0x7f.1", None),
    ],
)
def test_nobody_is_asked_about_an_address_that_is_not_public(host: str, question: str | None) -> None:
    assert public_address(host) == question


@pytest.mark.parametrize(
    ("host", "names"),
    [
        ("shop.example", ("shop.example",)),
        ("WWW.Shop.Example.", ("shop.example", "www.shop.example")),
        ("a.b.shop.co.example", ("co.example", "shop.co.example")),
        ("bücher.example", ("xn--bcher-kva.example",)),
        ("localhost", ()),
        ("printer", ()),
        ("printer.local", ()),
        ("a.localhost", ()),
        ("router.home.arpa", ()),
        ("git.internal", ()),
        ("expyuzz4wqqyqhjn.onion", ()),
        ("192.0.2.1", ()),
        ("[192.0.2.1]", ()),
        ("1.2.3", ()),
        ("", ()),
        (".", ()),
        ("a..example", ()),
        ("-a.example", ()),
        ("a b.example", ()),
        ("a%2eb.example", ()),
        (f"{'a' * 64}.example", ()),
        (".".join(["a" * 60] * 5), ()),
        ("\udce4.example", ()),
    ],
)
def test_a_name_is_asked_about_as_registered(host: str, names: tuple[str, ...]) -> None:
    assert public_names(host) == names


@pytest.mark.parametrize(
    ("answer", "listing", "refusal"),
    [
        ("127.0.0.2", True, False),
        ("127.0.1.106", True, False),
        ("127.1.2.3", True, False),
        ("127.0.0.1", False, True),
        ("127.255.255.252", False, True),
        ("127.255.255.254", False, True),
        ("192.0.2.1", False, True),
        ("::1", False, True),
        ("127.0.1.255", False, False),  # a list of names was asked about an address
    ],
)
def test_which_answers_are_listings(answer: str, listing: bool, refusal: bool) -> None:
    assert (is_listing(answer), is_refusal(answer)) == (listing, refusal)
