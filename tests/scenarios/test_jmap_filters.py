"""Scripts and the answer of who is away, by JMAP on a whole server, and what the others see of them."""

import email
import imaplib
import json
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import policy
from email.message import EmailMessage
from subprocess import run
from typing import Any

import httpx
import pytest
from sievelib.managesieve import Client

from tests.support.over_sockets import CLIENT_S
from tests.support.sandbox import MAILSTACK, Sandbox, wait_for
from tests.support.sink import Sink

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("web")]

CORE = "urn:ietf:params:jmap:core"
SIEVE = "urn:ietf:params:jmap:sieve"
VACATION = "urn:ietf:params:jmap:vacationresponse"
ALICE = "alice@example.com"
FILING = (
    b'require ["fileinto", "mailbox"];\r\nif header :contains "subject" "invoice" { fileinto :create "Invoices"; }\r\n'
)


class Jmap:
    """As alice."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._session = client.get("/jmap/session").json()
        self._account_id = self._session["primaryAccounts"][SIEVE]

    def ask(self, method: str, **arguments: Any) -> dict[str, Any]:
        call = [method, {"accountId": self._account_id, **arguments}, "0"]
        using = {"using": [CORE, SIEVE, VACATION], "methodCalls": [call]}
        ((name, found, _),) = self._client.post(self._session["apiUrl"], json=using).json()["methodResponses"]
        assert name == method, found
        return dict(found)

    def upload(self, content: bytes) -> str:
        url = self._session["uploadUrl"].format(accountId=self._account_id)
        return str(self._client.post(url, content=content).json()["blobId"])

    def say(self, **patch: Any) -> None:
        answer = self.ask("VacationResponse/set", update={"singleton": patch})
        assert answer["notUpdated"] is None, answer


@contextmanager
def jmap_of(sandbox: Sandbox) -> Iterator[Jmap]:
    base_url = f"https://127.0.0.1:{sandbox.port('https')}"
    trusted = ssl.create_default_context(cafile=str(sandbox.ca))
    with httpx.Client(verify=trusted, timeout=CLIENT_S, base_url=base_url, auth=(ALICE, "pw")) as client:
        yield Jmap(client)


def send(sandbox: Sandbox, subject: str, *, sender: str) -> None:
    with smtplib.SMTP("127.0.0.1", sandbox.port("smtp"), "client.test", timeout=CLIENT_S) as client:
        text = f"From: Eve <{sender}>\r\nTo: {ALICE}\r\nSubject: {subject}\r\n\r\ntext\r\n"
        client.sendmail(sender, [ALICE], text)


def subjects(sandbox: Sandbox, mailbox: str) -> list[str]:
    with imaplib.IMAP4("127.0.0.1", sandbox.port("imap"), timeout=CLIENT_S) as client:
        client.login(ALICE, "pw")
        if client.select(mailbox, readonly=True)[0] != "OK":
            return []
        _, found = client.fetch("1:*", "(BODY.PEEK[])")
        return [str(email.message_from_bytes(each[1])["Subject"]) for each in found if isinstance(each, tuple)]


def in_days(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def answers(sink: Sink) -> dict[str, EmailMessage]:
    """By whom they went to."""
    return {mail.recipients[0]: email.message_from_bytes(mail.content, policy=policy.default) for mail in sink.taken}


def test_who_is_away_answers_once_beside_their_filter(sandbox: Sandbox, sink: Sink) -> None:
    with jmap_of(sandbox) as jmap:
        given = {"k": {"name": "filing", "blobId": jmap.upload(FILING)}}
        made = jmap.ask("SieveScript/set", create=given, onSuccessActivateScript="#k")
        assert made["created"]["k"]["isActive"] is True
        send(sandbox, "before", sender="early@elsewhere.example")

        jmap.say(isEnabled=True, fromDate=in_days(1), textBody="Grüße", htmlBody="<p>Grüße</p>")
        send(sandbox, "too early", sender="early@elsewhere.example")
        jmap.say(fromDate=in_days(-2), toDate=in_days(-1))
        send(sandbox, "too late", sender="late@elsewhere.example")
        jmap.say(toDate=in_days(1), subject="Away")
        for subject in ("an invoice", "another"):
            send(sandbox, subject, sender="eve@elsewhere.example")
        wait_for(lambda: len(sink.taken) == 1, what="the answer")
        jmap.say(isEnabled=False)
        send(sandbox, "back", sender="back@elsewhere.example")

        jmap.say(isEnabled=True, htmlBody=None)
        send(sandbox, "text alone", sender="text@elsewhere.example")
        wait_for(lambda: len(sink.taken) == 2, what="the answer in text")
    found = answers(sink)
    assert {*found} == {"eve@elsewhere.example", "text@elsewhere.example"}
    answer, text = found["eve@elsewhere.example"], found["text@elsewhere.example"]
    assert (answer["Subject"], answer["Auto-Submitted"]) == ("Away", "auto-replied (vacation)")
    assert answer.get_content_type() == "multipart/alternative"
    shown = [(part.get_content_type(), part.get_content().strip()) for part in answer.iter_parts()]
    assert shown == [("text/plain", "Grüße"), ("text/html", "<p>Grüße</p>")]
    assert (text.get_content_type(), text.get_content().strip()) == ("text/plain", "Grüße")
    assert subjects(sandbox, "Invoices") == ["an invoice"]
    assert len(subjects(sandbox, "INBOX")) == 6


def test_what_managesieve_and_the_command_line_see(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    # sievelib trusts whom the machine trusts.
    monkeypatch.setenv("SSL_CERT_FILE", str(sandbox.ca))
    with jmap_of(sandbox) as jmap:
        jmap.say(isEnabled=True, textBody="away")
        client = Client("127.0.0.1", sandbox.port("managesieve"), srvhostname="localhost")
        assert client.connect(ALICE, "pw", starttls=True, authmech="PLAIN"), client.errmsg
        assert client.listscripts() == (None, [])
        assert client.putscript("mine", "keep;")
        (found,) = jmap.ask("SieveScript/get")["list"]
        state = jmap.ask("SieveScript/get")["state"]
        assert (found["name"], found["isActive"]) == ("mine", False)

        renamed = {"name": "work", "blobId": jmap.upload(FILING)}
        jmap.ask("SieveScript/set", update={found["id"]: renamed}, onSuccessActivateScript=found["id"], ifInState=state)
        assert client.listscripts() == ("work", [])
        assert str(client.getscript("work")).split() == FILING.decode().split()
        assert client.deletescript("work") is False
        client.logout()

        command = [*MAILSTACK, "sieve", "show", *where(sandbox), "--format", "json"]
        done = run(command, capture_output=True, text=True, timeout=CLIENT_S, check=True)
        shown = json.loads(done.stdout)
        assert [each["origin"] for each in shown] == ["own", "vacation"]
        assert 'vacation "away";' in shown[1]["content"]
        # The answer is none of the scripts: none of its name can be, and it is not switched off with them.
        assert jmap.ask("SieveScript/set", onSuccessDeactivateScript=True)["updated"] == {
            found["id"]: {"isActive": False}
        }
        assert jmap.ask("VacationResponse/get")["list"][0]["isEnabled"] is True


def where(sandbox: Sandbox) -> list[str]:
    spec = sandbox.ready_file.parent.parent / "spec" / "mailstack.yaml"
    return [str(spec), ALICE, "--state", str(sandbox.state)]
