"""Senders on a whole server: who was written to, who answers, and who is a stranger, as the header of mail says it."""

import itertools
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.scenarios.test_filters import lying_in
from tests.support.over_sockets import CLIENT_S
from tests.support.sandbox import Sandbox, running_sandbox, wait_for
from tests.support.sink import Sink

pytestmark = pytest.mark.slow

ALICE, BOB = "alice@example.com", "bob@example.com"
SENT = "<5b1c0c7e-6e1f-4b62-9f0e-1d2c3b4a5968@example.com>"
SPEC = f"""\
server: {{hostname: mail.example.com, workers: 2}}
domains: {{example.com: {{}}}}
accounts: {{{ALICE}: {{}}, {BOB}: {{}}}}
receiving: {{trusted_peers: [192.0.2.1]}}
"""


@contextmanager
def known_here(folder: Path, sink: Sink) -> Iterator[Sandbox]:
    (folder / "spec.yaml").write_text(SPEC)
    arguments = ("--passwords", "pw", "--outbound", f"127.0.0.1:{sink.port}")
    with running_sandbox(folder / "spec.yaml", folder, *arguments) as sandbox:
        yield sandbox


def send(sandbox: Sandbox, sender: str, subject: str, *recipients: str, header: str = "") -> None:
    with smtplib.SMTP("127.0.0.1", sandbox.port("smtp"), "client.test", timeout=CLIENT_S) as client:
        text = f"From: {sender}\r\nTo: {ALICE}\r\nSubject: {subject}\r\n{header}\r\ntext\r\n"
        client.sendmail(sender, recipients, text)


def submit(sandbox: Sandbox, recipient: str) -> None:
    """Alice does."""
    with smtplib.SMTP("127.0.0.1", sandbox.port("submission"), "laptop", timeout=CLIENT_S) as client:
        client.login(ALICE, "pw")
        client.sendmail(
            ALICE, [recipient], f"From: {ALICE}\r\nMessage-ID: {SENT}\r\nSubject: Hello\r\n\r\nHow are you?\r\n"
        )


def explained(sandbox: Sandbox, login: str, subject: str) -> str:
    (found,) = (mail for mail in lying_in(sandbox, login) if mail["Subject"] == subject)
    return " ".join(str(found["X-Spam-Explained"]).split())


def test_who_was_written_to_is_told_apart_from_a_stranger(tmp_path: Path, sink: Sink) -> None:
    numbers = itertools.count()

    def says(words: str, sender: str, header: str = "", *, to: str = ALICE) -> bool:
        """What is remembered is written a moment later, so whoever asks sends once more."""
        subject = f"No. {next(numbers)}"
        send(sandbox, sender, subject, to, header=header)
        return words in explained(sandbox, to, subject)

    answers = f"In-Reply-To: {SENT}\r\n"
    with known_here(tmp_path, sink) as sandbox:
        assert not says("first-time-sender", "eve@elsewhere.example")
        wait_for(
            lambda: says("first-time-sender 0.5 (you have had no mail from this address", f"e{next(numbers)}@x.example")
        )
        submit(sandbox, "friend@elsewhere.example")
        wait_for(lambda: says("reply-to-own -3.0 (it answers a message of yours)", "carol@elsewhere.example", answers))
        assert says("known-correspondent -1.0 (you have written to this address", "friend@elsewhere.example")
        assert not says("reply-to-own", "carol@elsewhere.example", answers, to=BOB)
