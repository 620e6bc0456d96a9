"""The least TLS, whole: a server that sends under `sending.tls` and under a route's own, exchangers with and without
TLS, which mail gets there, and what its sender reads in the end. In a network of its own: mail goes to port 25."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
import trustme
from aiosmtpd.smtp import SMTP, Envelope, Session
from anyio.from_thread import start_blocking_portal
from argon2 import PasswordHasher
from click.testing import CliRunner

from mailstack.cli.main import cli
from tests.support.clock_ahead import clock_ahead
from tests.support.dns_server import dns_server_beside
from tests.support.namespaces import Namespace, need_namespaces, new_namespace
from tests.support.over_sockets import CLIENT_S, ImapOver, SmtpOver, unverified
from tests.support.sandbox import save, wait_for
from tests.support.serving import serving_spec

pytestmark = pytest.mark.slow

OWN = "198.51.100.1"
BARE, SELF_SIGNED, HELD, GOOD = "bare.test", "own.test", "held.test", "good.test"
ADDRESSES = {BARE: "198.51.100.11", SELF_SIGNED: "198.51.100.12", HELD: "198.51.100.13", GOOD: "198.51.100.14"}
NAMES = {domain: {"MX": [f"10 mx.{domain}."]} for domain in ADDRESSES} | {
    f"mx.{domain}": {"A": [address]} for domain, address in ADDRESSES.items()
}
PASSWORD = "correct horse"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1)
SPEC = """\
server:
  hostname: mail.example.com
  workers: 1
  listeners: {{submission: ["127.0.0.1:587"], imaps: ["127.0.0.1:993"], smtp: [], submissions: [],
    managesieve: [], imap: [], http: [], https: []}}
storage: {{path: state}}
dns: {{resolvers: ["{resolver}"]}}
domains: {{example.com: {{}}}}
accounts: {{alice@example.com: {{password: env/PASSWORD}}}}
sending: {{tls: required, lifetime: 1d, warn_after: null}}
routes:
  - {{to: held.test, via: direct, tls: {held}}}
  - {{to: good.test, via: direct, tls: verified}}
"""


@dataclass
class Others:
    """taken: by recipient's domain, whether it came over TLS."""

    taken: dict[str, bool] = field(default_factory=dict)

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  its name
        domain = envelope.rcpt_tos[0].rpartition("@")[2]
        self.taken[domain] = server.session is not None and server.session.ssl is not None
        return "250 2.0.0 ok"


@contextlib.asynccontextmanager
async def others(network: Namespace, authority: trustme.CA) -> AsyncIterator[Others]:
    found, loop = Others(), asyncio.get_running_loop()

    def session_of(domain: str) -> SMTP:
        context = None
        if domain != BARE:
            issuer = authority if domain == GOOD else trustme.CA()
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            issuer.issue_cert(f"mx.{domain}").configure_cert(context)
        return SMTP(found, loop=loop, hostname=f"mx.{domain}", tls_context=context)

    async with contextlib.AsyncExitStack() as stack:
        for domain, address in ADDRESSES.items():
            listener = network.listener(25, address)
            await stack.enter_async_context(await loop.create_server(partial(session_of, domain), sock=listener))
        yield found


@pytest.fixture
def network() -> Iterator[Namespace]:
    need_namespaces()
    with new_namespace() as made:
        made.add_address(OWN)  # and with it, its whole network
        yield made


def submit(network: Namespace) -> None:
    with SmtpOver(network.connect(587, timeout_s=CLIENT_S)) as client:
        client.starttls(context=unverified())
        client.login("alice@example.com", PASSWORD)
        message = "From: alice@example.com\r\nSubject: hi\r\nTLS-Required: No\r\n\r\nhello\r\n"
        client.sendmail("alice@example.com", [f"b@{domain}" for domain in ADDRESSES], message)


def outcomes(spec: Path) -> dict[tuple[str, str], str]:
    """The least of each attempt, by what came of it and domain, as the log tells it."""
    whole, _, _ = spec.with_suffix(".log").read_text().rpartition("\n")
    lines = [json.loads(line) for line in whole.splitlines() if '"tls_least"' in line]
    return {(line["event"], line["recipient"].rpartition("@")[2]): line["tls_least"] for line in lines}


def shown(spec: Path, domain: str) -> dict[str, str]:
    listed = CliRunner().invoke(cli, ["queue", "list", str(spec), "--domain", domain, "--format", "json"])
    (entry,) = json.loads(listed.stdout)
    found = CliRunner().invoke(cli, ["queue", "show", str(spec), str(entry["id"]), "--format", "json"])
    facts: dict[str, str] = json.loads(found.stdout)
    return facts


def mails_of(network: Namespace) -> list[str]:
    client = ImapOver(network.connect(993, timeout_s=CLIENT_S))
    with client:
        client.login("alice@example.com", PASSWORD)
        client.select("INBOX")
        _, (numbers,) = client.search(None, "ALL")
        fetched = [client.fetch(number.decode(), "(BODY.PEEK[])")[1][0] for number in numbers.split()]
    return [part[1].decode() for part in fetched if isinstance(part, tuple)]


def test_mail_goes_with_the_least_or_not_at_all_and_its_sender_hears_why(tmp_path: Path, network: Namespace) -> None:
    authority, spec = trustme.CA(), tmp_path / "mailstack.yaml"
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    environment = {"PASSWORD": CHEAP.hash(PASSWORD), "SSL_CERT_FILE": str(tmp_path / "ca.pem")}
    with (
        dns_server_beside(NAMES, namespace=network) as dns,
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(others(network, authority)) as sinks,
    ):
        save(spec, SPEC.format(resolver=dns.endpoint, held="verified"))
        with serving_spec(spec, network, **environment):
            submit(network)
            wait_for(lambda: len(outcomes(spec)) == len(ADDRESSES), what="every domain is tried")
            assert outcomes(spec) == {
                ("deferred", BARE): "required",
                ("sent", SELF_SIGNED): "required",
                ("deferred", HELD): "verified",
                ("sent", GOOD): "verified",
            }
            assert shown(spec, HELD)["last_tls_least"] == "verified"
            assert shown(spec, HELD)["last_reply"].endswith("but this server requires verified TLS")
            save(spec, SPEC.format(resolver=dns.endpoint, held="opportunistic"))

            def is_taken() -> bool:
                CliRunner().invoke(cli, ["queue", "retry", str(spec), "--domain", HELD])
                return HELD in sinks.taken

            wait_for(is_taken, what="the route asks for less")
        (tmp_path / "state" / "run" / "status.json").unlink(missing_ok=True)
        with serving_spec(spec, network, **environment, **clock_ahead(tmp_path / "ahead", 2 * 86_400)):
            wait_for(lambda: ("failed", BARE) in outcomes(spec), what="it is given up")
            wait_for(lambda: len(mails_of(network)) == 1, what="its sender hears of it")
            (notice,) = mails_of(network)
    assert sinks.taken == {SELF_SIGNED: True, HELD: True, GOOD: True}
    assert "Status: 5.7.10\r\n" in notice
    assert "mx.bare.test does not offer STARTTLS, but this server requires TLS\r\n" in notice
