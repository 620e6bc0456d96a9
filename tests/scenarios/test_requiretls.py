"""REQUIRETLS and `TLS-Required: No`, whole: a server that sends, exchangers of every make, what gets there and what
comes back. RFC 8689 §2, §4.2, §5, §6.

In a network of their own, for mail goes to port 25, and policies come from port 443, of addresses that others reach.
"""

import asyncio
import contextlib
import email
import hashlib
import ssl
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from email.message import Message
from functools import partial
from pathlib import Path

import pytest
import trustme
from aiosmtpd.smtp import SMTP, Envelope, Session
from anyio.from_thread import start_blocking_portal
from argon2 import PasswordHasher

from tests.support.certificates import certificate
from tests.support.dns_server import dns_server_beside
from tests.support.namespaces import Namespace, need_namespaces, new_namespace
from tests.support.over_sockets import CLIENT_S, ImapOver, SmtpOver, unverified
from tests.support.sandbox import wait_for
from tests.support.serving import serving_spec

# One server for all of them.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("requiretls")]

PASSWORD = "correct horse"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1)
OWN, POLICY_HOST = "198.51.100.1", "198.51.100.20"
PROMISING, LACKING, PLAIN, SELF_SIGNED = (f"198.51.100.{last}" for last in (11, 12, 13, 14))
KEY = certificate("elsewhere.test", days=3650)
DIGEST = hashlib.sha256(KEY.public_key).hexdigest()
OTHER = "00" * 32

# By domain: the addresses of its exchangers, and what vouches for them.
DOMAINS = {
    "good.test": ((PROMISING,), "dnssec"),
    "sts.test": ((PROMISING,), "sts"),
    "dane.test": ((SELF_SIGNED,), DIGEST),
    "second.test": ((LACKING, PROMISING), "dnssec"),
    "lacking.test": ((LACKING,), "dnssec"),
    "plain.test": ((PLAIN,), "dnssec"),
    "self-signed.test": ((SELF_SIGNED,), "dnssec"),
    "forgeable.test": ((PROMISING,), ""),
    "bad-dane.test": ((SELF_SIGNED,), OTHER),
    "bad-sts.test": ((SELF_SIGNED,), "sts"),
}
TAKEN = ("good.test", "sts.test", "dane.test", "second.test")
RETURNED = {
    "lacking.test": "5.7.30",
    "plain.test": "5.7.10",
    "self-signed.test": "5.7.10",
    "forgeable.test": "5.7.10",
    "bad-dane.test": "5.7.10",
    "bad-sts.test": "5.7.10",
}
SPEC = """\
server:
  hostname: mail.example.com
  workers: 2
  listeners:
    {{submission: ["127.0.0.1:587"], smtp: ["127.0.0.1:25"], imaps: ["127.0.0.1:993"], submissions: [],
    managesieve: [], imap: [], http: [], https: []}}
storage: {{path: state}}
dns: {{resolvers: ["{resolver}"], validating: true}}
domains: {{example.com: {{}}}}
accounts:
  alice@example.com: {{password: env/PASSWORD}}
  on@example.com: {{forward: on@good.test}}
aliases: {{alias@example.com: alias@good.test, astray@example.com: b@lacking.test}}
lists: {{team@example.com: {{members: [member@good.test], post: [alice@example.com]}}}}
"""


def names() -> dict[str, dict[str, list[str]]]:
    found: dict[str, dict[str, list[str]]] = {}
    for domain, (addresses, voucher) in DOMAINS.items():
        hosts = [f"mx{at}.{domain}" for at, _ in enumerate(addresses)]
        found[domain] = {
            "MX": [f"{at} {host}." for at, host in enumerate(hosts)],
            "TXT": ['"v=spf1 ip4:127.0.0.1 -all"'],
        }
        found |= {host: {"A": [address]} for host, address in zip(hosts, addresses, strict=True)}
        if voucher == "sts":
            found[f"_mta-sts.{domain}"] = {"TXT": ['"v=STSv1; id=1;"']}
            found[f"mta-sts.{domain}"] = {"A": [POLICY_HOST]}
        elif voucher not in ("", "dnssec"):
            found[f"_25._tcp.mx0.{domain}"] = {"TLSA": [f"3 1 1 {voucher}"]}
    return found


