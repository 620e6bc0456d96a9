"""Which way mail leaves a whole server: little by little by a warm-up, to a mailbox server beside it, and by a relay
that is put right while mail waits for it.

In a network of their own, for mail goes to port 25 of addresses that others reach.
"""

import asyncio
import contextlib
import email
import json
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from anyio.from_thread import start_blocking_portal
from argon2 import PasswordHasher
from click.testing import CliRunner

from mailstack.app.clock import system_clock
from mailstack.cli.main import cli
from mailstack.model.instant import DAY_MS, Instant, as_datetime
from mailstack.model.warm_up import WarmUp, day_of, goes_direct, stage_of
from tests.support.dns_server import dns_server_beside
from tests.support.imap_messages import messages_in
from tests.support.namespaces import Namespace, need_namespaces, new_namespace
from tests.support.over_sockets import CLIENT_S, ImapOver, SmtpOver, unverified
from tests.support.sandbox import save, wait_for
from tests.support.scripted_smtp import Peer, scripted_server
from tests.support.serving import serving_spec

pytestmark = pytest.mark.slow

OWN, FAR, PICKY, SES = "198.51.100.1", "198.51.100.11", "198.51.100.12", "198.51.100.20"
NAMES = {
    "far.test": {"MX": ["10 mx.far.test."]},
    "mx.far.test": {"A": [FAR]},
    "picky.test": {"MX": ["10 mx.picky.test."]},
    "mx.picky.test": {"A": [PICKY]},
    "ses.test": {"A": [SES]},
}
PASSWORD = "correct horse"
HASH = PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash(PASSWORD)
SPEC = """\
server:
  hostname: mail.example.com
  workers: 2
  listeners:
    submission: ["127.0.0.1:587"]
    imaps: ["127.0.0.1:993"]
    smtp: []
    submissions: []
    managesieve: []
    imap: []
    http: []
    https: []
storage: {{path: state}}
dns: {{resolvers: ["{resolver}"]}}
domains: {{example.com: }}
accounts: {{alice@example.com: {{password: env/PASSWORD}}}}
{more}"""
WEEK, STEP = 7, 6
MAILS = 30


@dataclass
class Taker:
    """A server that takes mail, or not. taken: recipients. final: the reply to content. password: wanted, "" for
    none."""

    taken: list[str] = field(default_factory=list)
    final: str = "250 2.0.0 ok"
    password: str = ""

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  its name
        if self.final.startswith("2"):
            self.taken += envelope.rcpt_tos
        return self.final

    def serve(self) -> SMTP:
        loop = asyncio.get_running_loop()
        if not self.password:
            return SMTP(self, loop=loop, hostname="mx.test")
        return SMTP(self, loop=loop, hostname="mx.test", authenticator=self._judge, auth_require_tls=False)

    def _judge(self, _server: object, _session: object, _envelope: object, _mechanism: str, data: object) -> AuthResult:
        return AuthResult(success=getattr(data, "password", b"") == self.password.encode(), handled=False)


@pytest.fixture
def network() -> Iterator[Namespace]:
    need_namespaces()
    with new_namespace() as made:
        made.add_address(OWN)  # and with it, its whole network
        yield made


@contextlib.asynccontextmanager
async def taking(network: Namespace, takers: dict[tuple[str, int], Taker]) -> AsyncIterator[None]:
    loop = asyncio.get_running_loop()
    async with contextlib.AsyncExitStack() as stack:
        for (address, port), taker in takers.items():
            server = await loop.create_server(taker.serve, sock=network.listener(port, address))
            await stack.enter_async_context(server)
        yield


@contextlib.contextmanager
def house(network: Namespace, folder: Path, more: str, takers: dict[tuple[str, int], Taker]) -> Iterator[Path]:
    """A server that runs, with others around it; gives its spec."""
    spec = folder / "mailstack.yaml"
    with (
        dns_server_beside(NAMES, namespace=network) as dns,
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(taking(network, takers)),
    ):
        spec.write_text(SPEC.format(resolver=dns.endpoint, more=more))
        run("apply", "--yes", "--no-dns", str(spec))
        with serving_spec(spec, network, PASSWORD=HASH):
            yield spec


