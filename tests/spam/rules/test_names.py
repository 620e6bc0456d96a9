"""Rules about names: beside an address, and of domains that pose as others."""

import pytest

from mailstack.model.verdict import DmarcResult
from mailstack.spam.rules.names import RULES
from mailstack.spam.rules.rule import findings_of
from tests.support.evidence import checked, evidence, with_field

LIST = b"\r\nList-Id: <l.lists.example>"
POSING = b"xn--80ak6aa92e.example"


def names(author: bytes, *, is_proven: bool = False) -> list[str]:
    result = DmarcResult.PASS if is_proven else DmarcResult.FAIL
    mail = evidence(with_field(b"From", author), authentication=checked(dmarc=result))
    return [finding.rule for finding in findings_of(RULES, mail)]


@pytest.mark.parametrize(
    ("author", "expected"),
    [
        (b"Carol <carol@shop.example>", []),
        (b'"boss@example.org" <x@evil.example>', ["name-is-our-address"]),
        (b'"boss@example.org" <x@lists.example>' + LIST, ["name-is-our-address"]),
        (b'"boss@example.org" <x@mail.example.org>', []),
        (b'"boss@bank.example" <x@evil.example>', ["name-is-address"]),
        (b'"boss@bank.example via Talk" <talk@lists.example>' + LIST, []),
        (b'"carol@shop.example" <carol@shop.example>', []),
        (b'"carol@shop.example" <carol@mail.shop.example>', []),
        (b'"example.org Support" <x@evil.example>', ["name-has-our-domain"]),
        (b'"example.org Support" <x@mail.example.org>', []),
        (b'"Bank.example" <x@evil.example>', ["name-is-site"]),
        (b'"Bank.example" <x@mail.bank.example>', []),
        (b'"Dr. No" <x@evil.example>', []),
        ("P\u0430yments <x@evil.example>".encode(), ["name-tricks"]),
        ("Pay\u200bments <x@evil.example>".encode(), ["name-tricks"]),
        ("\u202eelpmaxe <x@evil.example>".encode(), ["name-tricks"]),
        (b"x@n0rthwind.example", ["from-lookalike"]),
        (b"x@evil.example\r\nReply-To: x@northwlnd.example", ["from-lookalike"]),
        (b"x@northwinds.example", ["from-one-off"]),
        (b"x@mail.northwind.example", []),
        (b"x@" + POSING, ["from-poses"]),
        (b"x@xn--bcher-kva.example", []),
        (b"", []),
    ],
)
def test_names(author: bytes, expected: list[str]) -> None:
    assert names(author) == expected


@pytest.mark.parametrize("author", [b'"a@bank.example" <x@service.example>', b'"Bank.example" <x@service.example>'])
def test_services_that_are_proven_write_in_the_name_of_others(author: bytes) -> None:
    assert names(author, is_proven=True) == []


def test_a_proven_domain_may_look_like_ours_no_more_than_another() -> None:
    assert names(b"x@n0rthwind.example", is_proven=True) == ["from-lookalike"]


@pytest.mark.parametrize(
    "author", [b'"%s b@bank.example"' % (b"a" * 200_000), b'"%s"' % (b"a@" * 100_000), b"a." * 100_000]
)
def test_a_name_without_an_end_takes_no_longer_than_it_is_long(author: bytes) -> None:
    """By its square it would be minutes."""
    assert "name-tricks" not in names(author + b" <x@evil.example>")
