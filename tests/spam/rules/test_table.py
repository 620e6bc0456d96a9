"""All rules together: their form, that none decides alone, and that honest mail comes through."""

import re
from pathlib import Path

import pytest

from mailstack.model.verdict import DmarcPolicy, DmarcResult, IprevResult, SpfResult
from mailstack.spam.rules.evidence import Ours
from mailstack.spam.rules.rule import MAX_POINTS, Rule, findings_of
from mailstack.spam.rules.table import RULES
from tests.spam.rules.test_archives import archive_of
from tests.spam.test_seen import mixed, part
from tests.support.evidence import HEADER, HONEST, checked, evidence
from tests.support.rules_page import PAGE, rules_page

PASSED = checked(dmarc=DmarcResult.PASS)
NEWSLETTER = (
    b"From: Northern Books <news@shop.example>\r\nTo: alice@example.org\r\nSubject: 20 % off, this week only!\r\n"
    b"Date: Mon, 21 Sep 2026 14:00:00 +0000\r\nMessage-ID: <1@esp.example>\r\nReply-To: help@shop.example\r\n"
    b"List-Unsubscribe: <https://click.shop.example/u>\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: text/html; charset=utf-8\r\n\r\n"
    b"<div style='display:none'>Our best books &zwnj;&nbsp;&zwnj;&nbsp;</div><table bgcolor=#eeeeee><tr><td>"
    b"<a href='https://click.shop.example/1?u=https%3A%2F%2Fwww.shop.example'>www.shop.example</a>"
    b"<p>This week all books are 20 % off. Come and see us, or order from our site as always.</p>"
    b"<img src='https://img.shop.example/a.png'></table>\r\n"
)
LIST = (
    b"From: Bob via Talk <talk@lists.example>\r\nReply-To: Bob <bob@mailbox.example>\r\nTo: talk@lists.example\r\n"
    b"Subject: Re: [Talk] Monday\r\nDate: Mon, 21 Sep 2026 14:00:00 +0000\r\nMessage-ID: <2@mailbox.example>\r\n"
    b"In-Reply-To: <1@mailbox.example>\r\nList-Id: Talk <talk.lists.example>\r\nPrecedence: list\r\n\r\n"
    b"Monday is fine.\r\n"
)
INVOICE = (
    HEADER
    + b"MIME-Version: 1.0\r\n"
    + mixed(
        part(b"text/plain", b"Dear Alice, please find attached our invoices of September. " * 5),
        part(b"application/zip; name=invoices.zip", archive_of({"4711.pdf": b"%PDF", "4712.pdf": b"%PDF"})),
    )
)
NOTICE = (
    b"From: no-reply@service.example\r\nTo: alice@example.org\r\nSubject: Your order 4711 is on its way\r\n"
    b"Date: Mon, 21 Sep 2026 14:00:00 +0000\r\nMessage-ID: <3@service.example>\r\nAuto-Submitted: auto-generated\r\n"
    b"\r\nIt arrives on Tuesday: https://track.service.example/4711\r\n"
)
BOUNCE = (
    b"From: Mail Delivery System <MAILER-DAEMON@mx.shop.example>\r\nTo: alice@example.org\r\n"
    b"Subject: Undelivered Mail Returned to Sender\r\nDate: Mon, 21 Sep 2026 14:00:00 +0000\r\n"
    b"Message-ID: <4@mx.shop.example>\r\nAuto-Submitted: auto-replied\r\n\r\nNobody has that name here.\r\n"
)


def test_each_rule_has_a_name_of_its_own() -> None:
    names = [rule.name for rule in RULES]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) for name in names)


def test_no_rule_decides_alone() -> None:
    assert all(0 < abs(rule.points) <= MAX_POINTS for rule in RULES)


def test_points_are_to_a_tenth() -> None:
    assert [rule.name for rule in RULES if round(rule.points, 1) != rule.points] == []


def test_why_is_on_one_line_for_people() -> None:
    assert [rule.name for rule in RULES if not rule.why.isprintable() or ";" in rule.why or len(rule.why) > 90] == []


@pytest.mark.parametrize("raw", [HONEST, NEWSLETTER, LIST, INVOICE, NOTICE])
def test_honest_mail_comes_through(raw: bytes) -> None:
    assert [one.rule for one in findings_of(RULES, evidence(raw, authentication=PASSED))] == ["dmarc-pass"]


def test_a_bounce_comes_through() -> None:
    mail = evidence(BOUNCE, authentication=checked(spf=SpfResult.NONE, helo=SpfResult.PASS), reverse_path="")
    assert findings_of(RULES, mail) == ()


def test_what_was_forwarded_comes_through() -> None:
    """Its envelope is that of who forwards, and its signature holds."""
    known = checked(dmarc=DmarcResult.PASS, spf=SpfResult.FAIL)
    found = findings_of(RULES, evidence(NEWSLETTER, authentication=known, reverse_path="carol@elsewhere.example"))
    assert sum(one.points for one in found) < 0


def test_a_small_server_of_somebody_comes_through() -> None:
    """Without DMARC, DKIM and a name of its own."""
    known = checked(spf=SpfResult.NONE, host="static.203.0.113.7.hosting.example")
    found = findings_of(RULES, evidence(authentication=known))
    assert sum(one.points for one in found) < 2.5


def test_a_forgery_with_a_program_is_over_the_threshold() -> None:
    known = checked(dmarc=DmarcResult.FAIL, policy=DmarcPolicy.REJECT, spf=SpfResult.FAIL, iprev=IprevResult.FAIL)
    raw = HEADER + mixed(part(b"text/plain", b"pay"), part(b"application/x; name=invoice.pdf.exe", b"MZ"))
    found = findings_of(RULES, evidence(raw, authentication=known))
    assert sum(one.points for one in found) >= 10


def test_of_rules_about_one_thing_the_first_counts() -> None:
    rules = (
        Rule("a", 1, "no", lambda _mail: False, about="x"),
        Rule("b", 2, "yes", lambda _mail: True, about="x"),
        Rule("c", 3, "yes", lambda _mail: True, about="x"),
        Rule("d", 4, "yes", lambda _mail: True),
        Rule("e", 5, "yes", lambda _mail: True),
    )
    assert [one.rule for one in findings_of(rules, evidence())] == ["b", "d", "e"]


def test_what_strangers_wrote_is_printable_and_short() -> None:
    rules = (Rule("a", 1, "told", lambda _mail: "\r\nX: \x1b[2J\u202e" + "x" * 500),)
    (found,) = findings_of(rules, evidence())
    assert found.why.isprintable()
    assert len(found.why) < 150


def test_a_server_without_domains_has_no_lookalikes() -> None:
    assert findings_of(RULES, evidence(ours=Ours())) == ()


def test_the_page_has_them_all() -> None:
    assert Path(PAGE).read_text(encoding="utf-8") == rules_page(), "run `make docs`"
