"""Notices, read back by the standard library's parser."""

import email
import email.policy
from email.message import EmailMessage, Message

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailstack.formats.dsn import Action, Notice, RecipientStatus, without_header, write_notice
from mailstack.model.delivery import SmtpReply
from mailstack.model.instant import DAY_MS, Instant

NOW = Instant(1_700_000_000_000)
HEADER = b"From: a@example.com\r\nSubject: Invoice\r\nMessage-ID: <1@example.com>\r\n\r\n"
NO_SUCH_USER = RecipientStatus(
    recipient="b@them.test", reply=SmtpReply(code=550, status="5.1.1", text="no such user"), host="mx.them.test"
)


def notice(
    *recipients: RecipientStatus,
    action: Action = Action.FAILED,
    to: str = "a@example.com",
    header: bytes = HEADER,
    is_tls_optional: bool = False,
) -> bytes:
    found = Notice(
        action=action,
        reporting_host="mail.example.com",
        to=to,
        arrived_at=Instant(NOW - DAY_MS),
        written_at=NOW,
        recipients=recipients or (NO_SUCH_USER,),
        header=header,
        is_tls_optional=is_tls_optional,
    )
    return write_notice(found, token="0123456789abcdef")


def parsed(raw: bytes) -> EmailMessage:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def parts(raw: bytes) -> tuple[EmailMessage, list[Message], EmailMessage]:
    """The text, the groups of the delivery status, the returned header."""
    message = parsed(raw)
    assert not message.defects
    text, status, returned = message.iter_parts()
    assert isinstance(text, EmailMessage)
    assert isinstance(returned, EmailMessage)
    payload = status.get_payload()
    assert isinstance(payload, list)
    return text, [group for group in payload if isinstance(group, Message)], returned


def content(part: EmailMessage) -> str:
    return str(part.get_content()).replace("\r\n", "\n")


def test_without_a_header_to_show_it_has_two() -> None:
    assert [part.get_content_type() for part in parsed(notice(header=b"")).iter_parts()] == [
        "text/plain",
        "message/delivery-status",
    ]


@pytest.mark.parametrize("above", [b"", b"Delivered-To: x@example.com\r\n"])
def test_the_header_can_be_taken_out_again(above: bytes) -> None:
    assert without_header(above + notice()) == above + notice(header=b"")
    assert without_header(notice(header=b"")) == notice(header=b"")


@pytest.mark.parametrize("raw", [b"", HEADER + b"body", HEADER + notice(), notice().replace(b"=_", b"x")])
def test_of_other_mail_nothing_is_taken_out(raw: bytes) -> None:
    assert without_header(raw) == raw


def test_a_notice_may_say_that_it_need_not_have_tls() -> None:  # RFC 8689 §6
    assert "TLS-Required" not in parsed(notice())
    assert parsed(notice(is_tls_optional=True))["TLS-Required"] == "No"


def test_a_bounce_is_a_report_of_three_parts() -> None:  # RFC 6522 §3, RFC 3464 §2
    raw = notice()
    message = parsed(raw)
    assert message.get_content_type() == "multipart/report"
    assert message.get_param("report-type") == "delivery-status"
    assert [part.get_content_type() for part in message.iter_parts()] == [
        "text/plain",
        "message/delivery-status",
        "text/rfc822-headers",
    ]
    assert message["From"] == "Mail Delivery System <mailer-daemon@mail.example.com>"
    assert message["To"] == "a@example.com"
    assert message["Auto-Submitted"] == "auto-replied"
    assert message["Date"].datetime.timestamp() == NOW / 1000


def test_the_status_names_recipient_action_and_reply() -> None:  # RFC 3464 §2.2, §2.3
    _, (about_mail, about_recipient), _ = parts(notice())
    assert dict(about_mail.items()) == {
        "Reporting-MTA": "dns; mail.example.com",
        "Arrival-Date": "Mon, 13 Nov 2023 22:13:20 +0000",
    }
    assert dict(about_recipient.items()) == {
        "Final-Recipient": "rfc822; b@them.test",
        "Action": "failed",
        "Status": "5.1.1",
        "Remote-MTA": "dns; mx.them.test",
        "Diagnostic-Code": "smtp; 550 5.1.1 no such user",
        "Last-Attempt-Date": "Tue, 14 Nov 2023 22:13:20 +0000",
    }


def test_a_reason_of_our_own_names_no_remote_host() -> None:  # RFC 3464 §2.3.6
    reply = SmtpReply(code=451, status="4.4.1", text="connect: refused")
    _, (_, about), _ = parts(notice(RecipientStatus(recipient="b@them.test", reply=reply, host="")))
    assert "Remote-MTA" not in about
    assert about["Diagnostic-Code"] == "x-mailstack; 451 4.4.1 connect: refused"
    assert about["Status"] == "5.4.1"  # RFC 3464 §2.3.4: the class goes with the action


