"""What may be asked over HTTP: nothing that only this server can reach."""

from dataclasses import replace

import pytest

from mailstack.formats.web_url import WebUrl, parse_web_url
from mailstack.model.networks import networks_of
from mailstack.services.web_targets import WebTargets

OWN = "8.8.4.4"
TLS, PLAIN = parse_web_url("https://x.example/"), parse_web_url("http://x.example/")
PUBLIC = WebTargets(
    also=networks_of(()), has_internet=True, own=frozenset((OWN,)), is_own=lambda address: address == "9.9.9.9"
)
LOOPBACK_TOO = WebTargets(
    also=networks_of(("127.0.0.1", "10.1.0.0/16")), has_internet=True, own=frozenset((OWN,)), is_own=lambda _: True
)
SANDBOX = WebTargets(
    also=networks_of(("127.0.0.0/8", "::1")), has_internet=False, own=frozenset(), is_own=lambda _: False
)
PICTURES = replace(PUBLIC, in_plain=True, ports=frozenset({80, 443}))

NEAR = (
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "192.0.0.8",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:8.8.4.4",
    "64:ff9b::7f00:1",
    "64:ff9b::a00:1",
    "64:ff9b::808:404",
    "64:ff9b:1::1",
    "100::1",
    "2001:db8::1",
    "2001::1",
    "2002:7f00:1::1",
    "2002:808:808::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fec0::1",
    "3fff::1",
    "192.88.99.1",
    "4000::1",
    "ff02::1",
    OWN,
    "9.9.9.9",
    "::ffff:9.9.9.9",
)
FAR = ("8.8.8.8", "1.1.1.1", "::ffff:8.8.8.8", "64:ff9b::808:808", "2606:4700:4700::1111", "2a00:1450:4001::1")


@pytest.mark.parametrize("address", NEAR)
def test_what_is_near_is_not_asked(address: str) -> None:
    assert not PUBLIC.may_be_asked(address, TLS)
    assert not PUBLIC.may_be_asked(address, PLAIN)
    assert not PICTURES.may_be_asked(address, PLAIN)


@pytest.mark.parametrize("address", FAR)
def test_the_internet_is_asked_with_tls(address: str) -> None:
    assert PUBLIC.may_be_asked(address, TLS)
    assert not PUBLIC.may_be_asked(address, PLAIN)


@pytest.mark.parametrize("address", FAR)
def test_pictures_are_asked_for_without_tls_too_and_over_the_usual_ports(address: str) -> None:
    assert PICTURES.may_be_asked(address, TLS)
    assert PICTURES.may_be_asked(address, PLAIN)
    assert PUBLIC.may_be_asked(address, parse_web_url("https://x.example:8443/"))
    for url in ("https://x.example:8443/", "http://x.example:25/", "http://x.example:6379/"):
        assert not PICTURES.may_be_asked(address, parse_web_url(url))


@pytest.mark.parametrize("address", ["127.0.0.1", "::ffff:127.0.0.1", "10.1.2.3", "64:ff9b::a01:203"])
@pytest.mark.parametrize("url", [TLS, PLAIN])
def test_what_the_spec_allows_is_asked_either_way(address: str, url: WebUrl) -> None:
    assert LOOPBACK_TOO.may_be_asked(address, url)


def test_a_sandbox_asks_its_own_machine_alone() -> None:
    assert SANDBOX.may_be_asked("127.0.0.1", PLAIN)
    assert SANDBOX.may_be_asked("::1", TLS)
    assert not SANDBOX.may_be_asked("8.8.8.8", TLS)


@pytest.mark.parametrize(
    ("url", "may_public", "may_sandbox"),
    [
        ("https://push.example.com/", True, True),
        ("http://push.example.com/", False, False),
        ("https://8.8.8.8/", True, False),
        ("https://10.0.0.1/", False, False),
        ("https://[::ffff:10.0.0.1]/", False, False),
        ("http://127.0.0.1:4711/", False, True),
        ("https://127.0.0.1/", False, True),
        ("http://[::1]:4711/", False, True),
        ("http://localhost:4711/", False, True),
        ("https://localhost/", False, True),
        ("https://x.localhost/", False, True),
    ],
)
def test_what_may_be_given_before_a_name_is_looked_up(url: str, *, may_public: bool, may_sandbox: bool) -> None:
    assert PUBLIC.may_be_given(parse_web_url(url)) == may_public
    assert SANDBOX.may_be_given(parse_web_url(url)) == may_sandbox