def submit(network: Namespace, mails: Sequence[Sequence[str]]) -> None:
    """mails: the recipients of each."""
    with SmtpOver(network.connect(587, timeout_s=CLIENT_S)) as client:
        client.starttls(context=unverified())
        client.login("alice@example.com", PASSWORD)
        for number, recipients in enumerate(mails):
            message = f"From: alice@example.com\r\nSubject: n{number}\r\n\r\nhello\r\n"
            client.sendmail("alice@example.com", list(recipients), message)


def run(*arguments: str) -> str:
    result = CliRunner().invoke(cli, arguments, env={"PASSWORD": HASH})
    assert result.exit_code == 0, result.output
    return result.stdout


def waiting(spec: Path) -> list[dict[str, object]]:
    found = json.loads(run("queue", "list", str(spec), "--format", "json"))
    assert isinstance(found, list)
    return found


def why(spec: Path) -> str:
    """What is told of one that waits."""
    return str(
        json.loads(run("queue", "show", str(spec), str(waiting(spec)[0]["id"]), "--format", "json"))["last_reply"]
    )


def sent(spec: Path) -> list[dict[str, object]]:
    """As the log tells it."""
    whole, _, _ = spec.with_suffix(".log").read_text().rpartition("\n")
    return [line for each in whole.splitlines() if '"sent"' in each and (line := json.loads(each))["event"] == "sent"]


def inbox(network: Namespace) -> dict[str, bytes]:
    client = ImapOver(network.connect(993, timeout_s=CLIENT_S))
    try:
        client.login("alice@example.com", PASSWORD)
        return messages_in(client, "INBOX")
    finally:
        client.shutdown()


def test_a_new_address_gets_known_little_by_little(tmp_path: Path, network: Namespace) -> None:
    start = Instant(day_of(system_clock()) - STEP * DAY_MS)
    routes = (
        "relays: {ses: {host: ses.test, tls: none}}\n"
        f"routes: [{{via: direct, warmup: {{start: {as_datetime(start):%Y-%m-%d}, over: {WEEK}d, meanwhile: ses}}}}]\n"
    )
    far, picky, ses = Taker(), Taker(final="451 4.7.1 too much from you"), Taker()
    servers = {(FAR, 25): far, (PICKY, 25): picky, (SES, 25): ses}
    with house(network, tmp_path, routes, servers) as spec:
        submit(network, [[f"b{number}@far.test"] for number in range(MAILS)])
        wait_for(lambda: len(sent(spec)) == MAILS, what="all mail to far.test has gone")
        stage = stage_of(WarmUp(start=start, days=WEEK), (), now=system_clock())
        for line in sent(spec):
            mail = line["mail"]
            assert isinstance(mail, int)
            is_direct = goes_direct(stage, "far.test", mail)
            assert line["host"] == ("mx.far.test" if is_direct else "ses.test")
            told = json.loads(
                run("route", str(spec), str(line["recipient"]), "--mail", str(mail), "--format", "json", *dns(spec))
            )
            assert told["way"] == ("direct" if is_direct else "relay")
        assert len(far.taken) + len(ses.taken) == MAILS
        assert 3 <= len(far.taken) <= MAILS - 3  # a half, by chance

        submit(network, [[f"b{number}@picky.test"] for number in range(MAILS)])
        wait_for(lambda: len(waiting(spec)) + len(ses.taken) + len(far.taken) == 2 * MAILS, what="all mail is tried")
        wait_for(lambda: all(item["tries"] for item in waiting(spec)), what="what waits was tried")
        (facts,) = json.loads(run("warmup", "status", str(spec), "--format", "json"))
        found = {provider["provider"]: provider for provider in facts["providers"]}
        assert (found["far.test"]["bad_days"], found["far.test"]["sent_today"]) == (0, len(far.taken))
        assert found["far.test"]["share"] == round(stage.share, 4) == facts["any_other"]["share"]
        assert found["picky.test"]["bad_days"] == 1
        assert found["picky.test"]["share"] < 0.2 < stage.share
        assert "picky.test: 13.9%" in run("warmup", "status", str(spec))
        # What it has put off is tried again, and most of it goes by the relay now.
        before, refused = len(ses.taken), len(waiting(spec))
        run("queue", "retry", str(spec), "--domain", "picky.test")
        wait_for(lambda: all(item["tries"] == 2 for item in waiting(spec)), what="all is tried again")
        assert len(ses.taken) - before == refused - len(waiting(spec)) > 0


