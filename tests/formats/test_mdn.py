"""RFC 8098, as RFC 5429 §2.1.1 has it written."""

import email
import email.policy
from email.message import Message
from typing import Any

import pytest

from mailstack.formats.mdn import Refused, write_refused
from mailstack.model.errors import Invalid
from mailstack.model.instant import Instant

REFUSED: dict[str, Any] = {
    "reporting_host": "mail.example.com",
    "to": "x@b.example",
    "recipient": "alice@example.com",
    "reason": "No advertisements,\r\nplease.",
    "written_at": Instant(1_700_000_000_000),
    "header": b"Subject: Buy\r\n\r\n",
    "message_id": "<1@b.example>",
}


def written(**given: object) -> email.message.EmailMessage:
    raw = write_refused(Refused(**{**REFUSED, **given}), token="0123456789abcdef")
    found = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(found, email.message.EmailMessage)
    assert not found.defects
    return found


def test_a_refusal_says_who_and_why() -> None:
    found = written()
    assert found.get_content_type() == "multipart/report"
    assert found.get_param("report-type") == "disposition-notification"
    assert found["auto-submitted"].startswith("auto-replied")
    text, disposition, header = found.iter_parts()
    assert "<alice@example.com>, which says:\r\n\r\nNo advertisements,\r\nplease.\r\n" in text.get_content()
    fields = disposition.get_payload(0)
    assert isinstance(fields, Message)
    assert fields["final-recipient"] == "rfc822; alice@example.com"
    assert fields["original-message-id"] == "<1@b.example>"
    assert fields["disposition"] == "automatic-action/MDN-sent-automatically; deleted"
    assert "Subject: Buy" in header.as_string()


def test_what_is_not_shown_is_left_out() -> None:
    assert len(list(written(header=b"", message_id="").iter_parts())) == 2


def test_a_reason_in_any_language() -> None:
    text, *_ = written(reason="Nein, \u00e4h.").iter_parts()
    assert "Nein, \u00e4h." in text.get_content()


def test_nothing_is_smuggled_into_the_header() -> None:
    with pytest.raises(Invalid):
        written(message_id="<1>\r\nX: y")
