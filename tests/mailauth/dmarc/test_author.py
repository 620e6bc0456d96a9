"""One From field with one domain, whatever it is dressed up as. RFC 9989 §5.3.1.

Named after what let forgeries past others: maddy GHSA-qh5c-2mrx-4ppj and GHSA-fhw2-mvqf-h69c, several From at mox.
"""

import time

import pytest

from mailstack.formats.limits import LIMITS
from mailstack.mailauth.dmarc.author import Author, author_of


def author(*fields: str | bytes) -> Author:
    lines = [field.encode() if isinstance(field, str) else field for field in fields]
    return author_of(b"".join(line + b"\r\n" for line in lines) + b"\r\nFrom: body@body.example\r\n")


@pytest.mark.parametrize(
    ("field", "domain"),
    [
        ("From: a@example.com", "example.com"),
        ("From: A Name <a@mail.example.com>", "mail.example.com"),
        ("FROM : a@example.com", "example.com"),
        ("From:\r\n A\r\n\t<a@example.com>", "example.com"),
        ('From: "a, b" <a@example.com> (c@other.example)', "example.com"),
        ('From: "ceo@bank.example" <a@example.com>', "example.com"),  # a name, and shown as one
        ("From: =?utf-8?q?ceo=40bank.example?= <a@example.com>", "example.com"),
        ("From: @example.com", "example.com"),
        ("From: Jo @ Work <a@example.com>", "example.com"),
        ("From: a@example.com, b@EXAMPLE.com", "example.com"),  # RFC 9989 §5.3.1: several, all of one domain
        ("From: Us: a@example.com, b@example.com;", "example.com"),  # RFC 6854
    ],
)
def test_the_domain_of_the_author(field: str, domain: str) -> None:
    assert author(field) == Author(domain=domain)


@pytest.mark.parametrize("field", ["From: a@EXAMPLE.Com", "from: a@Example.COM", "From: <A@eXample.com.>"])
def test_mixed_case_from_and_a_closing_dot_are_the_same_domain_ghsa_qh5c_2mrx_4ppj(field: str) -> None:
    assert author(field) == Author(domain="example.com")


@pytest.mark.parametrize(
    "domain", ["bücher.example", "BÜCHER.example", "xn--bcher-kva.example", "XN--BCHER-KVA.example"]
)
def test_u_labels_and_a_labels_are_the_same_domain(domain: str) -> None:
    assert author(f"From: a@{domain}") == Author(domain="xn--bcher-kva.example")


@pytest.mark.parametrize("between", [(), ("Subject: x",), tuple(f"X-{n}: y" for n in range(LIMITS.header_fields + 1))])
def test_several_from_fields_are_no_author_ghsa_fhw2_mvqf_h69c(between: tuple[str, ...]) -> None:
    for second in ("From: a@example.com", "fRoM :b@other.example", "From:"):
        found = author("From: a@example.com", *between, second)
        assert found == Author(fault="several From fields")


@pytest.mark.parametrize(
    "field",
    [
        "From: a@example.com, b@other.example",
        "From: a@example.com\r\n b@other.example",
        "From: ceo@bank.example <a@example.com>",
        "From: <a@example.com> <ceo@bank.example>",
        "From: a@example.com>, <ceo@bank.example",
        "From: ceo@ bank.example <a@example.com>",
        "From: <@bank.example:a@example.com>",  # RFC 5322 §4.4: obs-route
        "From: Us: a@example.com, b@other.example;",
    ],
)
def test_several_domains_in_from_are_no_author(field: str) -> None:
    assert author(field) == Author(fault="a From field of several domains")


@pytest.mark.parametrize(
    "field",
    [
        "From: a@",
        'From: "ceo@bank.example <a@example.com>',
        'From: "ceo@bank.example"@example.com',
        "From: =?utf-8?q?ceo=40bank.example?=",
        "From: =?utf-8?b?Y2VvQGJhbmsuZXhhbXBsZQ==?=",
        b"From: a@example.com\0",
        b"From: a@example.com\0.bank.example",
        b"From: ceo@bank.example\r <a@example.com>",
        b"From: a@\xff.example",
        "From: a@[192.0.2.1]",
        "From: a@[bank.example]",
        "From: a@-example.com",
        "From: a@example..com",
        f"From: a@{'x' * 64}.example",
    ],
)
def test_what_is_no_address_is_no_author_and_says_why(field: str | bytes) -> None:
    found = author(field)
    assert found.domain == ""
    assert found.fault
    assert found.fault.isprintable()


@pytest.mark.parametrize("fields", [(), ("Subject: x",), ("From:",), ("From: root",), ("From: undisclosed:;",)])
def test_without_an_address_there_is_nobody_to_forge(fields: tuple[str, ...]) -> None:
    assert author(*fields) == Author()


def test_a_header_past_all_limits_is_not_looked_through() -> None:
    assert author("From: a@example.com", f"X: {'x' * LIMITS.header}").fault
    assert author(f"From: {'x' * 70_000}@example.com").fault


@pytest.mark.parametrize(
    "value",
    [text * 5_000 + "@" for text in ("a@b.example,", "<<<<<<<<<<", "((((((((((", '"', "@@@@@@@@@@", "=?utf-8?q?")],
)
def test_hostile_from_fields_take_a_moment_only(value: str) -> None:
    began = time.process_time()
    author(f"From: {value}")
    assert time.process_time() - began < 2
