"""What mail leaves from, whole: a server with several addresses of both families, and exchangers that see who comes.

In a network of its own, for mail goes to port 25 of addresses that others reach.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from anyio.from_thread import start_blocking_portal
from argon2 import PasswordHasher
from click.testing import CliRunner

from mailstack.cli.main import cli
from tests.support.dns_server import dns_server_beside
from tests.support.namespaces import Namespace, need_namespaces, new_namespace
from tests.support.over_sockets import CLIENT_S, SmtpOver, unverified
from tests.support.sandbox import wait_for
from tests.support.serving import serving_spec

pytestmark = pytest.mark.slow

FIRST, SECOND, SIX, ABSENT = "198.51.100.10", "198.51.100.11", "2001:db8::10", "203.0.113.77"
FOUR_MX, SIX_MX = "198.51.100.25", "2001:db8::25"
NAMES = {
    "four.test": {"MX": ["10 mx.four.test."]},
    "mx.four.test": {"A": [FOUR_MX]},
    "six.test": {"MX": ["10 mx.six.test."]},
    "mx.six.test": {"AAAA": [SIX_MX]},
    "both.test": {"MX": ["10 mx.both.test."]},
    "mx.both.test": {"A": [FOUR_MX], "AAAA": [SIX_MX]},
}
NAME_OF = {FIRST: "mail.example.com", SECOND: "out.example.com", SIX: "six.example.com"}
PASSWORD = "correct horse"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1)
ADDRESSES = f"[{FIRST}, {{address: {SECOND}, name: out.example.com}}, {{address: {SIX}, name: six.example.com}}]"
SPEC = """\
server:
  hostname: mail.example.com
  addresses: {addresses}
  workers: 2
  listeners: {{submission: ["127.0.0.1:587"], smtp: [], submissions: [], managesieve: [],
    imap: [], imaps: [], http: [], https: []}}
