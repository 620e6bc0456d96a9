"""What the addresses of links say."""

import pytest

from mailstack.spam.links import Link, link_hosts, link_of, link_tokens, links_in


def tokens(*links: str) -> set[str]:
    return {token.decode() for token in link_tokens(links, 100)}


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        (
            "http://www.Shop.example/a/b?c",
            {"link by http", "link to example", "link to shop.example", "link to www.shop.example"},
        ),
        ("https://a.example.", {"link by https", "link to example", "link to a.example"}),
        ("http://192.0.2.1/x", {"link by http", "link to a number for a host"}),
        ("http://3221225985/", {"link by http", "link to a number for a host"}),
        (
            "http://bank.example@evil.example/",
            {"link by http", "link to example", "link to evil.example", "link with a user"},
        ),
        (
            "http://a.example:8080/setup.exe",
            {"link by http", "link to example", "link to a.example", "link with a port", "link to a file .exe"},
        ),
        (
            "http://xn--80ak6aa92e.example",
            {
                "link by http",
                "link to example",
                "link to xn--80ak6aa92e.example",
                "link to a host in another script",
            },
        ),
        (
            "http://a.b.c.d.example",
            {
                "link by http",
                "link to example",
                "link to d.example",
                "link to c.d.example",
                "link to a host of many labels",
            },
        ),
        ("mailto:a@b.example?subject=remove", {"link by mailto", "mail to b.example"}),
        ("cid:part1", {"link by cid"}),
        ("relative/path", set()),
        ("", set()),
        ("http://", set()),
    ],
)
def test_tokens_of_a_link(link: str, expected: set[str]) -> None:
    assert tokens(link) == expected | {"one link"}


@pytest.mark.parametrize(
    ("count", "said"), [(0, "no link"), (1, "one link"), (2, "some links"), (10, "many links"), (100_000, "many links")]
)
def test_how_many_there_are(count: int, said: str) -> None:
    assert said in tokens(*(f"http://h{number}.example" for number in range(count)))


def test_a_link_that_stands_twice_is_one() -> None:
    assert "one link" in tokens("http://a.example", "http://a.example")


def test_only_so_many_are_looked_at() -> None:
    assert len(list(link_tokens((f"http://h{number}.example" for number in range(1_000)), 10))) == 31


def test_hosts_of_links_to_the_web_are_told_once() -> None:
    links = (
        "HTTP://Shop.Example./a",
        "https://user:pw@shop.example:8080/b?c",
        "//cdn.example/x",
        "mailto:a@mail.example",
        "data:text/html,http://no.example",
        "http://8.8.4.4/x",
        "http://",
    )
    assert list(link_hosts(links)) == ["shop.example", "8.8.4.4"]


def test_links_that_lead_to_a_host() -> None:
    found = links_in(["HTTPS://u@A.example.:8080/b", "c.html", "mailto:d@e.example", "HTTPS://u@A.example.:8080/b"])
    assert found == (Link("HTTPS://u@A.example.:8080/b", "https", "u", "a.example", "8080"),)


def test_what_people_write_may_lack_a_scheme() -> None:
    assert link_of("www.a.example/b") == Link("www.a.example/b", "", "", "www.a.example", "")
    assert link_of("ftp://a.example") is None
