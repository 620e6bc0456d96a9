"""A whole server learns of what people do with their mail, as mail programs do it."""

import imaplib
import os
import signal
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from mailstack.cli.main import cli
from tests.support.over_sockets import CLIENT_S
from tests.support.sandbox import Sandbox, running_sandbox, wait_for
from tests.support.spam_mail import campaign_mail, ham_mail

pytestmark = pytest.mark.slow

ALICE, BOB = "alice@example.com", "bob@example.com"
SPEC = """\
server: {hostname: mail.example.com, workers: 2}
domains: {example.com: {}}
accounts: {alice@example.com: {}, bob@example.com: {}}
receiving: {trusted_peers: [192.0.2.1]}
"""


@contextmanager
def learning(folder: Path) -> Iterator[Sandbox]:
    (folder / "spec.yaml").write_text(SPEC)
    with running_sandbox(folder / "spec.yaml", folder, "--passwords", "pw") as sandbox:
        yield sandbox


def send(sandbox: Sandbox, raw: bytes, *recipients: str) -> None:
    with smtplib.SMTP("127.0.0.1", sandbox.port("smtp"), "client.test", timeout=CLIENT_S) as client:
        client.sendmail("deals@shop.example", recipients, raw)


@contextmanager
def reading(sandbox: Sandbox, login: str, mailbox: str) -> Iterator[imaplib.IMAP4]:
    with imaplib.IMAP4("127.0.0.1", sandbox.port("imap"), timeout=CLIENT_S) as client:
        client.login(login, "pw")
        client.select(mailbox)
        yield client


def count(sandbox: Sandbox, login: str, mailbox: str) -> int:
    with reading(sandbox, login, mailbox) as client:
        return len(client.uid("SEARCH", "ALL")[1][0].split())


def move(sandbox: Sandbox, login: str, source: str, target: str) -> None:
    """All that lies there."""
    with reading(sandbox, login, source) as client:
        assert client.uid("MOVE", "1:*", target)[0] == "OK"


def learned(sandbox: Sandbox) -> int:
    """Lessons that were learned or taken back, by the log."""
    return sandbox.log.count("learned of spam")


def taught(sandbox: Sandbox, login: str, source: str, target: str) -> None:
    """Moved, and learned."""
    before = learned(sandbox)
    move(sandbox, login, source, target)
    wait_for(lambda: learned(sandbox) > before, what="the lessons are learned")


def arrives_in(sandbox: Sandbox, raw: bytes, login: str, mailbox: str) -> bool:
    before = count(sandbox, login, mailbox)
    send(sandbox, raw, login)
    return count(sandbox, login, mailbox) == before + 1


def test_three_moved_to_junk_and_the_fourth_is_there_by_itself(tmp_path: Path) -> None:
    with learning(tmp_path) as sandbox:
        for number in range(3):
            send(sandbox, campaign_mail(number), ALICE, BOB)
        assert (count(sandbox, ALICE, "INBOX"), count(sandbox, BOB, "INBOX")) == (3, 3)
        taught(sandbox, ALICE, "INBOX", "Junk")

        # Each worker hears of it within a second.
        numbers = iter(range(10, 10_000))
        wait_for(
            lambda: arrives_in(sandbox, campaign_mail(next(numbers)), ALICE, "Junk"), what="the next is filed by itself"
        )
        for _ in range(4):
            assert arrives_in(sandbox, campaign_mail(next(numbers)), ALICE, "Junk")
        assert arrives_in(sandbox, ham_mail(), ALICE, "INBOX")
        assert arrives_in(sandbox, campaign_mail(next(numbers)), BOB, "INBOX")

        # And it is told why, in what was filed.
        with reading(sandbox, ALICE, "Junk") as client:
            _, found = client.uid("FETCH", "4:*", "BODY.PEEK[HEADER.FIELDS (X-Spam-Explained X-Spam-Flag)]")
        assert b"words" in found[-2][1]
        assert b"YES" in found[-2][1]

        # Whoever takes it all out of Junk again has said nothing in the end, or that it is wanted.
        taught(sandbox, ALICE, "Junk", "INBOX")
        wait_for(
            lambda: arrives_in(sandbox, campaign_mail(next(numbers)), ALICE, "INBOX"), what="the kind is wanted again"
        )


def test_what_was_said_before_a_kill_is_learned_after_it(tmp_path: Path) -> None:
    with learning(tmp_path) as sandbox:
        send(sandbox, campaign_mail(1), ALICE)
        move(sandbox, ALICE, "INBOX", "Junk")
        assert learned(sandbox) == 0
        for pid in sandbox.workers():
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: learned(sandbox) == 1, what="the lesson is learned by who comes after")


def test_a_trained_server_knows_at_once(tmp_path: Path) -> None:
    for kind, make in (("ham", ham_mail), ("spam", campaign_mail)):
        (tmp_path / kind).mkdir()
        for number in range(60):
            (tmp_path / kind / f"{number}.eml").write_bytes(make(number))
    with learning(tmp_path) as sandbox:
        arguments = ["--ham", str(tmp_path / "ham"), "--spam", str(tmp_path / "spam"), "--state", str(sandbox.state)]
        trained = CliRunner().invoke(cli, ["spam", "train", str(tmp_path / "spec.yaml"), *arguments])
        assert trained.exit_code == 0, trained.output
        numbers = iter(range(100, 10_000))
        wait_for(lambda: arrives_in(sandbox, campaign_mail(next(numbers)), BOB, "Junk"), what="what was trained counts")
        assert arrives_in(sandbox, ham_mail(100), BOB, "INBOX")
