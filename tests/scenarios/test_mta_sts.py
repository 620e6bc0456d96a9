"""MTA-STS, whole: a server that sends, policies behind HTTPS, exchangers of every make, and which mail gets there.

{none, testing, enforce} × {valid, wrong name, expired, self-signed certificates; no TLS; a host that no policy names}.
In a network of their own, for mail goes to port 25, and policies come from port 443, of addresses that others reach.
RFC 8461 §3.3, §4, §5.
"""

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import apsw
import pytest
import trustme
from aiosmtpd.smtp import SMTP, Envelope, Session
from anyio.from_thread import start_blocking_portal
from argon2 import PasswordHasher
from click.testing import CliRunner

from mailstack.cli.main import cli
from tests.support.dns_server import DnsServer, dns_server_beside
from tests.support.namespaces import Namespace, need_namespaces, new_namespace
from tests.support.over_sockets import CLIENT_S, SmtpOver, unverified
from tests.support.sandbox import wait_for
from tests.support.serving import serving_spec

pytestmark = pytest.mark.slow

KINDS = {
    "valid": "198.51.100.11",
    "wrong-name": "198.51.100.12",
    "expired": "198.51.100.13",
    "self-signed": "198.51.100.14",
    "no-tls": "198.51.100.15",
    "unlisted": "198.51.100.16",
}
POLICY_HOST, OWN = "198.51.100.20", "198.51.100.1"
MODES = ("none", "testing", "enforce")
DOMAINS = tuple(f"{mode}-{kind}.test" for mode in MODES for kind in KINDS)
FAILURES = {
    "valid": None,
    "wrong-name": "certificate-host-mismatch",
    "expired": "certificate-expired",
    "self-signed": "certificate-not-trusted",
    "no-tls": "starttls-not-supported",
    "unlisted": "validation-failure",
}
"""By the names of RFC 8460, which reports on TLS will have."""
STATUSES = {"wrong-name": "4.7.5", "expired": "4.7.5", "self-signed": "4.7.5", "no-tls": "4.7.10", "unlisted": "4.7.0"}
PASSWORD = "correct horse"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1)
SPEC = """\
server:
  hostname: mail.example.com
  workers: 2
  listeners: {{submission: ["127.0.0.1:587"], smtp: [], submissions: [], managesieve: [],
    imap: [], imaps: [], http: [], https: []}}
storage: {{path: state}}
dns: {{resolvers: ["{resolver}"]}}
domains: {{example.com: {{}}}}
accounts: {{alice@example.com: {{password: env/PASSWORD}}}}
"""


def names() -> dict[str, dict[str, list[str]]]:
    found: dict[str, dict[str, list[str]]] = {}
    for domain in DOMAINS:
        kind = domain.partition("-")[2].removesuffix(".test")
        found[domain] = {"MX": [f"10 mx.{domain}."]}
        found[f"mx.{domain}"] = {"A": [KINDS[kind]]}
        found[f"_mta-sts.{domain}"] = {"TXT": ['"v=STSv1; id=1;"']}
        found[f"mta-sts.{domain}"] = {"A": [POLICY_HOST]}
    return found


@dataclass
class World:
    """taken: by recipient's domain, whether it came over TLS. policies: by domain. asked: for whose policies."""

    taken: dict[str, bool] = field(default_factory=dict)
    policies: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  its name
        domain = envelope.rcpt_tos[0].rpartition("@")[2]
        assert domain not in self.taken
        self.taken[domain] = server.session is not None and server.session.ssl is not None
        return "250 2.0.0 ok"

    async def show_policy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        host = request.partition("\r\nhost: ")[2].partition("\r\n")[0]
        self.asked.append(host)
        text = self.policies[host.removeprefix("mta-sts.")]
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % len(text) + text)
        await writer.drain()
        writer.close()


def policy(mode: str, *hosts: str) -> bytes:
    mx = "".join(f"mx: {host}\n" for host in hosts)
    return f"version: STSv1\nmode: {mode}\n{mx}max_age: 604800\n".encode()


