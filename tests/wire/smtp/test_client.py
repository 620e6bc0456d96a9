"""The machine: what is sent, what an answer belongs to, and what is refused."""

import pytest

from mailstack.model.delivery import Credentials
from mailstack.model.errors import Invalid
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


def test_a_reply_to_nothing_is_a_fault() -> None:
    client = greeted()
    with pytest.raises(ProtocolFault):
        client.feed(b"250 surprise\r\n")


@pytest.mark.parametrize("injected", [b"250 x\r\n", b"250-x\r\n", b"2"])
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


def test_auth_plain_is_an_initial_response() -> None:  # RFC 4616 §4
    line = greeted().auth_plain(Credentials(username="tim", password="tanstaaftanstaaf"))
    assert line == b"AUTH PLAIN AHRpbQB0YW5zdGFhZnRhbnN0YWFm\r\n"


def test_auth_login_answers_two_challenges() -> None:
    client = greeted()
    assert client.auth_login() == b"AUTH LOGIN\r\n"
    client.feed(b"334 VXNlcm5hbWU6\r\n")
    assert client.auth_response("tim") == b"dGlt\r\n"
    client.feed(b"334 UGFzc3dvcmQ6\r\n")
    assert client.auth_response("pä") == b"cMOk\r\n"
    assert codes(client.feed(b"235 ok\r\n")) == [(Command.AUTH, 235)]


def test_credentials_with_nul_are_invalid() -> None:
    with pytest.raises(Invalid):
        greeted().auth_plain(Credentials(username="a\0b", password="x"))


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
