"""Addresses that refuse for good, whole: a server that sends on two days, an exchanger without that mailbox, and what
then leaves no more, whoever it comes from; until somebody lifts it. In a network of its own: mail goes to port 25."""

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from anyio.from_thread import start_blocking_portal
from argon2 import PasswordHasher
from click.testing import CliRunner, Result

from mailstack.cli.main import cli
from tests.support.clock_ahead import clock_ahead
from tests.support.dns_server import dns_server_beside
from tests.support.namespaces import Namespace, need_namespaces, new_namespace
from tests.support.over_sockets import CLIENT_S, ImapOver, SmtpOver, unverified
from tests.support.sandbox import save, wait_for
from tests.support.serving import serving_spec

pytestmark = pytest.mark.slow

OWN, THEIRS = "198.51.100.1", "198.51.100.11"
NAMES = {"them.test": {"MX": ["10 mx.them.test."]}, "mx.them.test": {"A": [THEIRS]}}
GONE, FINE = "gone@them.test", "fine@them.test"
A_DAY_S = 86_400
PASSWORD = "correct horse"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1)
SPEC = """\
server:
  hostname: mail.example.com
  workers: 2
  listeners: {{submission: ["127.0.0.1:587"], imaps: ["127.0.0.1:993"], smtp: [], submissions: [],
    managesieve: [], imap: [], http: [], https: []}}
storage: {{path: state}}
dns: {{resolvers: ["{resolver}"]}}
domains: {{example.com: {{}}}}
accounts:
  alice@example.com: {{password: env/PASSWORD}}
  bob@example.com: {{forward: {gone}}}
aliases: {{sales@example.com: {gone}}}
lists: {{team@example.com: {{members: [{gone}, {fine}], post: anyone, owners: [alice@example.com]}}}}
sending: {{suppress: {{after: 2, for: 30d}}}}
"""


@dataclass
class Exchanger:
    """asked: how often for each recipient. taken: by recipient. has_all: no mailbox is missing any more."""

    asked: Counter[str] = field(default_factory=Counter)
    taken: Counter[str] = field(default_factory=Counter)
    has_all: bool = False

    async def handle_RCPT(  # noqa: N802  its name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        self.asked[address] += 1
        if address == GONE and not self.has_all:
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  its name
        self.taken.update(envelope.rcpt_tos)
        return "250 2.0.0 ok"


@contextlib.asynccontextmanager
async def exchanger(network: Namespace) -> AsyncIterator[Exchanger]:
    found, loop = Exchanger(), asyncio.get_running_loop()
    made = partial(SMTP, found, loop=loop, hostname="mx.them.test")
    async with await loop.create_server(made, sock=network.listener(25, THEIRS)):
        yield found


@pytest.fixture
def network() -> Iterator[Namespace]:
    need_namespaces()
    with new_namespace() as made:
        made.add_address(OWN)  # and with it, its whole network
        yield made


@dataclass
class Server:
    network: Namespace
    spec: Path

    def submit(self, subject: str, *recipients: str) -> None:
        with SmtpOver(self.network.connect(587, timeout_s=CLIENT_S)) as client:
            client.starttls(context=unverified())
            client.login("alice@example.com", PASSWORD)
            message = f"From: alice@example.com\r\nSubject: {subject}\r\n\r\nhello\r\n"
            client.sendmail("alice@example.com", recipients, message)

    def lines(self, event: str) -> list[dict[str, str]]:
        whole, _, _ = self.spec.with_suffix(".log").read_text().rpartition("\n")
        found = [json.loads(line) for line in whole.splitlines()]
        return [line for line in found if line["event"] == event]

    def untried(self) -> list[str]:
        """Recipients of mail that came back without an attempt."""
        return [
            line["recipient"]
            for line in self.lines("failed")
            if "not sent: this address is suppressed" in line["reply"]
        ]

    def notices(self) -> list[str]:
        with ImapOver(self.network.connect(993, timeout_s=CLIENT_S)) as client:
            client.login("alice@example.com", PASSWORD)
            client.select("INBOX", readonly=True)
            _, (numbers,) = client.search(None, "FROM", "mailer-daemon")
            fetched = [client.fetch(number.decode(), "(BODY.PEEK[])")[1][0] for number in numbers.split()]
        return [part[1].decode() for part in fetched if isinstance(part, tuple)]


def mailstack(*arguments: str) -> Result:
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 0, done.output
    return done


def test_it_is_tried_on_two_days_and_then_left_alone_until_somebody_lifts_it(
    tmp_path: Path, network: Namespace
) -> None:
    spec = tmp_path / "mailstack.yaml"
    server, password = Server(network, spec), CHEAP.hash(PASSWORD)
    with (
        dns_server_beside(NAMES, namespace=network) as dns,
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(exchanger(network)) as peer,
    ):
        save(spec, SPEC.format(resolver=dns.endpoint, gone=GONE, fine=FINE))
        with serving_spec(spec, network, PASSWORD=password):
            server.submit("first day", GONE)
            wait_for(lambda: len(server.notices()) == 1, what="the first refusal is told")
            assert peer.asked == {GONE: 1}
        (tmp_path / "state" / "run" / "status.json").unlink(missing_ok=True)
        with serving_spec(spec, network, PASSWORD=password, **clock_ahead(tmp_path / "ahead", A_DAY_S)):
            server.submit("second day", GONE)
            wait_for(lambda: len(server.notices()) == 2, what="the second refusal is told")
            (told,) = server.lines("an address is suppressed")
            assert (told["recipient"], told["remedy"]) == (GONE, f"mailstack suppress remove SPEC {GONE}")
            comes_back_untried(server, peer)
            peer.has_all = True
            goes_again(server, peer)


def comes_back_untried(server: Server, peer: Exchanger) -> None:
    """By whichever way: written, by an alias, by a list, by who forwards."""
    server.submit("third", GONE, FINE)
    server.submit("to sales", "sales@example.com")
    server.submit("to the team", "team@example.com")
    server.submit("to bob", "bob@example.com")
    wait_for(lambda: server.untried() == [GONE] * 4, what="all four come back")
    wait_for(lambda: peer.taken == {FINE: 2}, what="others have theirs")
    wait_for(lambda: len(server.notices()) == 6, what="who wrote it, or owns the list, hears of each")
    assert peer.asked == {GONE: 2, FINE: 2}
    assert all("Status: 5.1.1\r\n" in notice for notice in server.notices())
    last = server.notices()[2]
    assert "refused 2 mails" in last
    assert f"mailstack suppress remove {GONE}" in " ".join(last.split())


def goes_again(server: Server, peer: Exchanger) -> None:
    (known,) = json.loads(mailstack("suppress", "list", str(server.spec), "--format", "json").stdout)
    assert (known["address"], known["status"], known["refusals"]) == (GONE, "suppressed", 2)
    assert known["reply"] == "550 5.1.1 no such mailbox"
    mailstack("suppress", "remove", str(server.spec), GONE)
    server.submit("last", GONE)
    wait_for(lambda: peer.taken[GONE] == 1, what="it is tried again")
    assert json.loads(mailstack("suppress", "list", str(server.spec), "--all", "--format", "json").stdout) == []