def context_of(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def contexts(authority: trustme.CA) -> Mapping[str, ssl.SSLContext]:
    """By kind, of exchangers that offer TLS."""
    hosts = {kind: [f"mx.{mode}-{kind}.test" for mode in MODES] for kind in KINDS}
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    return {
        "valid": context_of(authority.issue_cert(*hosts["valid"])),
        "wrong-name": context_of(authority.issue_cert("mx.elsewhere.test")),
        "expired": context_of(authority.issue_cert(*hosts["expired"], not_after=long_ago)),
        "self-signed": context_of(trustme.CA().issue_cert(*hosts["self-signed"])),
        "unlisted": context_of(authority.issue_cert(*hosts["unlisted"])),
    }


@contextlib.asynccontextmanager
async def others(network: Namespace, authority: trustme.CA) -> AsyncIterator[World]:
    """All exchangers, and the host of all policies."""
    world, loop = World(), asyncio.get_running_loop()
    for domain in DOMAINS:
        mode = domain.partition("-")[0]
        listed = "elsewhere.test" if domain.endswith("-unlisted.test") else f"*.{domain}"
        world.policies[domain] = policy(mode) if mode == "none" else policy(mode, listed)
    offered = contexts(authority)

    def session_of(kind: str) -> SMTP:
        return SMTP(world, loop=loop, hostname="mx.test", tls_context=offered.get(kind))

    async with contextlib.AsyncExitStack() as stack:
        for kind, address in KINDS.items():
            sink = await loop.create_server(partial(session_of, kind), sock=network.listener(25, address))
            await stack.enter_async_context(sink)
        web = await asyncio.start_server(
            world.show_policy,
            sock=network.listener(443, POLICY_HOST),
            ssl=context_of(authority.issue_cert(*(f"mta-sts.{domain}" for domain in DOMAINS))),
        )
        await stack.enter_async_context(web)
        yield world


@pytest.fixture
def network() -> Iterator[Namespace]:
    need_namespaces()
    with new_namespace() as made:
        made.add_address(OWN)  # and with it, its whole network
        yield made


def waiting(spec: Path) -> dict[str, tuple[str, str, str]]:
    """By domain of those that were tried: status, policy and failure of the last attempt."""
    connection = apsw.Connection(str(spec.parent / "state" / "system.db"), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        rows = connection.execute(
            "SELECT recipient, last_status, last_tls_policy, last_tls_failure FROM mail_recipient WHERE tries > 0"
        ).fetchall()
    finally:
        connection.close()
    return {str(row[0]).rpartition("@")[2]: (str(row[1]), str(row[2]), str(row[3])) for row in rows}


def sent(spec: Path) -> dict[str, tuple[str, bool, str | None]]:
    """By domain: policy, whether over TLS, and failure, as the log tells it."""
    whole, _, _ = spec.with_suffix(".log").read_text().rpartition("\n")
    lines = [json.loads(line) for line in whole.splitlines() if '"sent"' in line]
    return {
        line["recipient"].rpartition("@")[2]: (line["tls_policy"], bool(line["tls_version"]), line.get("tls_failure"))
        for line in lines
        if line["event"] == "sent"
    }


def submit(network: Namespace) -> None:
    with SmtpOver(network.connect(587, timeout_s=CLIENT_S)) as client:
        client.starttls(context=unverified())
        client.login("alice@example.com", PASSWORD)
        message = "From: alice@example.com\r\nSubject: hi\r\n\r\nhello\r\n"
        client.sendmail("alice@example.com", [f"b@{domain}" for domain in DOMAINS], message)


def test_what_a_domain_demands_of_its_exchangers_is_kept_and_what_it_tests_is_told(
    tmp_path: Path, network: Namespace
) -> None:
    authority, spec = trustme.CA(), tmp_path / "mailstack.yaml"
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with (
        dns_server_beside(names(), namespace=network) as dns,
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(others(network, authority)) as world,
    ):
        dns.ttl_s = 1
        spec.write_text(SPEC.format(resolver=dns.endpoint))
        roots = str(tmp_path / "ca.pem")
        with serving_spec(spec, network, PASSWORD=CHEAP.hash(PASSWORD), SSL_CERT_FILE=roots):
            submit(network)
            wait_for(lambda: len(sent(spec)) + len(waiting(spec)) == len(DOMAINS), what="every domain is tried")
            for kind in KINDS:
                has_tls, is_good = kind != "no-tls", kind == "valid"
                assert world.taken[f"none-{kind}.test"] == world.taken[f"testing-{kind}.test"] == has_tls
                none_failure = None if has_tls else FAILURES[kind]
                assert sent(spec)[f"none-{kind}.test"] == ("opportunistic", has_tls, none_failure)
                assert sent(spec)[f"testing-{kind}.test"] == ("sts-testing", has_tls, FAILURES[kind])
                assert (f"enforce-{kind}.test" in world.taken) is is_good
                if not is_good:
                    assert waiting(spec)[f"enforce-{kind}.test"] == (STATUSES[kind], "sts", FAILURES[kind])
            assert sent(spec)["enforce-valid.test"] == ("sts", True, None)
            assert world.taken["enforce-valid.test"]
            assert {f"mta-sts.{domain}" for domain in DOMAINS} == set(world.asked)
            gives_up_its_policy(dns, world, spec, "enforce-expired.test")


def gives_up_its_policy(dns: DnsServer, world: World, spec: Path, domain: str) -> None:
    """RFC 8461 §5: before mail is given up, the domain has the last word, which the next attempt asks for."""
    world.policies[domain] = policy("none")
    dns.names[f"_mta-sts.{domain}"] = {"TXT": ['"v=STSv1; id=2;"']}

    def is_taken() -> bool:
        CliRunner().invoke(cli, ["queue", "retry", str(spec), "--domain", domain])
        return domain in world.taken

    wait_for(is_taken, what="the mail goes out once the policy is gone")
    wait_for(lambda: domain in sent(spec), what="it is known to have gone")
    assert sent(spec)[domain] == ("opportunistic", True, None)
    assert len(waiting(spec)) == len(STATUSES) - 1