def signed() -> set[str]:
    return {name for name in names() if not name.endswith(("sts.test", "forgeable.test"))}


@dataclass(frozen=True, slots=True)
class Taken:
    recipient: str
    reverse_path: str
    has_tls: bool
    is_required: bool
    content: bytes


@dataclass
class World:
    taken: list[Taken] = field(default_factory=list)

    @property
    def recipients(self) -> set[str]:
        return {each.recipient for each in self.taken}

    def one(self, recipient: str) -> Taken:
        (found,) = [each for each in self.taken if each.recipient == recipient]
        return found

    async def show_policy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        text = b"version: STSv1\nmode: enforce\nmx: *.sts.test\nmx: *.bad-sts.test\nmax_age: 604800\n"
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % len(text) + text)
        await writer.drain()
        writer.close()


class Exchanger(SMTP):
    """One that may promise REQUIRETLS under TLS, and takes the parameter then."""

    def __init__(self, world: World, tls: ssl.SSLContext | None, *, promises: bool) -> None:
        super().__init__(self, loop=asyncio.get_running_loop(), hostname="mx.test", tls_context=tls)
        self._world = world
        self._promises = promises
        self._is_required = False

    @property
    def _has_tls(self) -> bool:
        return self.session is not None and self.session.ssl is not None

    async def handle_EHLO(  # noqa: N802  aiosmtpd's
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, replies: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [*replies[:-1], *["250-REQUIRETLS"] * (self._promises and self._has_tls), replies[-1]]

    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802  aiosmtpd's
        words = (arg or "").split()
        self._is_required = self._promises and self._has_tls and "REQUIRETLS" in words
        await super().smtp_MAIL(" ".join(word for word in words if not (self._is_required and word == "REQUIRETLS")))

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  aiosmtpd's
        assert isinstance(envelope.content, bytes)
        self._world.taken += [
            Taken(recipient, envelope.mail_from or "", self._has_tls, self._is_required, envelope.content)
            for recipient in envelope.rcpt_tos
        ]
        return "250 2.0.0 ok"


@contextlib.asynccontextmanager
async def others(network: Namespace, authority: trustme.CA, folder: Path) -> AsyncIterator[World]:
    """All exchangers, and the host of all policies."""
    world, loop = World(), asyncio.get_running_loop()
    hosts = [f"mx{at}.{domain}" for domain in DOMAINS for at in range(2)]
    good, own, policies = (ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) for _ in range(3))
    authority.issue_cert(*hosts).configure_cert(good)
    authority.issue_cert("mta-sts.sts.test", "mta-sts.bad-sts.test").configure_cert(policies)
    (folder / "own.pem").write_bytes(KEY.pem)
    own.load_cert_chain(folder / "own.pem")
    made = {PROMISING: (good, True), LACKING: (good, False), PLAIN: (None, True), SELF_SIGNED: (own, True)}
    async with contextlib.AsyncExitStack() as stack:
        for address, (context, promises) in made.items():
            exchanger = partial(Exchanger, world, context, promises=promises)
            await stack.enter_async_context(await loop.create_server(exchanger, sock=network.listener(25, address)))
        web = await asyncio.start_server(world.show_policy, sock=network.listener(443, POLICY_HOST), ssl=policies)
        await stack.enter_async_context(web)
        yield world


@dataclass
class Site:
    """The server that sends, and whoever it sends to."""

    network: Namespace
    world: World

    def submit(self, recipients: list[str], *options: str, header: str = "") -> None:
        with SmtpOver(self.network.connect(587, timeout_s=CLIENT_S)) as client:
            client.starttls(context=unverified())
            client.login("alice@example.com", PASSWORD)
            message = f"From: alice@example.com\r\nSubject: secret\r\n{header}\r\nhello\r\n"
            client.sendmail("alice@example.com", recipients, message, options)

    def bring(self, sender: str, recipient: str) -> None:
        """As a stranger's server does."""
        with SmtpOver(self.network.connect(25, timeout_s=CLIENT_S)) as client:
            client.starttls(context=unverified())
            message = f"From: {sender}\r\nSubject: secret\r\n\r\nhello\r\n"
            client.sendmail(sender, [recipient], message, ["REQUIRETLS", "RET=FULL"])

    def reports(self) -> dict[str, Message]:
        """By domain of those whom alice hears of."""
        with ImapOver(self.network.connect(993, timeout_s=CLIENT_S)) as client:
            client.login("alice@example.com", PASSWORD)
            client.select("INBOX")
            _, found = client.fetch("1:*", "(BODY.PEEK[])")
        notices = [email.message_from_bytes(each[1]) for each in found if isinstance(each, tuple)]
        return {text(each).partition("Final-Recipient: rfc822; b@")[2].split()[0]: each for each in notices}


