"""The machine: what is sent, what an answer belongs to, and what is refused."""

import pytest

from mailstack.model.errors import Invalid
from mailstack.model.handling import Handling, Notification, NotifyOn, Returned
from mailstack.wire.smtp.capability import Capabilities
from mailstack.wire.smtp.client import Answer, Command, SmtpClient
from mailstack.wire.smtp.reply import ProtocolFault, ReplyLimits
from tests.support.splitting import splits


def greeted(*extensions: str) -> SmtpClient:
    client = SmtpClient(ReplyLimits())
    client.feed(b"220 mx.example ESMTP\r\n")
    assert client.ehlo("us.example") == b"EHLO us.example\r\n"
    client.feed("".join(f"250-{word}\r\n" for word in ("mx.example", *extensions)).encode() + b"250 HELP\r\n")
    return client


def codes(answers: list[Answer]) -> list[tuple[Command, int]]:
    return [(answer.command, answer.reply.code) for answer in answers]


def test_a_pipelined_transaction_is_answered_in_order() -> None:
    data = b"250 a\r\n250 b\r\n550-5.1.1 no\r\n550 5.1.1 no\r\n354 go\r\n"
    for pieces in splits(data):
        client = greeted("PIPELINING", "SIZE 1000", "8BITMIME")
        sent = client.mail("a@b.example", size_bytes=12, is_8bit=True, smtp_utf8=False)
        sent += client.rcpt("c@d.example") + client.rcpt("e@f.example") + client.data()
        assert sent == (
            b"MAIL FROM:<a@b.example> SIZE=12 BODY=8BITMIME\r\n"
            b"RCPT TO:<c@d.example>\r\nRCPT TO:<e@f.example>\r\nDATA\r\n"
        )
        answers = [answer for piece in pieces for answer in client.feed(piece)]
        assert codes(answers) == [
            (Command.MAIL, 250),
            (Command.RCPT, 250),
            (Command.RCPT, 550),
            (Command.DATA, 354),
        ]
        client.content()
        assert codes(client.feed(b"250 2.0.0 queued\r\n")) == [(Command.CONTENT, 250)]


def test_parameters_are_written_only_for_what_was_offered() -> None:
    assert greeted().mail("", size_bytes=1, is_8bit=True, smtp_utf8=True) == b"MAIL FROM:<>\r\n"
    client = greeted("SMTPUTF8", "8BITMIME", "SIZE 10")
    line = client.mail("ü@b.example", size_bytes=1, is_8bit=True, smtp_utf8=True)
    assert line == "MAIL FROM:<ü@b.example> SIZE=1 BODY=8BITMIME SMTPUTF8\r\n".encode()


def test_what_the_sender_wants_to_be_told_is_passed_on() -> None:  # RFC 3461 §5.2.1
    client = greeted("DSN", "PIPELINING")
    handling = Handling(returned=Returned.HEADERS, envelope_id="QQ+2B1")
    wished = Notification(
        notify_on=frozenset({NotifyOn.SUCCESS, NotifyOn.FAILURE}), original_recipient="rfc822;b+2Bc@d.example"
    )
    sent = client.mail("a@b.example", size_bytes=1, is_8bit=False, smtp_utf8=False, handling=handling)
    sent += client.rcpt("c@d.example", wished) + client.rcpt("e@f.example", Notification(notify_on=frozenset()))
    sent += client.rcpt("g@h.example")
    assert sent == (
        b"MAIL FROM:<a@b.example> RET=HDRS ENVID=QQ+2B1\r\n"
        b"RCPT TO:<c@d.example> NOTIFY=FAILURE,SUCCESS ORCPT=rfc822;b+2Bc@d.example\r\n"
        b"RCPT TO:<e@f.example> NOTIFY=NEVER\r\n"
        b"RCPT TO:<g@h.example>\r\n"
    )


