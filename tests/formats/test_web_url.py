"""URLs that are asked: what is one, what only looks like one, and what pages write in its place."""

import pytest

from mailstack.formats.web_url import MOST_OCTETS, WebUrl, link_of, parse_web_url
from mailstack.model.errors import Invalid


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "https://example.com/push/?device=X8980fc&client=12c6d086",
            ("https", "example.com", 443, "/push/?device=X8980fc&client=12c6d086", False),
        ),
        ("https://example.com", ("https", "example.com", 443, "/", False)),
        ("https://example.com?a", ("https", "example.com", 443, "/?a", False)),
        ("HTTPS://Push.Example.COM:8443/A%20b", ("https", "push.example.com", 8443, "/A%20b", False)),
        ("https://push.example.com./", ("https", "push.example.com", 443, "/", False)),
        ("http://127.0.0.1:4711/x", ("http", "127.0.0.1", 4711, "/x", True)),
        ("https://[2001:DB8::0001]:444/", ("https", "2001:db8::1", 444, "/", True)),
        ("https://[::ffff:127.0.0.1]/", ("https", "::ffff:7f00:1", 443, "/", True)),
        ("https://localhost/", ("https", "localhost", 443, "/", False)),
        ("https://a_b.example/", ("https", "a_b.example", 443, "/", False)),
    ],
)
def test_its_parts(text: str, expected: tuple[str, str, int, str, bool]) -> None:
    scheme, host, port, target, is_address = expected
    assert parse_web_url(text) == WebUrl(scheme=scheme, host=host, port=port, target=target, is_address=is_address)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example.com/push",
        "//example.com/",
        "ftp://example.com/",
        "https:/example.com/",
        "https://",
        "https:///path",
        "https://user@example.com/",
        "https://user:password@example.com/",
        "https://example.com@127.0.0.1/",
        "https://example.com#@127.0.0.1/",
        "https://example.com/#fragment",
        "https://example.com\\@127.0.0.1/",
        "https://example.com/\r\nHost: x",
        "https://example.com/ x",
        " https://example.com/",
        "https://example.com/\n",
        "https://exämple.com/",
        "https://example.com/ä",
        "https://.example.com/",
        "https://example..com/",
        "https://-example.com/",
        "https://example.com:0/",
        "https://example.com:65536/",
        "https://example.com:/",
        "https://example.com:80:80/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.1/",
        "https://127.1/",
        "https://0177.0.0.1/",
        "https://127.0.0.0x1/",
        "https://127.0.0.1.0/",
        "https://256.1.1.1/",
        "https://[127.0.0.1]/",
        "https://[::1%25lo]/",
        "https://[fe80::1%eth0]/",
        "https://[]/",
        "https://[::1/",
        "https://::1/",
        "https://example.com/" + "x" * MOST_OCTETS,
    ],
)
def test_what_is_none(text: str) -> None:
    with pytest.raises(Invalid):
        parse_web_url(text)


def test_authority_and_origin_name_the_port_where_it_is_not_the_usual_one() -> None:
    assert parse_web_url("https://a.example:443/").authority == "a.example"
    assert parse_web_url("https://[2001:db8::1]:8443/").authority == "[2001:db8::1]:8443"
    assert parse_web_url("https://a.example/x").origin == "https://a.example"
    assert parse_web_url("http://a.example:8080/x").origin == "http://a.example:8080"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://a.example/b.png", "https://a.example/b.png"),
        ("HTTP://A.Example", "http://a.example/"),
        (" \t https://a.example/b c.png\n", "https://a.example/b%20c.png"),
        ("https://a.exa\nmple/\tb", "https://a.example/b"),
        ("https://a.example/b#c#d", "https://a.example/b"),
        ("https://a.example?b=c|d{e}", "https://a.example/?b=c%7Cd%7Be%7D"),
        ("https://a.example/ü?ü", "https://a.example/%C3%BC?%C3%BC"),
        ("https://a.example/%C3%BC%zz", "https://a.example/%C3%BC%zz"),
        ('https://a.example/[b]\\c<d>"e', "https://a.example/%5Bb%5D%5Cc%3Cd%3E%22e"),
        ("https://bücher.example:444/", "https://xn--bcher-kva.example:444/"),
        ("https://[2001:DB8::1]:444/a b", "https://[2001:db8::1]:444/a%20b"),
        ("http://127.0.0.1:80/", "http://127.0.0.1/"),
    ],
)
def test_what_a_page_means(text: str, expected: str) -> None:
    assert str(link_of(text)) == expected
    assert parse_web_url(expected) == link_of(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a.png",
        "//a.example/",
        "cid:a@b",
        "https:a.example/",
        "https://",
        "https://#a",
        "https://user@a.example/",
        "https://user:80@a.example/",
        "https://a.example:/",
        "https://a.example:b/",
        "https://a.example\\@127.0.0.1/",
        "https://127.1/",
        "https://１２７.1/",
        "https://0x7f000001/",
        "https://a_ü..example/",
        "https://a.example/\ud800",
        "https://a.example/" + "ü" * 1_000,
        "https://a.example/" + "x" * MOST_OCTETS,
    ],
)
def test_what_no_page_means(text: str) -> None:
    with pytest.raises(Invalid):
        link_of(text)
