"""A whole server that scores mail by rules of its spec: what is junk, refused, let in and kept out, for whom."""

import email
import imaplib
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from email.utils import formatdate
from pathlib import Path

import pytest

from tests.support.over_sockets import CLIENT_S
from tests.support.sandbox import Sandbox, running_sandbox, save, wait_for

pytestmark = pytest.mark.slow

ALICE, BOB, CAROL = "alice@example.com", "bob@example.com", "carol@strict.example"
FORGED = "X-Spam-Score: -20.0\r\nX-Spam-Flag: NO\r\nX-Spam-Explained: a friend of yours\r\n"
SPEC = """\
server: {hostname: mail.example.com, workers: 1}
domains: {example.com: {}, strict.example: {spam: {junk_at: 3}}}
accounts:
  alice@example.com: {}
  bob@example.com: {spam: {reject_at: null, block: [shop.example]}}
  carol@strict.example: {}
receiving: {trusted_peers: [192.0.2.1]}
spam:
  allow: ["127.0.0.9"]
  rules:
    - {name: coins, if: {subject: {contains: coins}}, points: 4}
    - {name: worst, if: {body: {contains: the worst of all}}, points: 30}
"""


@contextmanager
def deciding(folder: Path) -> Iterator[Sandbox]:
    (folder / "spec.yaml").write_text(SPEC)
    with running_sandbox(folder / "spec.yaml", folder, "--passwords", "pw") as sandbox:
        yield sandbox


def send(
    sandbox: Sandbox, subject: str, *to: str, body: str = "Hello.", sender: str = "x@them.test", peer: str = "127.0.0.1"
) -> None:
    raw = (
        f"{FORGED}From: <{sender}>\r\nTo: <{to[0]}>\r\nSubject: {subject}\r\nMessage-ID: <{subject}@them.test>\r\n"
        f"Date: {formatdate()}\r\n\r\n{body}\r\n"
    )
    with smtplib.SMTP(
        "127.0.0.1", sandbox.port("smtp"), "client.test", timeout=CLIENT_S, source_address=(peer, 0)
    ) as client:
        client.sendmail(sender, to, raw)


def refusal(sandbox: Sandbox, subject: str, *to: str, body: str = "Hello.", sender: str = "x@them.test") -> str:
    with pytest.raises(smtplib.SMTPDataError) as raised:
        send(sandbox, subject, *to, body=body, sender=sender)
    said = raised.value.smtp_error
    return f"{raised.value.smtp_code} {said.decode() if isinstance(said, bytes) else said}"


def messages(sandbox: Sandbox, login: str, mailbox: str) -> list[Message]:
    with imaplib.IMAP4("127.0.0.1", sandbox.port("imap"), timeout=CLIENT_S) as client:
        client.login(login, "pw")
        client.select(mailbox, readonly=True)
        _, answer = client.fetch("1:*", "(BODY.PEEK[])")
        return [email.message_from_bytes(part[1]) for part in answer if isinstance(part, tuple)]


def explained(message: Message) -> str:
    return " ".join(str(message["X-Spam-Explained"]).split())


def test_a_mail_is_filed_refused_or_let_in_as_the_spec_says(tmp_path: Path) -> None:
    with deciding(tmp_path) as sandbox:
        # One mail to two: each has it as it scores there, and what came with it is gone.
        send(sandbox, "coins", ALICE, CAROL)
        (of_alice,), (of_carol,) = messages(sandbox, ALICE, "INBOX"), messages(sandbox, CAROL, "Junk")
        assert of_alice.get_all("X-Spam-Flag") is None
        assert of_carol.get_all("X-Spam-Flag") == ["YES"]
        for message in (of_alice, of_carol):
            points = message.get_all("X-Spam-Score") or []
            assert len(points) == 1
            assert 4.0 <= float(points[0]) < 5.0
            assert "coins 4.0 (a rule of this server)" in explained(message)
            assert "friend" not in explained(message)

        assert refusal(sandbox, "two", ALICE, CAROL, body="the worst of all").startswith(
            "550 5.7.1 This looks like spam to the recipient's server: score 3"
        )
        # Bob never refuses, so that all have it, in Junk.
        send(sandbox, "three", ALICE, BOB, body="the worst of all")
        assert [message["Subject"] for message in messages(sandbox, ALICE, "Junk")] == ["three"]
        assert [message["Subject"] for message in messages(sandbox, BOB, "Junk")] == ["three"]

        send(sandbox, "four", BOB, sender="news@shop.example")
        assert "blocked 100.0 (shop.example is kept out here)" in explained(messages(sandbox, BOB, "Junk")[-1])
        send(sandbox, "five", ALICE, body="the worst of all", peer="127.0.0.9")
        assert [message["Subject"] for message in messages(sandbox, ALICE, "INBOX")] == ["coins", "five"]

        # The spec changes, and counts at once.
        save(tmp_path / "spec.yaml", SPEC.replace("points: 4", "points: 40"))
        wait_for(lambda: _is_refused(sandbox), what="the new points")
        save(tmp_path / "spec.yaml", SPEC.replace("spam:\n  allow", "spam:\n  scoring: off\n  allow"))
        wait_for(lambda: not _is_refused(sandbox, "the worst of all"), what="no scores")
        assert messages(sandbox, ALICE, "INBOX")[-1]["X-Spam-Score"] == "-20.0"


def _is_refused(sandbox: Sandbox, body: str = "Hello.") -> bool:
    try:
        send(sandbox, "coins", ALICE, body=body)
    except smtplib.SMTPDataError:
        return True
    return False