@pytest.mark.parametrize(
    ("extensions", "written"),
    [
        (("DSN", "SMTPUTF8"), " ORCPT=utf-8;jörg😀@d.example"),
        (("DSN",), r" ORCPT=utf-8;j\x{F6}rg\x{1F600}@d.example"),  # RFC 6533 §3
        (("SMTPUTF8",), ""),
        ((), ""),
    ],
)
def test_an_original_recipient_beyond_ascii(extensions: tuple[str, ...], written: str) -> None:
    client = greeted("PIPELINING", *extensions)
    handling = Handling(returned=Returned.FULL, envelope_id="Q")
    client.mail("", size_bytes=1, is_8bit=False, smtp_utf8=True, handling=handling)
    line = client.rcpt("c@d.example", Notification(original_recipient="utf-8;jörg😀@d.example"))
    assert line == f"RCPT TO:<c@d.example>{written}\r\n".encode()


@pytest.mark.parametrize(("extensions", "said"), [(["REQUIRETLS"], b" REQUIRETLS"), ([], b"")])
def test_tls_is_asked_of_servers_that_know_how(extensions: list[str], said: bytes) -> None:  # RFC 8689 §2
    client = greeted(*extensions)
    line = client.mail(
        "a@b.example", size_bytes=1, is_8bit=False, smtp_utf8=False, handling=Handling(requires_tls=True)
    )
    assert line == b"MAIL FROM:<a@b.example>" + said + b"\r\n"


def test_lmtp_answers_the_content_for_each_recipient() -> None:  # RFC 2033 §4.2
    client = SmtpClient(ReplyLimits())
    client.feed(b"220 x\r\n")
    assert client.lhlo("us.example") == b"LHLO us.example\r\n"
    client.feed(b"250-x\r\n250-CHUNKING\r\n250 PIPELINING\r\n")
    assert client.capabilities == Capabilities(has_chunking=True, has_pipelining=True)
    client.content(replies=2)
    for pieces in splits(b"250 2.1.5 a\r\n452 4.2.2 b\r\n"):
        answers = [answer for piece in pieces for answer in client.feed(piece)]
        assert codes(answers) == [(Command.CONTENT, 250), (Command.CONTENT, 452)]
        assert client.bdat(3, is_last=True, replies=2) == b"BDAT 3 LAST\r\n"
        assert codes(client.feed(b"250 a\r\n250 b\r\n")) == [(Command.BDAT, 250)] * 2
        client.content(replies=2)


def test_without_pipelining_each_command_waits_for_its_answer() -> None:
    client = greeted()
    client.mail("", size_bytes=1, is_8bit=False, smtp_utf8=False)
    with pytest.raises(ValueError, match="RCPT before the answer to MAIL"):
        client.rcpt("a@b.example")


def test_nothing_follows_data_before_its_answer() -> None:  # RFC 2920 §3.1
    client = greeted("PIPELINING")
    client.mail("", size_bytes=1, is_8bit=False, smtp_utf8=False)
    client.data()
    with pytest.raises(ValueError, match="content before the answer to DATA"):
        client.content()


def test_chunks_may_be_sent_ahead_of_their_answers() -> None:  # RFC 3030 §4.2
    for pieces in splits(b"250 100 octets\r\n250 2.0.0 queued\r\n"):
        client = greeted("PIPELINING", "CHUNKING")
        assert client.bdat(100, is_last=False) == b"BDAT 100\r\n"
        assert client.bdat(0, is_last=True) == b"BDAT 0 LAST\r\n"
        answers = [answer for piece in pieces for answer in client.feed(piece)]
        assert codes(answers) == [(Command.BDAT, 250), (Command.BDAT, 250)]


def test_without_pipelining_a_chunk_waits_for_its_answer() -> None:
    client = greeted("CHUNKING")
    client.bdat(1, is_last=False)
    with pytest.raises(ValueError, match="BDAT before the answer to BDAT"):
        client.bdat(1, is_last=True)


@pytest.mark.parametrize(
    ("extensions", "body"),
    [
        (("CHUNKING", "BINARYMIME", "8BITMIME"), b" BODY=BINARYMIME"),
        (("BINARYMIME", "8BITMIME"), b" BODY=8BITMIME"),
        ((), b""),
    ],
)
def test_binary_is_said_to_servers_that_take_it(extensions: tuple[str, ...], body: bytes) -> None:  # RFC 3030 §3
    client = greeted(*extensions)
    line = client.mail("", size_bytes=1, is_8bit=True, smtp_utf8=False, handling=Handling(is_binary=True))
    assert line == b"MAIL FROM:<>" + body + b"\r\n"