def test_a_delay_says_until_when() -> None:
    late = RecipientStatus(
        recipient="b@them.test",
        reply=SmtpReply(code=451, status="", text="later"),
        host="mx.them.test",
        retry_until=Instant(NOW + DAY_MS),
    )
    _, (_, about), _ = parts(notice(late, action=Action.DELAYED))
    assert (about["Action"], about["Status"]) == ("delayed", "4.0.0")
    assert about["Will-Retry-Until"] == "Wed, 15 Nov 2023 22:13:20 +0000"


def test_the_text_tells_a_person() -> None:
    text, _, _ = parts(notice())
    assert "could not be delivered" in content(text)
    assert "<b@them.test>\n    mx.them.test said: 550 5.1.1 no such user" in content(text)


def test_the_header_comes_back_and_the_body_does_not() -> None:  # RFC 6522 §4
    _, _, returned = parts(notice())
    assert returned.get_payload(decode=True) == HEADER[:-2]


def test_each_recipient_has_a_group() -> None:
    other = RecipientStatus(recipient="c@them.test", reply=SmtpReply(code=552, status="5.2.2", text="full"), host="mx")
    _, groups, _ = parts(notice(NO_SUCH_USER, other))
    assert [group["Final-Recipient"] for group in groups[1:]] == ["rfc822; b@them.test", "rfc822; c@them.test"]


def test_a_notice_is_seven_bit_whatever_it_is_about() -> None:  # RFC 6533 §3
    reply = SmtpReply(code=550, status="5.1.1", text="unbekannt: grüße")
    status = RecipientStatus(recipient="grüße+x@them.test", reply=reply, host="mx.them.test")
    raw = notice(status, header="Subject: grüße\r\n".encode())
    assert raw.isascii()
    text, (_, about), returned = parts(raw)
    assert about["Final-Recipient"] == "utf-8; gr\\x{FC}\\x{DF}e\\x{2B}x@them.test"
    assert "<grüße+x@them.test>" in content(text)
    assert returned.get_payload(decode=True) == "Subject: grüße\r\n".encode()


def test_only_the_sender_own_address_is_written_in_utf8() -> None:
    raw = notice(to="grüße@example.com")
    assert "To: <grüße@example.com>\r\n".encode() in raw
    assert raw.replace("grüße".encode(), b"").isascii()


def test_hostile_values_add_no_field_and_no_part() -> None:
    evil = "x\r\nBcc: all@them.test\r\n\r\n--=_0123456789abcdef\r\nContent-Type: text/html"
    status = RecipientStatus(
        recipient=f"{evil}@them.test", reply=SmtpReply(code=550, status="5.0.0", text=evil), host=evil
    )
    message = parsed(notice(status, to="a@example.com"))
    assert len(list(message.iter_parts())) == 3
    assert "Bcc" not in message
    assert all("Bcc" not in part for part in message.walk())


def test_a_long_header_is_cut_at_a_line() -> None:
    lines = b"".join(b"X-Line: %d\r\n" % n for n in range(20_000))
    _, _, returned = parts(notice(header=lines))
    kept = returned.get_payload(decode=True)
    assert isinstance(kept, bytes)
    assert len(kept) <= 64 * 1024
    assert lines.startswith(kept)
    assert kept.endswith(b"\r\n")


@pytest.mark.parametrize("header", [b"\r\n", b"X: " + b"y" * 3000 + b"\r\n\r\n", b"\xff\x00\r\n"])
def test_odd_headers_do_no_harm(header: bytes) -> None:
    raw = notice(header=header)
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    parts(raw)


TEXT = st.text(max_size=60)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(recipient=TEXT, text=TEXT, host=TEXT, header=st.binary(max_size=200))
def test_any_values_make_all_parts(recipient: str, text: str, host: str, header: bytes) -> None:
    status = RecipientStatus(recipient=recipient, reply=SmtpReply(code=550, status="5.0.0", text=text), host=host)
    raw = notice(status, header=header)
    assert raw.isascii()
    assert len(list(parsed(raw).iter_parts())) == (3 if header else 2)


@pytest.mark.parametrize("text", ["x" * 500, "\U0001f600" * 500, "\u00e4" * 500, "y" * 300 + " z"])
def test_an_endless_word_of_a_peer_does_not_stop_the_notice(text: str) -> None:
    refused = RecipientStatus(
        recipient="b@them.test", reply=SmtpReply(code=550, status="5.7.1", text=text), host="mx.them.test"
    )
    raw = notice(refused)
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    _, groups, _ = parts(raw)
    assert groups[1]["Status"] == "5.7.1"


@pytest.mark.parametrize("odd", [b"a\x00b", b"a\rb", b"a\nX-B: c"])
def test_a_header_that_is_not_7bit_comes_back_encoded(odd: bytes) -> None:  # RFC 2045 §2.7
    raw = notice(header=b"Subject: " + odd + b"\r\n\r\n")
    assert odd not in raw
    assert b"Content-Transfer-Encoding: quoted-printable" in raw
