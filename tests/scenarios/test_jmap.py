"""JMAP on a whole appliance: over TLS, and in the clear where a sandbox lets programs of its machine in so."""

import ssl

import httpx
import pytest

from tests.support.over_sockets import CLIENT_S
from tests.support.sandbox import Sandbox

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("web")]

CORE = "urn:ietf:params:jmap:core"
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
        assert client.get(session["apiUrl"]).status_code == 405
        assert client.post(session["apiUrl"], json={"using": [], "methodCalls": []}).status_code == 401