def test_a_reply_to_nothing_is_a_fault() -> None:
    client = greeted()
    with pytest.raises(ProtocolFault):
        client.feed(b"250 surprise\r\n")


def test_a_server_that_closes_unasked_takes_no_answer_back() -> None:  # RFC 5321 §3.8
    for pieces in splits(b"250 2.0.0 taken\r\n421 4.3.2 closing\r\n"):
        client = greeted()
        client.content()
        answers = [answer for piece in pieces for answer in client.feed(piece)]
        assert codes(answers) == [(Command.CONTENT, 250)]
        assert client.is_closing


@pytest.mark.parametrize("more", [b"250 2.1.5 one more\r\n", b"hello\r\n"])
def test_a_server_that_says_too_much_takes_no_answer_back(more: bytes) -> None:
    client = greeted()
    client.content()
    assert codes(client.feed(b"250 2.0.0 taken\r\n" + more)) == [(Command.CONTENT, 250)]
    assert client.fault is not None


@pytest.mark.parametrize("injected", [b"hello\r\n", b"421 x\r\n", b"250 x\r\n", b"250-x\r\n", b"2"])
def test_bytes_after_starttls_are_a_fault_and_never_read(injected: bytes) -> None:  # CVE-2011-0411
    client = greeted("STARTTLS")
    assert client.starttls() == b"STARTTLS\r\n"
    with pytest.raises(ProtocolFault):
        client.feed(b"220 go\r\n" + injected)


def test_bytes_that_come_between_reply_and_handshake_are_a_fault() -> None:
    client = greeted("STARTTLS")
    client.starttls()
    client.feed(b"220 go\r\n")
    client.tls_started()
    with pytest.raises(ProtocolFault):
        client.feed(b"250 x\r\n")


def test_capabilities_are_forgotten_at_the_handshake() -> None:  # RFC 3207 §4.2
    client = greeted("STARTTLS", "AUTH PLAIN")
    client.starttls()
    client.feed(b"220 go\r\n")
    client.tls_started()
    assert not client.capabilities.auth


def test_tls_does_not_start_while_an_answer_is_awaited() -> None:
    client = greeted("STARTTLS")
    client.starttls()
    with pytest.raises(ProtocolFault):
        client.tls_started()


def test_auth_with_an_initial_response() -> None:  # RFC 4616 §4, RFC 4954 §4
    line = greeted().auth("PLAIN", b"\0tim\0tanstaaftanstaaf")
    assert line == b"AUTH PLAIN AHRpbQB0YW5zdGFhZnRhbnN0YWFm\r\n"


def test_auth_login_answers_two_challenges() -> None:
    client = greeted()
    assert client.auth("LOGIN") == b"AUTH LOGIN\r\n"
    client.feed(b"334 VXNlcm5hbWU6\r\n")
    assert client.auth_response(b"tim") == b"dGlt\r\n"
    client.feed(b"334 UGFzc3dvcmQ6\r\n")
    assert client.auth_response("pä".encode()) == b"cMOk\r\n"
    assert codes(client.feed(b"235 ok\r\n")) == [(Command.AUTH, 235)]


@pytest.mark.parametrize("domain", ["a\r\nMAIL FROM:<>", "a b", "", "[a\r\nb]"])
def test_an_ehlo_domain_is_one_word(domain: str) -> None:
    client = SmtpClient(ReplyLimits())
    client.feed(b"220 x\r\n")
    with pytest.raises(Invalid):
        client.ehlo(domain)


def test_helo_for_those_who_know_no_ehlo() -> None:
    client = SmtpClient(ReplyLimits())
    client.feed(b"220 x\r\n")
    client.ehlo("us.example")
    client.feed(b"502 what?\r\n")
    assert client.helo("us.example") == b"HELO us.example\r\n"
    assert codes(client.feed(b"250 x\r\n")) == [(Command.HELO, 250)]
    assert client.quit() == b"QUIT\r\n"
