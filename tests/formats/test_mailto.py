"""RFC 6068, by its examples."""

import pytest

from mailstack.formats.mailto import Mailto, parse_mailto


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("mailto:chris@example.com", Mailto(to=("chris@example.com",))),
        ("MAILTO:a@b.example", Mailto(to=("a@b.example",))),
        (
            "mailto:infobot@example.com?subject=current-issue",
            Mailto(to=("infobot@example.com",), fields=(("subject", "current-issue"),)),
        ),
        (
            "mailto:infobot@example.com?body=send%20current-issue%0D%0Aend",
            Mailto(to=("infobot@example.com",), body="send current-issue\r\nend"),
        ),
        ("mailto:?to=addr1@an.example,addr2@an.example", Mailto(to=("addr1@an.example", "addr2@an.example"))),
        ("mailto:addr1@an.example,addr2@an.example", Mailto(to=("addr1@an.example", "addr2@an.example"))),
        ("mailto:addr1@an.example%2C%20addr2@an.example", Mailto(to=("addr1@an.example", "addr2@an.example"))),
        (
            "mailto:joe@example.com?cc=bob@example.com&body=hello",
            Mailto(to=("joe@example.com",), fields=(("cc", "bob@example.com"),), body="hello"),
        ),
        ("mailto:gorby%25kremvax@example.com", Mailto(to=("gorby%kremvax@example.com",))),
        (
            "mailto:unlikely%3Faddress@example.com?blat=foop",
            Mailto(to=("unlikely?address@example.com",), fields=(("blat", "foop"),)),
        ),
        (
            "mailto:user@example.org?subject=caf%C3%A9",
            Mailto(to=("user@example.org",), fields=(("subject", "caf\u00e9"),)),
        ),
        ("mailto:", Mailto(to=())),
    ],
)
def test_uris(uri: str, expected: Mailto) -> None:
    assert parse_mailto(uri) == expected


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "http://a.example",
        "mailto:a b@c.example",
        "mailto:a@b.example?subject",
        "mailto:a@b.example?sub%0Aject=x",
        "mailto:a@b.example?subject=a%0D%0ABcc:c@d.example",
        "mailto:a@b.example%0D%0ABcc%3Ac@d.example",
        "mailto:%zz@b.example",
        "mailto:a%",
        "mailto:" + "a" * 9_000,
    ],
)
def test_what_is_none(uri: str) -> None:
    assert parse_mailto(uri) is None
