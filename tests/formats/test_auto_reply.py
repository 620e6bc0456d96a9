"""RFC 5230 §4.5, §4.6, §5 and RFC 3834."""

import email
import email.policy
from typing import Any

import pytest

from mailstack.formats.auto_reply import AutoReply, why_not, write_auto_reply
from mailstack.formats.headers import Field, scan_fields
from mailstack.model.errors import Invalid
from mailstack.model.instant import Instant

OWN = frozenset({"alice@example.com", "a.example@example.com"})
NOW = Instant(1_700_000_000_000)


def fields_of(header: str) -> list[Field]:
    return scan_fields((header.replace("\n", "\r\n") + "\r\n").encode())


@pytest.mark.parametrize(
    ("header", "path", "reason"),
    [
        ("To: Alice <alice@example.com>\n", "x@b.example", ""),
        ("Cc: y@b.example, A.Example@EXAMPLE.com\n", "x@b.example", ""),
        ("Resent-To: alice@example.com\n", "x@b.example", ""),
        ("To: alice@example.com\nAuto-Submitted: no\n", "x@b.example", ""),
        ("To: alice@example.com\nPrecedence: first-class\n", "x@b.example", ""),
        ("To: friends:;\n", "x@b.example", "it names none of the account's addresses"),
        ("", "x@b.example", "it names none of the account's addresses"),
        ("To: alice@example.com\n", "", "it is a notice"),
        ("To: alice@example.com\n", "Alice@example.com", "it is from oneself"),
        ("To: alice@example.com\nAuto-Submitted: auto-replied\n", "x@b.example", "it was sent automatically"),
        ("To: alice@example.com\nList-Id: <a.b>\n", "x@b.example", "it came by a list"),
        ("To: alice@example.com\nPrecedence: Bulk\n", "x@b.example", "it went to many"),
        ("To: alice@example.com\nX-Auto-Response-Suppress: DR, RN\n", "x@b.example", ""),
        (
            "To: alice@example.com\nX-Auto-Response-Suppress: DR,\n\tOOF , RN\n",
            "x@b.example",
            "its sender wants no answers of absence",
        ),
        (
            "To: alice@example.com\nX-Auto-Response-Suppress: all\n",
            "x@b.example",
            "its sender wants no answers of absence",
        ),
        ("To: alice@example.com\n", "owner-list@b.example", "a program sent it"),
        ("To: alice@example.com\n", "list-request@b.example", "a program sent it"),
        ("To: alice@example.com\n", "MAILER-DAEMON@b.example", "a program sent it"),
        ("To: alice@example.com\n", "no-reply@b.example", "a program sent it"),
        ("To: alice@example.com\n", "noreplyman@b.example", ""),
    ],
)
def test_who_is_answered(header: str, path: str, reason: str) -> None:
    assert why_not(fields_of(header), reverse_path=path, own=OWN) == reason


def written(header: str, **given: object) -> email.message.EmailMessage:
    values: dict[str, Any] = {
        "to": "x@b.example",
        "sender": "alice@example.com",
        "subject": "",
        "text": "Away.\r\n",
        "written_at": NOW,
    }
    reply = AutoReply(**{**values, "domain": "mail.example.com", "fields": fields_of(header), **given})
    raw = write_auto_reply(reply, token="0123456789abcdef")
    found = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(found, email.message.EmailMessage)
    assert not found.defects
    return found


def test_an_answer_belongs_to_the_mail() -> None:
    found = written(
        "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\nMessage-ID: <2@b>\nReferences: <0@b> <1@b>\n", name="Alice Ä"
    )
    assert found["subject"] == "Auto: Gr\u00fc\u00dfe"
    assert found["in-reply-to"] == "<2@b>"
    assert found["references"] == "<0@b> <1@b> <2@b>"
    assert found["auto-submitted"].startswith("auto-replied")
    assert (found["from"], found["to"]) == ("Alice \u00c4 <alice@example.com>", "x@b.example")
    assert found.get_content() == "Away.\r\n"


def test_a_subject_of_ones_own() -> None:
    assert written("Subject: x\n", subject="Gone \u2014 fishing")["subject"] == "Gone \u2014 fishing"
    assert written("")["subject"] == "Automated reply"
    assert written(f"Subject: {'x' * 5_000}\n")["subject"] == f"Auto: {'x' * 249}\u2026"
    assert written("", subject="x" * 256)["subject"] == "x" * 256


@pytest.mark.parametrize(
    ("header", "to"),
    [
        ('From: "X, Y" <x@b.example>\n', '"X, Y" <x@b.example>'),
        ("From: =?utf-8?q?=C3=84?= <X@B.example>\n", "\u00c4 <x@b.example>"),
        ('From: "A" <a@b.example>\nSender: B <x@b.example>\n', "B <x@b.example>"),
        ("From: A <a@b.example>, X <x@b.example>\n", "X <x@b.example>"),
        ("From: x@b.example\n", "x@b.example"),
        ("From: A <a@b.example>\nReply-To: R <x@b.example>\n", "x@b.example"),
        # No other line, and no other recipient.
        ("From: =?utf-8?q?a=0D=0ABcc=3A_c=40d.example=2C?= <x@b.example>\n", '"a Bcc: c@d.example," <x@b.example>'),
    ],
)
def test_whoever_is_answered_has_the_name_of_the_mail(header: str, to: str) -> None:
    found = written(header)
    assert found["to"] == to
    assert len(found["to"].addresses) == 1
    assert found["bcc"] is None


def test_a_long_thread_is_named_by_its_beginning_and_its_end() -> None:
    references = " ".join(f"<{number}@b>" for number in range(100))
    found = written(f"Message-ID: <new@b>\nReferences: {references}\n")["references"].split()
    assert (len(found), found[0], found[-2:]) == (21, "<0@b>", ["<99@b>", "<new@b>"])


def test_text_that_is_not_ascii_passes_everywhere() -> None:
    found = written("", text="Bin weg \u2013 bis Montag.\r\n")
    assert found["content-transfer-encoding"] == "quoted-printable"
    assert found.get_content() == "Bin weg \u2013 bis Montag.\r\n"


def test_a_mime_entity_keeps_its_own_fields_and_no_others() -> None:
    entity = (
        "Subject: smuggled\r\nContent-Type: text/html;\r\n\tcharset=utf-8\r\nBcc: c@d.example\r\n\r\n<p>Away</p>\r\n"
    )
    found = written("Subject: x\n", text=entity, is_mime=True)
    assert (found["subject"], found["bcc"], found.get_content_type()) == ("Auto: x", None, "text/html")
    assert found.get_content() == "<p>Away</p>\r\n"
    for broken in ("no header\r\n", "Content-Type: \u00e4\r\n\r\nx"):
        with pytest.raises(Invalid):
            written("", text=broken, is_mime=True)


def test_nothing_is_smuggled_into_the_header() -> None:
    for name, value in (("to", "a@b.example>\r\nBcc: c@d.example"), ("sender", "a\r\nX: y@b.example")):
        with pytest.raises(Invalid):
            written("", **{name: value})
    assert "bcc" not in written("Subject: a\n", subject="a\r\nBcc: c@d.example")


def test_a_subject_of_the_script_is_encoded_only_where_it_must_be() -> None:
    assert written("", subject="=?utf-8?q?=C3=A4?= b")["Subject"] == "ä b"
    assert written("", subject="ä b")["Subject"] == "ä b"
    assert written("", subject="a\x01b")["Subject"] == "a b"
