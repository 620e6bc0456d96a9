"""A list of a whole appliance: posted to by mail programs, left by the link in its mail, looked at by the command."""

import email
import imaplib
import json
import re
import smtplib
import ssl
from collections.abc import Iterator
from email.message import Message
from pathlib import Path

import httpx
import pytest

from tests.support.commands import run_command
from tests.support.over_sockets import CLIENT_S
from tests.support.sandbox import Sandbox, running_sandbox, wait_for
from tests.support.sink import Sink

pytestmark = pytest.mark.slow

LISTS = """\
lists:
  team@example.com:
    name: Team
    members: [alice@example.com, bob@example.com, carol@elsewhere.example]
    owners: alice@example.com
    subject_prefix: "[team]"
"""
LINK = re.compile(r"<https://mail\.example\.com:[0-9]+(/lists/unsubscribe\?token=[A-Za-z0-9_-]+)>")


@pytest.fixture
def sandbox(spec: Path, tmp_path: Path, sink: Sink) -> Iterator[Sandbox]:
    spec.write_text(spec.read_text() + LISTS)
    with running_sandbox(
        spec, tmp_path / "sandbox", "--passwords", "pw", "--outbound", f"127.0.0.1:{sink.port}"
    ) as found:
        yield found


def trusting(sandbox: Sandbox) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(sandbox.ca))
    context.check_hostname = False
    return context


def post(sandbox: Sandbox, subject: str) -> None:
    with smtplib.SMTP("127.0.0.1", sandbox.port("submission"), timeout=CLIENT_S) as client:
        client.starttls(context=trusting(sandbox))
        client.login("alice@example.com", "pw")
        text = f"From: Alice <alice@example.com>\r\nTo: team@example.com\r\nSubject: {subject}\r\n\r\ntext\r\n"
        client.sendmail("alice@example.com", ["team@example.com"], text)


def inbox(sandbox: Sandbox, login: str) -> list[Message]:
    with imaplib.IMAP4_SSL(
        "127.0.0.1", sandbox.port("imaps"), ssl_context=trusting(sandbox), timeout=CLIENT_S
    ) as client:
        client.login(login, "pw")
        client.select("INBOX")
        _, found = client.fetch("1:*", "(BODY.PEEK[])")
        return [email.message_from_bytes(each[1]) for each in found if isinstance(each, tuple)]


def visit(sandbox: Sandbox, method: str, path: str, body: str = "") -> httpx.Response:
    with httpx.Client(verify=trusting(sandbox), timeout=CLIENT_S) as client:
        return client.request(
            method,
            f"https://127.0.0.1:{sandbox.port('https')}{path}",
            content=body,
            headers={"Host": "mail.example.com", "Content-Type": "application/x-www-form-urlencoded"},
            extensions={"sni_hostname": "mail.example.com"},
        )


def shown(sandbox: Sandbox, spec: Path) -> list[str]:
    """Who has left."""
    command = ("list", "show", str(spec), "team@example.com", "--state", str(sandbox.state))
    found = run_command(*command, "--format", "json")
    return list(json.loads(found.stdout)["unsubscribed"])


def refused(sandbox: Sandbox) -> None:
    with smtplib.SMTP("127.0.0.1", sandbox.port("smtp"), "client.example", timeout=CLIENT_S) as client:
        client.starttls(context=trusting(sandbox))
        with pytest.raises(smtplib.SMTPDataError, match="This list takes mail of those who may post"):
            client.sendmail("x@y.example", ["team@example.com"], "From: x@y.example\r\n\r\ntext\r\n")


def test_a_list_is_posted_to_and_left(sandbox: Sandbox, sink: Sink, spec: Path) -> None:
    refused(sandbox)
    post(sandbox, "one")
    wait_for(lambda: len(sink.taken) == 1, what="carol's copy")
    (taken,) = sink.taken
    assert taken.recipients == ("carol@elsewhere.example",)
    wait_for(lambda: inbox(sandbox, "bob@example.com"), what="bob's copy")
    (to_bob,) = inbox(sandbox, "bob@example.com")
    for copy in (to_bob, email.message_from_bytes(taken.content)):
        assert (copy["Subject"], copy["From"], copy["List-Id"]) == (
            "[team] one",
            "Alice <alice@example.com>",
            '"Team" <team.example.com>',
        )
        assert copy["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert copy["DKIM-Signature"] is not None
    found = LINK.search(str(email.message_from_bytes(taken.content)["List-Unsubscribe"]))
    assert found is not None
    assert visit(sandbox, "GET", found[1]).status_code == 200
    assert shown(sandbox, spec) == []
    assert visit(sandbox, "POST", found[1], "List-Unsubscribe=One-Click").status_code == 200
    assert shown(sandbox, spec) == ["carol@elsewhere.example"]
    post(sandbox, "two")
    wait_for(lambda: len(inbox(sandbox, "bob@example.com")) == 2, what="bob's second copy")
    wait_for(lambda: len(inbox(sandbox, "alice@example.com")) == 2, what="her own")
    assert len(sink.taken) == 1
