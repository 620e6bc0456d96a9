"""Rules about texts and links, and what newsletters do without being taken for spam."""

import pytest

from mailstack.model.verdict import DmarcResult
from mailstack.spam.rules.contents import RULES
from mailstack.spam.rules.rule import findings_of
from tests.support.evidence import HEADER, checked, evidence

WORDS = b"<p>" + b"We are pleased to send you the offers of this month. " * 3


def page(markup: bytes, *, is_proven: bool = False) -> list[str]:
    raw = HEADER + b"MIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + WORDS + markup + b"\r\n"
    result = DmarcResult.PASS if is_proven else DmarcResult.FAIL
    return [one.rule for one in findings_of(RULES, evidence(raw, authentication=checked(dmarc=result)))]


def link(address: str, text: str = "here") -> bytes:
    return f'<a href="{address}">{text}</a>'.encode()


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        (b"", []),
        (link("https://www.shop.example/a?b=c"), []),
        (link("https://evil.example", "https://www.bank.example/login"), ["link-text-lies"]),
        (link("https://evil.example", "<b>www.bank.example</b>"), ["link-text-lies"]),
        (link("https://secure.bank.example", "www.bank.example"), []),
        # Of a newsletter that counts clicks.
        (link("https://click.esp.example/1", "www.shop.example"), []),
        (link("https://click.esp.example/1", "Read more..."), []),
        (link("https://click.esp.example/1", "version 2.0"), []),
        (link("mailto:a@b.example", "a@b.example"), []),
        (link("https://login.n0rthwind.example"), ["link-lookalike"]),
        (link("https://www.northwind.example"), []),
        (link("https://xn--80ak6aa92e.example"), ["link-poses"]),
        (link("https://xn--bcher-kva.example"), []),
        (link("https://www.bank.example@evil.example/"), ["link-user"]),
        (link("https://git@code.example/"), []),
        (link("http://203.0.113.9/x"), ["link-number"]),
        (link("http://3405803785/"), ["link-number"]),
        (link("http://0xcb.0x00.0x71.0x09/"), ["link-number"]),
        (link("http://shop.example:8081/"), ["link-port"]),
        (link("https://shop.example:443/"), []),
        (link("https://bit.ly/abc"), ["link-shortener"]),
        (link("https://a.example/?u=http://b.example/?u=http%3A%2F%2Fc.example/"), ["link-redirects"]),
        (link("https://a.example/?u=http%3A%2F%2Fb.example/"), []),
        (link("data:text/html;base64,PGI+"), ["link-data"]),
        (link("javascript:x()"), ["link-script"]),
        (b"<form action=https://shop.example><input name=q>", ["form"]),
        (b"<div style=display:none>" + b"Chapter one of a long novel. " * 90 + b"</div>", ["hidden-text"]),
        (b"<div style=display:none>What is inside</div>", []),
        (b"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X", ["gtube"]),
        ("V\u200bi\u200ba\u200bg\u200br\u200ba".encode(), ["words-split"]),
        ("Vi\u200bagra Ci\u200bal\u200bis mo\u200bney".encode(), ["words-split"]),
        ("<p>\u200c \u034f \u200c \u200b</p> Silber\u00adhochzeit".encode(), []),
        ("\u0430ccount \u0430ccess p\u0430y lo\u0430n".encode(), ["words-two-scripts"]),
        # An ending behind a name, as Russian has it.
        ("PDF\u044b VIP\u043a\u043b\u0443\u0431 iPhone\u0430\u043c\u0438 SMS\u043a\u0430".encode(), []),
        ("5 \u03bcm, 6 \u03bcm, 7 \u03bcs, 8 \u03bcs, 9 k\u03a9".encode(), []),
    ],
)
def test_pages(markup: bytes, expected: list[str]) -> None:
    assert page(markup) == expected


def test_what_leads_to_a_proven_author_is_honest() -> None:
    markup = link("https://click.shop.example/1", "www.partner.example")
    assert page(markup, is_proven=True) == []
    assert page(markup) == ["link-text-lies"]


def test_a_proven_author_who_counts_clicks_elsewhere_is_told_of() -> None:
    assert page(link("https://click.esp.example/1", "www.partner.example"), is_proven=True) == ["link-text-differs"]


def test_pictures_alone() -> None:
    raw = (
        HEADER
        + b"Content-Type: text/html\r\n\r\n<a href=https://evil.example><img src=https://evil.example/1.png></a>\r\n"
    )
    assert [one.rule for one in findings_of(RULES, evidence(raw))] == ["pictures-only"]


@pytest.mark.parametrize(
    ("fields", "body", "rule"),
    [
        (b"Content-Type: text/plain; charset=klingon", b"hello", "charset-unknown"),
        (b"Content-Transfer-Encoding: base64", b"Buy this now!", "base64-none"),
        (b"Content-Type: multipart/mixed; boundary=x", b"--x\r\n\r\na\r\n" * 80 + b"--x--", "many-parts"),
    ],
)
def test_labels_that_lie(fields: bytes, body: bytes, rule: str) -> None:
    raw = HEADER + fields + b"\r\n\r\n" + body + b"\r\n"
    assert [one.rule for one in findings_of(RULES, evidence(raw))] == [rule]