def text(message: Message) -> str:
    return message.as_string()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    need_namespaces()
    folder, authority = tmp_path_factory.mktemp("site"), trustme.CA()
    spec, roots = folder / "mailstack.yaml", folder / "ca.pem"
    authority.cert_pem.write_to_path(str(roots))
    with new_namespace() as network:
        network.add_address(OWN)  # and with it, its whole network
        with (
            dns_server_beside(names(), namespace=network) as dns,
            start_blocking_portal() as portal,
            portal.wrap_async_context_manager(others(network, authority, folder)) as world,
        ):
            dns.secure |= signed()
            spec.write_text(SPEC.format(resolver=dns.endpoint))
            with serving_spec(spec, network, PASSWORD=CHEAP.hash(PASSWORD), SSL_CERT_FILE=str(roots)):
                yield Site(network, world)


def test_it_goes_to_who_keeps_the_promise_and_comes_back_from_all_others(site: Site) -> None:
    site.submit([f"b@{domain}" for domain in (*TAKEN, *RETURNED)], "REQUIRETLS")
    wait_for(lambda: site.reports().keys() >= RETURNED.keys(), what="what is returned")
    wait_for(lambda: {f"b@{domain}" for domain in TAKEN} <= site.world.recipients, what="what is taken")
    assert not {f"b@{domain}" for domain in RETURNED} & site.world.recipients
    for domain in TAKEN:
        found = site.world.one(f"b@{domain}")
        assert (found.has_tls, found.is_required) == (True, True), domain
    reports = site.reports()
    assert reports.keys() == RETURNED.keys()
    for domain, status in RETURNED.items():
        assert f"Status: {status}" in text(reports[domain]), domain
        # It has not left this machine: the header comes back, as if RET=HDRS had been said.
        assert "Subject: secret" in text(reports[domain])
        assert "hello" not in text(reports[domain])


def test_what_need_not_have_tls_is_not_held_up(site: Site) -> None:
    bad = ("bad-dane.test", "bad-sts.test")
    optional = {f"optional@{domain}" for domain in ("good.test", "plain.test", *bad)}
    site.submit(sorted(optional), header="TLS-Required: No\r\n")
    site.submit([f"usual@{domain}" for domain in ("good.test", *bad)])
    wait_for(lambda: {*optional, "usual@good.test"} <= site.world.recipients, what="what need not wait")
    assert not {f"usual@{domain}" for domain in bad} & site.world.recipients
    for recipient in optional:
        found = site.world.one(recipient)
        assert (found.has_tls, found.is_required) == (recipient != "optional@plain.test", False)
        assert b"TLS-Required: No" in found.content


def test_copies_keep_it(site: Site) -> None:
    site.submit(["alias@example.com", "on@example.com", "team@example.com"], "REQUIRETLS")
    copies = {f"{name}@good.test" for name in ("alias", "on", "member")}
    wait_for(lambda: copies <= site.world.recipients, what="all copies")
    assert all(site.world.one(recipient).is_required for recipient in copies)


def test_a_stranger_has_a_report_under_the_same_promise_or_without_the_header(site: Site) -> None:
    senders = ("stranger@good.test", "stranger@lacking.test")
    for sender in senders:
        site.bring(sender, "astray@example.com")
    wait_for(lambda: set(senders) <= site.world.recipients, what="the reports")
    protected, redacted = (site.world.one(sender) for sender in senders)
    for report in (protected, redacted):
        assert report.reverse_path in ("", "<>")
        assert b"Status: 5.7.30" in report.content
        assert b"hello" not in report.content
    assert (protected.is_required, b"Subject: secret" in protected.content) == (True, True)
    assert (redacted.is_required, b"Subject: secret" in redacted.content) == (False, False)
