"""Rules about headers: each holds for what it is about, and none for an honest mail."""

import pytest

from mailstack.model.verdict import DmarcResult
from mailstack.spam.rules.headers import RULES
from mailstack.spam.rules.rule import findings_of
from tests.support.evidence import HEADER, HONEST, checked, evidence, with_field


def names(raw: bytes) -> list[str]:
    return [finding.rule for finding in findings_of(RULES, evidence(raw, authentication=checked()))]


def changed(name: str, value: bytes) -> bytes:
    return with_field(name.encode(), value)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (HONEST, []),
        (HEADER + b"From: eve@evil.example\r\n\r\nx\r\n", ["from-twice"]),
        (changed("From", b"Carol"), ["from-nowhere"]),
        (changed("From", b"carol@localhost"), ["from-nowhere"]),
        (changed("From", b""), ["from-nowhere"]),
        (HEADER + b"Subject: Hello\r\n\r\nx\r\n", ["field-twice"]),
        (changed("Date", b""), ["no-date"]),
        (changed("Date", b"yesterday"), ["date-none"]),
        (changed("Date", b"Wed, 23 Sep 2026 14:00:00 +0000"), ["date-ahead"]),
        (changed("Date", b"Tue, 22 Sep 2026 12:00:00 +0000"), []),
        (changed("Date", b"Tue, 1 Sep 2026 12:00:00 +0000"), ["date-past"]),
        (changed("Date", b"Tue, 1 Sep 2026 12:00:00 +0000\r\nResent-Date: Mon, 21 Sep 2026 12:00:00 +0000"), []),
        (changed("Message-ID", b""), ["no-message-id"]),
        (changed("Message-ID", b"<1@mx.example.org>"), ["message-id-ours"]),
        (changed("Message-ID", b"<1@EXAMPLE.org>"), ["message-id-ours"]),
        (changed("Message-ID", b"<1@mx.example.org>\r\nList-Id: <l.lists.example>"), []),
        (changed("To", b""), ["no-recipients"]),
        (changed("To", b"undisclosed-recipients:;"), []),
        (changed("To", b", ".join(b"a%d@example.org" % number for number in range(70))), ["many-recipients"]),
        (changed("Subject", b"ACT NOW OR LOSE"), ["subject-capitals"]),
        (changed("Subject", b"Hello          ab12cd"), ["subject-gap"]),
        (changed("Subject", "V\u200bi\u200bagra".encode()), ["subject-invisible"]),
        # Joined emoji, and a soft hyphen.
        (changed("Subject", "\U0001f468\u200d\U0001f469 Silber\u00adhochzeit \u2764\ufe0f".encode()), []),
        (changed("Subject", "P\u0430yment".encode()), ["subject-two-scripts"]),
        (changed("Subject", "10 \u03bcm and \u041f\u0440\u0438\u0432\u0435\u0442".encode()), []),
        (changed("Subject", b"alice@example.org: your storage is full"), ["subject-address"]),
        (changed("Subject", b"bob@example.org is away"), []),
        (changed("Subject", b"Re: our meeting"), ["reply-to-nothing"]),
        (changed("Subject", b"Re[2]: our meeting"), ["reply-to-nothing"]),
        (changed("Subject", b"Re: our meeting\r\nIn-Reply-To: <2@example.org>"), []),
        (changed("Subject", b"Fwd: our meeting"), []),
        (changed("Subject", b"Gr\xfc\xdfe"), ["header-octets"]),
        (changed("Subject", "Gr\u00fc\u00dfe".encode()), []),
        (changed("Content-Type", b"text/html"), ["no-mime-version"]),
        (changed("Content-Type", b"text/html\r\nMIME-Version: 1.0"), []),
        (changed("Content-Type", b"multipart/mixed; boundary=x\r\nMIME-Version: 1.0"), ["no-parts"]),
        (changed("Precedence", b"bulk"), ["bulk-without-unsubscribe"]),
        (changed("Precedence", b"bulk\r\nList-Unsubscribe: <mailto:x@shop.example>"), []),
        (changed("Precedence", b"bulk\r\nAuto-Submitted: auto-replied"), []),
    ],
)
def test_headers(raw: bytes, expected: list[str]) -> None:
    assert names(raw) == expected


def test_replies_that_go_elsewhere() -> None:
    raw = changed("Reply-To", b"carol@mailbox.example")
    forged = evidence(raw, authentication=checked(spf_domain="esp.example"))
    assert [(one.rule, one.why) for one in findings_of(RULES, forged)] == [
        ("replies-elsewhere", "replies go to another domain, and nobody stands for it: mailbox.example")
    ]
    assert findings_of(RULES, evidence(raw, authentication=checked(dmarc=DmarcResult.PASS))) == ()
    assert names(changed("Reply-To", b"carol@mail.shop.example")) == []
