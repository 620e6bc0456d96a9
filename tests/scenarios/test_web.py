"""The web side of a whole appliance: policies, proofs, probes."""

import asyncio
import socket
import ssl
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import httpx
import pytest
import trustme

from mailstack.app.clock import system_clock
from mailstack.app.store_address import StoreAddress
from mailstack.app.stores import open_bus, open_store
from mailstack.model.challenge import Challenge, ChallengeKind
from mailstack.model.instant import DAY_MS, Instant
from mailstack.net.tls_proofs import ACME_TLS
from tests.scenarios.conftest import Inn
from tests.support.over_sockets import CLIENT_S
from tests.support.sandbox import Sandbox, save, wait_for

# One sandbox for those that leave its spec alone.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("web")]

POLICY = "version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmax_age: 604800\r\n"


def trusting(sandbox: Sandbox, *protocols: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(sandbox.ca))
    if protocols:
        context.set_alpn_protocols(protocols)
    return context


def get(sandbox: Sandbox, service: str, path: str, host: str = "mail.example.com") -> httpx.Response:
    """host: what is asked for; its certificate must be good for it."""
    scheme = "https" if service == "https" else "http"
    verify = trusting(sandbox, "http/1.1") if service == "https" else True
    with httpx.Client(verify=verify, timeout=CLIENT_S) as client:
        return client.get(
            f"{scheme}://127.0.0.1:{sandbox.port(service)}{path}",
            headers={"Host": host},
            extensions={"sni_hostname": host},
        )


def policy(sandbox: Sandbox) -> str:
    """ "" while no certificate is good for the policy's host, or its authority's file is not that of the one shown."""
    try:
        return get(sandbox, "https", "/.well-known/mta-sts.txt", "mta-sts.example.com").text
    except httpx.ConnectError:
        return ""


async def leave_proof(storage: StoreAddress, challenge: Challenge) -> None:
    """As the process does that orders a certificate."""
    bus = open_bus(storage)
    store = await open_store(storage, clock=system_clock, bus=bus)
    await bus.start()
    try:
        await store.challenges.put(challenge)
    finally:
        await bus.close()
        await store.close()


def test_a_policy_follows_the_spec_and_its_record(sandbox: Sandbox, spec: Path) -> None:
    assert policy(sandbox) == ""
    save(spec, spec.read_text().replace("example.com: {}\n", "example.com: {mta_sts: {mode: enforce}}\n", 1))
    wait_for(lambda: policy(sandbox) == POLICY, what="the policy is served")
    zones = sandbox.state / "dns"
    wait_for(
        lambda: any("v=STSv1; id=" in zone.read_text() for zone in zones.glob("*.zone")), what="its record is published"
    )
    sent_on = get(sandbox, "http", "/.well-known/mta-sts.txt", "mta-sts.example.com")
    assert sent_on.status_code == 308
    assert sent_on.headers["location"] == (
        f"https://mta-sts.example.com:{sandbox.port('https')}/.well-known/mta-sts.txt"
    )


def test_programs_ask_for_their_settings_under_names_of_the_domain(sandbox: Sandbox, spec: Path) -> None:
    path = "/mail/config-v1.1.xml"
    by_name = get(sandbox, "https", f"{path}?emailaddress=nobody@example.com")
    assert f"<port>{sandbox.port('imaps')}</port>" in by_name.text

    def settings(host: str) -> str:
        try:
            return get(sandbox, "https", path, host).text
        except httpx.ConnectError:
            return ""

    assert settings("autoconfig.example.com") == ""
    save(spec, spec.read_text().replace("example.com: {}\n", "example.com: {autoconfig: true}\n", 1))
    wait_for(lambda: settings("autoconfig.example.com") == by_name.text, what="the settings are served")
    document = get(sandbox, "https", "/.well-known/user-agent-configuration.json", "ua-auto-config.example.com").content
    digest = b64encode(sha256(document).digest()).decode()
    zones = sandbox.state / "dns"
    wait_for(
        lambda: any(f"d={digest}" in zone.read_text() for zone in zones.glob("*.zone")), what="the digest is published"
    )


def test_probes_answer_on_both_listeners(inn: Inn) -> None:
    sandbox = inn.sandbox
    assert get(sandbox, "http", "/healthz", "10.0.0.1").json() == {"status": "ok"}
    for service in ("http", "https"):
        assert get(sandbox, service, "/healthz").json() == {"status": "ok"}
        ready = get(sandbox, service, "/readyz").json()
        assert ready["status"] == "ready"
        assert ready["generation"] >= 1
    secure = get(sandbox, "https", "/nowhere")
    assert secure.status_code == 404
    assert secure.headers["strict-transport-security"] == "max-age=31536000"


def test_a_proof_by_http_is_shown_by_every_worker(inn: Inn) -> None:
    sandbox = inn.sandbox
    until = Instant(system_clock() + DAY_MS)
    proof = Challenge(kind=ChallengeKind.HTTP_01, name="token-1", value="token-1.thumbprint", until=until)
    asyncio.run(leave_proof(sandbox.storage, proof))
    for _ in range(10):
        found = get(sandbox, "http", "/.well-known/acme-challenge/token-1", "new.example.net")
        assert (found.status_code, found.text) == (200, "token-1.thumbprint")


def test_a_proof_by_tls_is_shown_to_who_asks_for_it_and_to_nobody_else(inn: Inn) -> None:
    sandbox = inn.sandbox
    authority = trustme.CA()
    issued = authority.issue_cert("mail.example.com", common_name="proof")
    pem = issued.private_key_pem.bytes() + issued.cert_chain_pems[0].bytes()
    until = Instant(system_clock() + DAY_MS)
    name = "mail.example.com"
    proof = Challenge(kind=ChallengeKind.TLS_ALPN_01, name=name, value=pem.decode(), until=until)
    asyncio.run(leave_proof(sandbox.storage, proof))

    def proofs(count: int) -> list[bool]:
        return [shows_proof(sandbox, authority, name) for _ in range(count)]

    # Each connection may come to another worker: all of them have to know.
    wait_for(lambda: all(proofs(8)), what="the proof is shown")
    assert all(proofs(20))
    for _ in range(5):
        assert get(sandbox, "https", "/healthz").status_code == 200


def shows_proof(sandbox: Sandbox, authority: trustme.CA, name: str) -> bool:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    context.set_alpn_protocols([ACME_TLS])
    try:
        with (
            connected(sandbox) as plain,
            context.wrap_socket(plain, server_hostname=name) as tls,
        ):
            assert tls.selected_alpn_protocol() == ACME_TLS
            return tls.recv(100) == b""  # RFC 8737 §3: no application data, and the end
    except ssl.SSLCertVerificationError:
        return False


def connected(sandbox: Sandbox) -> socket.socket:
    return socket.create_connection(("127.0.0.1", sandbox.port("https")), timeout=CLIENT_S)
