"""JMAP on a whole appliance: over TLS, and in the clear where a sandbox lets programs of its machine in so."""

import imaplib
import ssl
from typing import Any

import httpx
import pytest

from tests.support.over_sockets import CLIENT_S
from tests.support.sandbox import Sandbox

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("web")]

CORE = "urn:ietf:params:jmap:core"
MAIL = "urn:ietf:params:jmap:mail"
ALICE = ("alice@example.com", "pw")


@pytest.mark.parametrize("service", ["https", "http"])
def test_a_client_finds_its_way_and_asks(sandbox: Sandbox, service: str) -> None:
    base_url = f"{service}://127.0.0.1:{sandbox.port(service)}"
    trusted = ssl.create_default_context(cafile=str(sandbox.ca))
    with httpx.Client(verify=trusted, timeout=CLIENT_S, base_url=base_url) as client:
        assert client.get("/.well-known/jmap").status_code == 401
        client.auth = ALICE
        session = client.get("/.well-known/jmap").json()
        assert session["username"] == "alice@example.com"
        assert session["apiUrl"] == f"{base_url}/jmap/api"
        echo = ["Core/echo", {"hello": "ünïcode"}, "c1"]
        reply = client.post(session["apiUrl"], json={"using": [CORE], "methodCalls": [echo]})
        assert reply.json() == {"methodResponses": [echo], "sessionState": session["state"]}
        client.auth = (ALICE[0], "wrong")
        assert client.put(session["apiUrl"]).status_code == 405
        assert client.get(session["apiUrl"]).status_code == 401
        assert client.post(session["apiUrl"], json={"using": [], "methodCalls": []}).status_code == 401


def test_what_one_protocol_does_the_other_shows(sandbox: Sandbox) -> None:
    base_url = f"https://127.0.0.1:{sandbox.port('https')}"
    trusted = ssl.create_default_context(cafile=str(sandbox.ca))
    with (
        httpx.Client(verify=trusted, timeout=CLIENT_S, base_url=base_url, auth=ALICE) as client,
        imaplib.IMAP4("127.0.0.1", sandbox.port("imap"), timeout=CLIENT_S) as imap,
    ):
        session = client.get("/jmap/session").json()
        account_id = session["primaryAccounts"][MAIL]

        def ask(*calls: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
            made = [[name, {"accountId": account_id, **given}, str(at)] for at, (name, given) in enumerate(calls)]
            reply = client.post(session["apiUrl"], json={"using": [CORE, MAIL], "methodCalls": made})
            return [found for _, found, _ in reply.json()["methodResponses"]]

        imap.login(*ALICE)
        for subject in ("one of jmap", "two of jmap"):
            message = f"From: bob@x.example\r\nSubject: {subject}\r\n\r\nText\r\n"
            imap.append("Sent", "", "", message.encode())
        ids = {"resultOf": "0", "name": "Email/query", "path": "/ids"}
        asked = {"filter": {"subject": "of jmap"}, "sort": [{"property": "subject"}]}
        found, emails = ask(("Email/query", asked), ("Email/get", {"#ids": ids, "properties": ["subject", "keywords"]}))
        assert [(email["subject"], email["keywords"]) for email in emails["list"]] == [
            ("one of jmap", {}),
            ("two of jmap", {}),
        ]
        first, second = found["ids"]
        changed, changes = ask(
            ("Email/set", {"update": {first: {"keywords/$flagged": True}}, "destroy": [second]}),
            ("Email/changes", {"sinceState": emails["state"]}),
        )
        assert (changed["updated"], changed["destroyed"]) == ({first: None}, [second])
        assert (changes["updated"], changes["destroyed"]) == ([first], [second])
        imap.select("Sent")
        assert imap.search(None, 'SUBJECT "of jmap"')[1][0].split() == imap.search(None, "FLAGGED")[1][0].split()
        imap.store(imap.search(None, "FLAGGED")[1][0].split()[0].decode(), "+FLAGS", r"(\Seen)")
        (seen,) = ask(("Email/get", {"ids": [first, second], "properties": ["keywords"]}))
        assert (seen["list"], seen["notFound"]) == (
            [{"id": first, "keywords": {"$flagged": True, "$seen": True}}],
            [second],
        )
