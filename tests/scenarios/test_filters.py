"""Filters on a whole server: scripts of the spec and rules in it, the server's own, and what others see of them."""

import email
import imaplib
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from pathlib import Path

import pytest

from tests.support.over_sockets import CLIENT_S
from tests.support.sandbox import Sandbox, running_sandbox, save, wait_for
from tests.support.sink import Sink

pytestmark = pytest.mark.slow

SPEC = """\
server: {hostname: mail.example.com, workers: 2}
domains: {example.com: {}}
accounts:
  alice@example.com: {sieve: {file: sieve/alice.sieve}}
  bob@example.com:
    rules:
      - {name: no adverts, if: {subject: {contains: advert}}, then: {reject: No adverts here.}}
      - {name: invoices, if: {subject: {contains: invoice}}, then: {file_into: Invoices}}
  carol@example.com: {}
sieve: {before: [{file: sieve/server.sieve}]}
receiving: {trusted_peers: [192.0.2.1]}
"""
ALICE = """\
require ["fileinto", "envelope", "subaddress", "mailbox", "vacation", "copy", "reject", "imap4flags"];
if header :contains "subject" "advert" { reject "None for me either."; stop; }
if envelope :detail "to" "lists" { addflag "\\\\Seen"; fileinto :create "Lists"; stop; }
if header :contains "subject" "onward" { redirect :copy "friend@elsewhere.example"; }
if header :contains "subject" "away" { vacation "I am away."; }
"""
SERVER = """\
require ["editheader", "fileinto"];
addheader "X-Filtered" "yes";
if header "subject" "to junk" { fileinto "Junk"; }
"""


@contextmanager
def filtering(folder: Path, *arguments: str) -> Iterator[Sandbox]:
    (folder / "sieve").mkdir()
    (folder / "sieve" / "alice.sieve").write_text(ALICE)
    (folder / "sieve" / "server.sieve").write_text(SERVER)
    (folder / "spec.yaml").write_text(SPEC)
    with running_sandbox(folder / "spec.yaml", folder, "--passwords", "pw", *arguments) as sandbox:
        yield sandbox


def send(sandbox: Sandbox, subject: str, *recipients: str, sender: str = "eve@elsewhere.example") -> None:
    with smtplib.SMTP("127.0.0.1", sandbox.port("smtp"), "client.test", timeout=CLIENT_S) as client:
        text = f"From: Eve <{sender}>\r\nTo: {', '.join(recipients)}\r\nSubject: {subject}\r\n\r\ntext\r\n"
        client.sendmail(sender, recipients, text)


def lying_in(sandbox: Sandbox, login: str, mailbox: str = "INBOX") -> list[Message]:
    with imaplib.IMAP4("127.0.0.1", sandbox.port("imap"), timeout=CLIENT_S) as client:
        client.login(login, "pw")
        status, _ = client.select(mailbox, readonly=True)
        if status != "OK":
            return []
        _, found = client.fetch("1:*", "(FLAGS BODY.PEEK[])")
        return [email.message_from_bytes(each[1]) for each in found if isinstance(each, tuple)]


def test_mail_is_filed_refused_sent_on_and_answered(tmp_path: Path, sink: Sink) -> None:
    with filtering(tmp_path, "--outbound", f"127.0.0.1:{sink.port}") as sandbox:
        send(sandbox, "Invoice 7", "bob@example.com", "alice+lists@example.com")
        assert [mail["Subject"] for mail in lying_in(sandbox, "bob@example.com", "Invoices")] == ["Invoice 7"]
        (listed,) = lying_in(sandbox, "alice@example.com", "Lists")
        assert listed["X-Filtered"] == "yes"

        with pytest.raises(smtplib.SMTPDataError) as refused:
            send(sandbox, "An advert", "bob@example.com")
        assert refused.value.smtp_code == 550
        assert "5.7.1 Refused by the recipient's mail filter: No adverts here." in str(refused.value)
        with pytest.raises(smtplib.SMTPDataError):
            send(sandbox, "An advert", "bob@example.com", "alice@example.com")

        send(sandbox, "to junk", "alice@example.com", "carol@example.com")
        assert [mail["Subject"] for mail in lying_in(sandbox, "carol@example.com", "Junk")] == ["to junk"]

        send(sandbox, "onward", "alice@example.com")
        send(sandbox, "away", "alice@example.com")
        wait_for(lambda: len(sink.taken) == 2, what="what alice's script sent")
        by_recipient = {mail.recipients[0]: mail for mail in sink.taken}
        onward = by_recipient["friend@elsewhere.example"]
        assert onward.reverse_path.startswith("SRS0=")
        answer = email.message_from_bytes(by_recipient["eve@elsewhere.example"].content)
        assert answer["Subject"] == "Auto: away"
        assert answer["DKIM-Signature"] is not None
        assert [mail["Subject"] for mail in lying_in(sandbox, "alice@example.com")] == ["onward", "away"]


def test_a_script_that_is_saved_counts_from_then_on(tmp_path: Path) -> None:
    with filtering(tmp_path) as sandbox:
        before = sandbox.status()["generation"]
        save(tmp_path / "sieve" / "alice.sieve", 'require "fileinto"; fileinto "Archive";')
        wait_for(lambda: sandbox.status()["generation"] != before, what="the saved script is applied")
        send(sandbox, "now", "alice@example.com")
        assert [mail["Subject"] for mail in lying_in(sandbox, "alice@example.com", "Archive")] == ["now"]
        # One that does not compile changes nothing, and its own line says why.
        save(tmp_path / "sieve" / "alice.sieve", 'require "fileinto";\nfilein "Archive";')
        wait_for(lambda: "sieve/alice.sieve:2:1" in sandbox.log, what="the fault is told")
        send(sandbox, "still", "alice@example.com")
        assert len(lying_in(sandbox, "alice@example.com", "Archive")) == 2
