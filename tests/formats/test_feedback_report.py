"""RFC 5965."""

import email
import email.policy
from email.message import EmailMessage
from typing import Any

import pytest

from mailstack.formats.feedback_report import MAX_WHOLE_OCTETS, FeedbackReport, write_feedback_report
from mailstack.model.errors import Invalid
from mailstack.model.instant import Instant

MAIL = b"From: a@b.example\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\nbuy\r\n"
REPORT: dict[str, Any] = {
    "feedback_type": "abuse",
    "author": "postmaster@mail.example.com",
    "to": "desk@c.example",
    "text": "This is spam \u2013 again.\r\n",
    "raw": MAIL,
    "has_body": True,
    "reverse_path": "a@b.example",
    "reporting_user": "alice@example.com",
    "written_at": Instant(1_700_000_000_000),
    "domain": "mail.example.com",
}


def written(**given: object) -> EmailMessage:
    raw = write_feedback_report(FeedbackReport(**{**REPORT, **given}), token="0123456789abcdef")
    found = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    assert not found.defects
    return found


def test_a_report_has_three_parts() -> None:
    found = written()
    assert (found.get_content_type(), found.get_param("report-type")) == ("multipart/report", "feedback-report")
    assert (found["from"], found["to"]) == ("Postmaster <postmaster@mail.example.com>", "desk@c.example")
    assert found["subject"] == "Report: Gr\u00fc\u00dfe"
    assert found["auto-submitted"].startswith("auto-generated")
    text, feedback, mail = found.iter_parts()
    assert text.get_content() == "This is spam \u2013 again.\r\n"
    assert feedback.get_content_type() == "message/feedback-report"
    fields = feedback.get_payload(0)
    assert isinstance(fields, EmailMessage)
    assert [fields[name] for name in ("feedback-type", "version", "original-mail-from", "dovecot-reporting-user")] == [
        "abuse",
        "1",
        "<a@b.example>",
        "<alice@example.com>",
    ]
    assert mail.get_content_type() == "message/rfc822"
    inner = mail.get_payload(0)
    assert isinstance(inner, EmailMessage)
    assert inner["from"] == "a@b.example"
    assert inner.get_payload() == "buy\r\n"


@pytest.mark.parametrize("given", [{"has_body": False}, {"raw": MAIL + b"x\r\n" * (MAX_WHOLE_OCTETS // 3)}])
def test_a_header_alone(given: dict[str, object]) -> None:
    *_, header = written(**given).iter_parts()
    assert header.get_content_type() == "text/rfc822-headers"
    assert header.get_payload() == "From: a@b.example\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"


def test_eight_bits_are_said() -> None:
    *_, mail = written(raw=MAIL + "gr\u00fcn\r\n".encode()).iter_parts()
    assert mail["content-transfer-encoding"] == "8bit"


def test_no_field_is_smuggled_in() -> None:
    assert written(raw=b"Subject: =?utf-8?q?a=0D=0ABcc:_x@y.example?=\r\n\r\n")["bcc"] is None
    with pytest.raises(Invalid):
        written(to="a@b.example>\r\nBcc: <x@y.example")