storage: {{path: state}}
dns: {{resolvers: ["{resolver}"]}}
domains: {{example.com: {{}}}}
accounts: {{alice@example.com: {{password: env/PASSWORD}}, news@example.com: {{password: env/PASSWORD}}}}
routes: [{{from: news@example.com, via: direct, source: {source}}}]
"""


@dataclass
class Seen:
    """came: by recipient, each visit as (address, EHLO name). patience: how often it puts mail off."""

    came: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    patience: int = 0

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  its name
        visits = self.came.setdefault(envelope.rcpt_tos[0], [])
        assert session.peer is not None
        visits.append((str(session.peer[0]), str(session.host_name)))
        return "451 4.7.1 greylisted" if len(visits) <= self.patience else "250 2.0.0 ok"


@contextlib.asynccontextmanager
async def exchangers(network: Namespace) -> AsyncIterator[Seen]:
    seen, loop = Seen(), asyncio.get_running_loop()
    async with contextlib.AsyncExitStack() as stack:
        for address in (FOUR_MX, SIX_MX):
            sink = await loop.create_server(
                lambda: SMTP(seen, loop=loop, hostname="mx.test"), sock=network.listener(25, address)
            )
            await stack.enter_async_context(sink)
        yield seen


@pytest.fixture
def network() -> Iterator[Namespace]:
    need_namespaces()
    with new_namespace() as made:
        for address in (FIRST, SIX, SIX_MX):
            made.add_address(address)
        yield made


@dataclass
class Place:
    network: Namespace
    seen: Seen
    spec: Path

    def submit(self, sender: str, *recipients: str) -> None:
        """A mail to each."""
        with SmtpOver(self.network.connect(587, timeout_s=CLIENT_S)) as client:
            client.starttls(context=unverified())
            client.login(sender, PASSWORD)
            for recipient in recipients:
                client.sendmail(sender, [recipient], f"From: {sender}\r\nSubject: hi\r\n\r\nhello\r\n")

    def until_taken(self, *recipients: str) -> None:
        wait_for(lambda: set(recipients) <= set(self.events("sent")), what="all is taken")

    def events(self, name: str) -> dict[str, dict[str, object]]:
        """By recipient, the last."""
        whole, _, _ = self.spec.with_suffix(".log").read_text().rpartition("\n")
        lines = [json.loads(line) for line in whole.splitlines() if f'"{name}"' in line]
        return {line["recipient"]: line for line in lines if line["event"] == name}

    def shown(self, item_id: int) -> dict[str, object]:
        found = CliRunner().invoke(cli, ["queue", "show", str(self.spec), str(item_id), "--format", "json"])
        shown: dict[str, object] = json.loads(found.stdout)
        return shown


@contextlib.contextmanager
def serving(folder: Path, network: Namespace, *, addresses: str, source: str) -> Iterator[Place]:
    spec = folder / "mailstack.yaml"
    with (
        dns_server_beside(NAMES, namespace=network) as dns,
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(exchangers(network)) as seen,
    ):
        spec.write_text(SPEC.format(resolver=dns.endpoint, addresses=addresses, source=source))
        with serving_spec(spec, network, PASSWORD=CHEAP.hash(PASSWORD)):
            yield Place(network, seen, spec)


def test_mail_leaves_from_the_addresses_of_the_spec_under_their_names(tmp_path: Path, network: Namespace) -> None:
    with serving(tmp_path, network, addresses=ADDRESSES, source=SECOND) as place:
        people = [f"p{number}@four.test" for number in range(20)]
        readers = [f"r{number}@{domain}" for number in range(3) for domain in ("four.test", "both.test")]
        place.submit("alice@example.com", *people, "b@six.test")
        place.submit("news@example.com", *readers)
        place.until_taken(*people, *readers, "b@six.test")
        came = {recipient: visit for recipient, [visit] in place.seen.came.items()}
        assert all(NAME_OF[address] == name for address, name in came.values())
        # All of twenty on one of two: once in half a million.
        assert {came[person][0] for person in people} == {FIRST, SECOND}
        # A receiver of both families is reached over the one that the route names.
        assert {came[reader][0] for reader in readers} == {SECOND}
        assert came["b@six.test"] == (SIX, "six.example.com")
        status = CliRunner().invoke(cli, ["status", str(place.spec)]).stdout
        assert (f"{SECOND} as out.example.com" in status, "not on its machine" in status) == (True, False)
        for recipient, line in place.events("sent").items():
            assert (line["source"], line["ehlo"]) == came[recipient]


def test_mail_that_is_put_off_comes_again_from_where_it_came(tmp_path: Path, network: Namespace) -> None:
    with serving(tmp_path, network, addresses=ADDRESSES, source=SECOND) as place:
        place.seen.patience = 2
        people = [f"p{number}@four.test" for number in range(6)]
        place.submit("alice@example.com", *people)
        wait_for(lambda: set(people) == set(place.events("deferred")), what="all is put off")
        line = place.events("deferred")[people[0]]
        (shown,) = [found for number in range(1, 7) if (found := place.shown(number))["recipient"] == people[0]]
        assert (shown["last_source"], shown["last_ehlo"]) == (line["source"], line["ehlo"])

        def are_taken() -> bool:
            CliRunner().invoke(cli, ["queue", "retry", str(place.spec), "--all"])
            return set(people) == set(place.events("sent"))

        wait_for(are_taken, what="all is taken")
        assert all(len(visits) == 3 and len(set(visits)) == 1 for visits in place.seen.came.values())


def test_an_address_that_the_machine_does_not_have_keeps_nothing_back(tmp_path: Path, network: Namespace) -> None:
    addresses = f"[{{address: {ABSENT}, name: out.example.com}}]"
    with serving(tmp_path, network, addresses=addresses, source=ABSENT) as place:
        place.submit("alice@example.com", "b@four.test", "b@six.test")
        place.submit("news@example.com", "c@four.test")
        place.until_taken("b@four.test", "b@six.test", "c@four.test")
        # As behind NAT, whose other side shows the address; of IPv6 nothing is known.
        assert {visit[1] for visit in place.seen.came["b@four.test"] + place.seen.came["c@four.test"]} == {
            "out.example.com"
        }
        assert place.seen.came["b@six.test"][0][1] == "mail.example.com"
        status = json.loads(CliRunner().invoke(cli, ["status", str(place.spec), "--format", "json"]).stdout)
        assert status["running"]["sources"] == [{"address": ABSENT, "ehlo": "out.example.com", "is_here": False}]
        network.add_address(ABSENT)
        place.submit("alice@example.com", "d@four.test")
        place.until_taken("d@four.test")
        assert place.seen.came["d@four.test"] == [(ABSENT, "out.example.com")]
    told = [line for line in place.spec.with_suffix(".log").read_text().splitlines() if "is on this machine" in line]
    assert 1 <= len(told) <= 2  # once by each worker that had mail
