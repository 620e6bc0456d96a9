"""Hosts and paths, good and bad. RFC 9112 §3.2."""

import pytest

from mailstack.servers.http.target import BadTarget, Target, read_target

HOST = b"mail.example.com"


@pytest.mark.parametrize(
    ("host", "found"),
    [
        (b"mail.example.com", "mail.example.com"),
        (b"MAIL.Example.COM:8443", "mail.example.com"),
        (b"mail.example.com.", "mail.example.com"),
        (b" mail.example.com ", "mail.example.com"),
        (b"127.0.0.1:80", "127.0.0.1"),
        (b"[2001:DB8::1]:443", "2001:db8::1"),
        (b"localhost", "localhost"),
    ],
)
def test_a_host_is_read_without_port_and_case(host: bytes, found: str) -> None:
    assert read_target(b"GET", b"/", [host], "1.1") == Target(found, b"/")


@pytest.mark.parametrize(
    "hosts",
    [
        [],
        [HOST, HOST],
        [b""],
        [b"user@mail.example.com"],
        [b"mail.example.com/evil"],
        [b"mail.example.com evil.example"],
        [b"mail.example.com, evil.example"],
        [b"mail.example.com:80:80"],
        [b"mail.example.com:port"],
        [b"-mail.example.com"],
        [b"mail.example.com\x00"],
        ["münchen.example".encode()],
        [b"[::1"],
        [b"a" * 256],
    ],
)
def test_host_header_attacks_a_host_that_is_none_is_refused(hosts: list[bytes]) -> None:
    with pytest.raises(BadTarget):
        read_target(b"GET", b"/", hosts, "1.1")


def test_http_1_0_may_name_no_host() -> None:
    assert read_target(b"GET", b"/x", [], "1.0") == Target("", b"/x")


@pytest.mark.parametrize(
    ("target", "found"),
    [
        (b"http://other.example/a?b", Target("other.example", b"/a?b")),
        (b"HTTPS://other.example:443", Target("other.example", b"/")),
        (b"http://other.example?q", Target("other.example", b"/?q")),
    ],
)
def test_the_host_of_an_absolute_target_counts(target: bytes, found: Target) -> None:
    assert read_target(b"GET", target, [HOST], "1.1") == found


def test_options_may_ask_about_the_server_as_a_whole() -> None:
    assert read_target(b"OPTIONS", b"*", [HOST], "1.1") == Target("mail.example.com", b"/")
    with pytest.raises(BadTarget):
        read_target(b"GET", b"*", [HOST], "1.1")


@pytest.mark.parametrize("target", [b"/", b"/a.b/..c/d..", b"/a%20b?x=%2e%2e/..", b"/a//b", b"/%c3%bc", b"/a;b=1,2"])
def test_ordinary_paths_pass_as_they_are(target: bytes) -> None:
    assert read_target(b"GET", target, [HOST], "1.1").origin == target


@pytest.mark.parametrize(
    "target",
    [
        b"/../etc/passwd",
        b"/a/../b",
        b"/a/./b",
        b"/%2e%2e/etc/passwd",
        b"/%2E./x",
        b"/a/..",
        b"/a%5c..%5cb",
        b"/a%00b",
        b"/a%0d%0aSet-Cookie:%20x",
        b"/%ff",
        b"/%c0%ae%c0%ae/",
        b"/a%2",
        b"/a%zz",
        b"/a#b",
        b"/a b",
        "/ü".encode(),
        b"",
        b"a/b",
        b"//evil.example/%0a",
        b"mail.example.com:443",
        b"ftp://mail.example.com/",
        b"http:///a",
        b"http://user@mail.example.com/",
    ],
)
def test_path_traversal_and_what_is_read_in_two_ways_is_refused(target: bytes) -> None:
    with pytest.raises(BadTarget):
        read_target(b"GET", target, [HOST], "1.1")