def dns(spec: Path) -> tuple[str, str]:
    """As a master file, for a command outside of the network."""
    zone = spec.with_name("dns.zone")
    records = [
        f"{name}. 60 {kind} {value}\n"
        for name, kinds in NAMES.items()
        for kind, values in kinds.items()
        for value in values
    ]
    zone.write_text("".join(records))
    return "--dns", str(zone)


def test_a_mailbox_server_beside_it_answers_for_each_recipient(tmp_path: Path, network: Namespace) -> None:
    replies = ["250 2.1.5 stored", "550 5.2.1 closed", "451 4.2.1 locked"]

    async def store(peer: Peer) -> None:
        await peer.hello("PIPELINING", "8BITMIME")
        while (line := await peer.hear()) != b"QUIT":
            if line == b"DATA":
                await peer.say("354 go\n")
                await peer.hear_content()
                await peer.say("".join(f"{reply}\n" for reply in replies))
            else:
                await peer.say("250 2.1.0 ok\n")
        await peer.say("221 bye\n")

    with tempfile.TemporaryDirectory(prefix="lmtp") as short, start_blocking_portal() as portal:
        path = f"{short}/lmtp"
        routes = f"relays: {{local: {{protocol: lmtp, socket: {path}}}}}\nroutes: [{{to: inside.test, via: local}}]\n"
        with house(network, tmp_path, routes, {}) as spec:
            submit(network, [["kept@inside.test", "closed@inside.test", "locked@inside.test"]])
            wait_for(lambda: all(item["tries"] for item in waiting(spec)), what="it is tried")
            assert f"the socket {path} is not there: start the server that makes it" in why(spec)
            with portal.wrap_async_context_manager(scripted_server(store, path=path)) as server:
                run("queue", "retry", str(spec), "--all")
                wait_for(lambda: len(waiting(spec)) == 1, what="all but one are done with")
                assert b"LHLO mail.example.com" in server.connections[0]
                wait_for(lambda: inbox(network), what="the report")
                (report,) = inbox(network).values()
                (left,) = waiting(spec)
                assert (left["recipient"], str(left["last_reply"])[:9]) == ("locked@inside.test", "451 4.2.1")
                replies[:] = ["250 2.1.5 stored"]
                run("queue", "retry", str(spec), "--all")
                wait_for(lambda: not waiting(spec), what="the last one is there")
            assert len(inbox(network)) == 1
    status = email.message_from_bytes(report).get_payload(1)
    assert isinstance(status, email.message.Message)
    told = status.as_string()
    assert "closed@inside.test" in told
    assert "kept@inside.test" not in told
    assert "locked@inside.test" not in told


def test_mail_leaves_as_soon_as_the_password_of_its_relay_was_put_right(tmp_path: Path, network: Namespace) -> None:
    relay, secret = Taker(password="right"), tmp_path / "secret"
    more = (
        "reconcile: {on_change: plan-only}\n"
        "relays: {bulk: {host: 127.0.0.1, port: 2525, tls: none, username: u, password: file/secret}}\n"
        "routes: [{via: bulk}]\n"
    )
    secret.write_text("wrong")
    with house(network, tmp_path, more, {("127.0.0.1", 2525): relay}) as spec:
        submit(network, [["b@far.test", "c@far.test"], ["d@far.test"]])
        wait_for(lambda: Counter(item["tries"] for item in waiting(spec)) == {1: 3}, what="all of it is tried")
        assert why(spec).startswith("451 4.7.8 the relay refused our credentials: 535")
        save(secret, "right")
        run("apply", "--yes", "--no-dns", str(spec))
        # By the queue's own schedule it would leave half an hour after it was tried.
        wait_for(lambda: len(relay.taken) == 3, what="the mail leaves")
        wait_for(lambda: not waiting(spec), what="nothing waits")
    log = spec.with_suffix(".log").read_text()
    assert sorted(relay.taken) == ["b@far.test", "c@far.test", "d@far.test"]
    assert "what waited for relays that are set up otherwise now is due" in log
