"""Emails that are sent over JMAP, on a whole appliance: here and elsewhere, later, not at all, and through crashes."""

import imaplib
import os
import signal
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from mailstack.model.instant import from_iso
from tests.support.over_sockets import CLIENT_S
from tests.support.queue_worker import now
from tests.support.sandbox import Sandbox, wait_for
from tests.support.sink import Sink

pytestmark = pytest.mark.slow

USING = ["urn:ietf:params:jmap:core", "urn:ietf:params:jmap:mail", "urn:ietf:params:jmap:submission"]
FRIEND = "friend@elsewhere.example"
HELD_S = 4


class Alice:
    def __init__(self, client: httpx.Client) -> None:
        session = client.get("/jmap/session").json()
        self._client = client
        self._account_id = session["primaryAccounts"][USING[2]]
        (mailboxes, identities) = self.ask(("Mailbox/get", {}), ("Identity/get", {}))
        self.by_role = {each["role"]: each["id"] for each in mailboxes["list"]}
        self._identity_id = identities["list"][0]["id"]

    def ask(self, *calls: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
        made = [[name, {"accountId": self._account_id, **given}, str(at)] for at, (name, given) in enumerate(calls)]
        reply = self._client.post("/jmap/api", json={"using": USING, "methodCalls": made})
        return [found for _, found, _ in reply.json()["methodResponses"]]

    def send(self, subject: str, **parameters: str) -> dict[str, Any]:
        """A draft, which is sent and moved in the same request."""
        drafts, sent = self.by_role["drafts"], self.by_role["sent"]
        addresses = ("bob@example.com", FRIEND)
        draft = {
            "mailboxIds": {drafts: True},
            "keywords": {"$draft": True},
            "from": [{"email": "alice@example.com"}],
            "to": [{"email": each} for each in addresses],
            "subject": subject,
            "textBody": [{"partId": "1", "type": "text/plain"}],
            "bodyValues": {"1": {"value": "hello"}},
        }
        envelope = {
            "mailFrom": {"email": "alice@example.com", "parameters": parameters},
            "rcptTo": [{"email": each} for each in addresses],
        }
        submission = {
            "emailId": "#d",
            "identityId": self._identity_id,
            **({"envelope": envelope} if parameters else {}),
        }
        moved = {f"mailboxIds/{drafts}": None, f"mailboxIds/{sent}": True, "keywords/$draft": None}
        _, submitted, followed = self.ask(
            ("Email/set", {"create": {"d": draft}}),
            ("EmailSubmission/set", {"create": {"s": submission}, "onSuccessUpdateEmail": {"#s": moved}}),
        )
        assert len(followed["updated"]) == 1
        made: dict[str, Any] = submitted["created"]["s"]
        return made

    def look(self, submission_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.ask(("EmailSubmission/get", {"ids": [submission_id]}))[0]["list"][0]
        return found

    def arrivals(self, submission_id: str) -> dict[str, str]:
        status = self.look(submission_id)["deliveryStatus"]
        return {email: each["delivered"] for email, each in status.items()}


@pytest.fixture
def alice(sandbox: Sandbox) -> Iterator[Alice]:
    base_url = f"https://127.0.0.1:{sandbox.port('https')}"
    trusted = ssl.create_default_context(cafile=str(sandbox.ca))
    with httpx.Client(verify=trusted, timeout=CLIENT_S, base_url=base_url, auth=("alice@example.com", "pw")) as client:
        yield Alice(client)


@contextmanager
def inbox_of_bob(sandbox: Sandbox) -> Iterator[imaplib.IMAP4]:
    with imaplib.IMAP4("127.0.0.1", sandbox.port("imap"), timeout=CLIENT_S) as imap:
        imap.login("bob@example.com", "pw")
        imap.select("INBOX")
        yield imap


def copies(sandbox: Sandbox, sink: Sink, subject: str) -> tuple[int, int]:
    """At bob's, and outside."""
    with inbox_of_bob(sandbox) as imap:
        there = len(imap.search(None, "SUBJECT", f'"{subject}"')[1][0].split())
    return there, sum(f"Subject: {subject}\r\n".encode() in taken.content for taken in sink.taken)


def test_a_draft_is_sent_here_and_elsewhere_in_one_request(alice: Alice, sandbox: Sandbox, sink: Sink) -> None:
    made = alice.send("at once")
    reached = {"bob@example.com": "yes", FRIEND: "unknown"}
    wait_for(lambda: alice.arrivals(made["id"]) == reached, what="what became of both is told")
    assert copies(sandbox, sink, "at once") == (1, 1)
    (taken,) = sink.taken
    assert (taken.reverse_path, taken.recipients) == ("alice@example.com", (FRIEND,))


def test_held_mail_is_taken_back_or_goes_when_it_is_time_whoever_is_killed(
    alice: Alice, sandbox: Sandbox, sink: Sink
) -> None:
    undone = alice.send("undone", HOLDFOR="3600")
    held = alice.send("held", HOLDFOR=str(HELD_S))
    for worker in sandbox.workers():
        os.kill(worker, signal.SIGKILL)

    def is_canceled() -> bool:
        try:
            update = {undone["id"]: {"undoStatus": "canceled"}}
            return bool(alice.ask(("EmailSubmission/set", {"update": update}))[0]["updated"])
        except httpx.HTTPError:
            return False

    wait_for(is_canceled, what="a new worker takes it back")
    wait_for(lambda: copies(sandbox, sink, "held") == (1, 1), what="held mail goes")
    send_at = from_iso(held["sendAt"])
    assert send_at is not None
    assert now() >= send_at
    wait_for(lambda: alice.look(held["id"])["undoStatus"] == "final", what="it cannot be undone any more")
    assert alice.look(undone["id"])["undoStatus"] == "canceled"
    assert copies(sandbox, sink, "undone") == (0, 0)
