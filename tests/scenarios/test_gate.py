"""Who gets in: a whole server behind a proxy, which lets a test come from any address; and LMTP beside it.

Bans, limits, greylisting and what is looked up of a sender go by the address that the proxy tells.
"""

import imaplib
import json
import smtplib
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from mailstack.model.greylist import DELAY_MS
from mailstack.model.instant import SECOND_MS
from tests.support.clock_ahead import clock_ahead
from tests.support.commands import run_command
from tests.support.dns_server import dns_server_beside
from tests.support.imap_messages import messages_in
from tests.support.over_sockets import CLIENT_S, ImapOver, SmtpOver, unverified
from tests.support.sandbox import free_base_port, need, run_client, save, wait_for
from tests.support.serving import serving_spec

# One server for all of them.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("gate")]

PASSWORD = "correct horse"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1)
OFFSETS = {"smtp": 25, "lmtp": 24, "submission": 587, "imaps": 993}
ALICE, BOB = "alice@example.com", "bob@example.com"
MESSAGE = "From: x@customer.test\r\nTo: alice@example.com\r\nSubject: {subject}\r\n\r\nhello\r\n"
PROXY, OTHER = "127.0.0.1", "127.0.0.2"
SERVER_OF_CUSTOMER = "198.51.100.7"
NAMES = {
    "7.100.51.198.in-addr.arpa": {"PTR": ["mx.customer.test."]},
    "mx.customer.test": {"A": [SERVER_OF_CUSTOMER]},
    "customer.test": {"TXT": [f'"v=spf1 ip4:{SERVER_OF_CUSTOMER} -all"']},
}
V2_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
SPEC = """\
server:
  hostname: mail.example.com
  workers: 2
  limits: {{connections_per_ip: 10}}
  bans: {{after: 6}}
  proxy_from: {proxies}
  listeners:
{listeners}
storage: {{path: state}}
dns: {{resolvers: ["{resolver}"]}}
spam: {{greylist: suspicious}}
domains: {{example.com: {{}}}}
accounts:
  alice@example.com: {{password: env/PASSWORD}}
  bob@example.com: {{quota: 10KiB}}
"""


@dataclass
class House:
    """A server, in a folder of its own; it may be started again."""

    folder: Path
    resolver: str
    base_port: int
    running: ExitStack
    starts: int = 0

    @property
    def spec(self) -> Path:
        return self.folder / "mailstack.yaml"

    @property
    def status(self) -> Path:
        return self.folder / "state" / "run" / "status.json"

    def port(self, service: str) -> int:
        return self.base_port + OFFSETS[service]

    def write(self, *proxies: str) -> None:
        listeners = {service: [f"127.0.0.1:{self.port(service)}"] for service in OFFSETS}
        listeners |= {service: [] for service in ("submissions", "imap", "managesieve", "http", "https")}
        lines = "\n".join(f"    {service}: {json.dumps(where)}" for service, where in listeners.items())
        save(self.spec, SPEC.format(proxies=json.dumps(proxies), listeners=lines, resolver=self.resolver))

    def start(self, *, ahead_s: int = 0) -> None:
        """Ends the former one."""
        self.running.close()
        self.status.unlink(missing_ok=True)
        self.starts += 1
        ahead = clock_ahead(self.folder / f"clock{self.starts}", ahead_s)
        self.running.enter_context(serving_spec(self.spec, PASSWORD=CHEAP.hash(PASSWORD), **ahead))

    def ban(self, *arguments: str) -> bytes:
        verb, *rest = arguments
        done = run_command("ban", verb, str(self.spec), *rest, PASSWORD="x")
        assert done.returncode == 0, done.stderr
        return done.stdout

    def connect(self, service: str, client: str, *, said: bytes = b"") -> socket.socket:
        """As the proxy does. said: what the client sends at once."""
        connected = socket.create_connection((PROXY, self.port(service)), timeout=CLIENT_S)
        connected.sendall(v1_header(client) + said)
        return connected

    @contextmanager
    def smtp(self, client: str, service: str = "smtp") -> "Iterator[smtplib.SMTP]":
        """Closed without a word."""
        proxied = SmtpOver(self.connect(service, client), "mx.customer.test")
        try:
            yield proxied
        finally:
            proxied.close()

    @contextmanager
    def imap(self, client: str) -> "Iterator[imaplib.IMAP4]":
        proxied = ImapOver(self.connect("imaps", client))
        try:
            yield proxied
        finally:
            proxied.shutdown()

    def is_greeted(self, client: str) -> bool:
        return self._greetings(client) == {b"220 "}

    def is_refused(self, client: str) -> bool:
        return self._greetings(client) == {b"421 "}

    def _greetings(self, client: str) -> set[bytes]:
        """Of both workers, most likely: of one of them only, once in a thousand times."""
        return {self._greeting(client) for _ in range(11)}

    def _greeting(self, client: str) -> bytes:
        """Of one that is over when it returns, so that it counts no more."""
        with self.connect("smtp", client) as connected:
            found = connected.recv(100)[:4]
            if found == b"220 ":
                connected.sendall(b"QUIT\r\n")
            while connected.recv(100):
                pass
        return found

    def mails_of_alice(self) -> dict[str, bytes]:
        """By subject."""
        with self.imap("192.0.2.250") as client:
            client.login(ALICE, PASSWORD)
            return messages_in(client, "INBOX")


def v1_header(client: str) -> bytes:
    return f"PROXY TCP4 {client} 192.0.2.1 40000 25\r\n".encode()


def v2_header(client: str) -> bytes:
    addresses = ip_address(client).packed + ip_address("192.0.2.1").packed
    return V2_SIGNATURE + bytes([0x21, 0x11, 0, 12]) + addresses + bytes([0x9C, 0x40, 0, 25])


def send(client: smtplib.SMTP, subject: str, *, sender: str = "x@customer.test", to: str = ALICE) -> tuple[int, bytes]:
    """The first refusal, or what was said at the end."""
    client.ehlo()
    client.mail(sender)
    code, said = client.rcpt(to)
    return client.data(MESSAGE.format(subject=subject)) if code == 250 else (code, said)


def wrong_login(client: smtplib.SMTP) -> None:
    client.starttls(context=unverified())
    with pytest.raises(smtplib.SMTPAuthenticationError):
        client.login("nobody@example.com", "guessed")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("gate")
    with dns_server_beside(NAMES) as resolver, ExitStack() as running:
        made = House(folder=folder, resolver=resolver.endpoint, base_port=free_base_port(), running=running)
        made.write(PROXY)
        made.start()
        yield made


def swaks(house: House, subject: str, version: int) -> subprocess.CompletedProcess[bytes]:
    proxied = f"--proxy-version {version} --proxy-family {'TCP4' if version == 1 else 'AF_INET'}"
    proxied += (
        f" --proxy-source {SERVER_OF_CUSTOMER} --proxy-source-port 40000 --proxy-dest 192.0.2.1 --proxy-dest-port 25"
    )
    envelope = "--helo mx.customer.test --from x@customer.test --to alice@example.com"
    where = ["--server", PROXY, "--port", str(house.port("smtp"))]
    return run_client([need("swaks"), *where, *proxied.split(), *envelope.split(), "--header", f"Subject: {subject}"])


@pytest.mark.parametrize("version", [1, 2])
def test_what_a_mail_shows_of_its_sender_is_the_client_of_the_proxy_and_a_mail_server_need_not_wait(
    house: House, version: int
) -> None:
    sent = swaks(house, f"proxied {version}", version)
    assert sent.returncode == 0, sent.stdout + sent.stderr
    found = house.mails_of_alice()[f"proxied {version}"]
    assert b"Received: from mx.customer.test (mx.customer.test [198.51.100.7])\r\n" in found
    assert b"iprev=pass" in found
    assert b"spf=pass" in found
    told = [json.loads(line) for line in house.spec.with_suffix(".log").read_text().splitlines()]
    assert SERVER_OF_CUSTOMER in {line["peer"] for line in told if line["event"] == "transaction"}


def test_a_proxy_must_say_for_whom_it_comes_and_nobody_else_is_believed(house: House) -> None:
    with socket.create_connection((PROXY, house.port("smtp")), timeout=CLIENT_S) as silent:
        silent.sendall(b"EHLO x.y.test\r\n")  # no more than is read of it, or the answer would be a reset
        assert silent.recv(100) == b""
    for header in (v1_header(SERVER_OF_CUSTOMER), v2_header(SERVER_OF_CUSTOMER)):
        where = (PROXY, house.port("smtp"))
        with socket.create_connection(where, timeout=CLIENT_S, source_address=(OTHER, 0)) as stranger:
            replies = stranger.makefile("rb")
            assert replies.readline().startswith(b"220 ")
            stranger.sendall(header)
            assert replies.readline().startswith(b"50")


def test_the_limit_of_an_address_is_that_of_the_client(house: House) -> None:
    held = [house.connect("smtp", "198.51.100.20") for _ in range(11)]
    greetings = [connected.recv(100)[:4] for connected in held]
    assert sorted(greetings) == [b"220 "] * 10 + [b"421 "]
    assert house.is_greeted("198.51.100.21")
    for connected in held:
        connected.close()


def test_who_tries_passwords_is_banned_from_all_of_mail_until_somebody_lifts_it(house: House) -> None:
    tries, neighbour = "203.0.113.9", "203.0.113.10"
    with house.imap(tries) as client, pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
        client.login("nobody@example.com", "guessed")
    for _ in range(2):  # on whichever workers
        with house.smtp(tries, "submission") as proxied:
            wrong_login(proxied)
    wait_for(lambda: house.is_refused(tries), what="the ban")
    with pytest.raises(imaplib.IMAP4.error, match="BYE Too many failures from your address, come again after 2"):
        house.imap(tries).__enter__()
    assert house.is_greeted(neighbour)
    (found,) = json.loads(house.ban("list", "--format", "json"))
    assert (found["peer"], found["reason"]) == (tries, "failed logins")
    house.ban("lift", tries)
    wait_for(lambda: house.is_greeted(tries), what="the ban is lifted everywhere")


def test_a_ban_by_hand_ends_by_itself(house: House) -> None:
    banned = "203.0.113.11"
    house.ban("add", banned, "--for", "1h")
    wait_for(lambda: house.is_refused(banned), what="the ban")
    house.ban("add", banned, "--for", "2s")  # instead, now that it is known to be kept
    wait_for(lambda: house.is_greeted(banned), what="its end")


def test_who_speaks_before_the_greeting_is_sent_away(house: House) -> None:
    with house.connect("smtp", "203.0.113.30", said=b"EHLO spam.test\r\n") as hasty:
        assert hasty.recv(200) == b"421 4.5.1 You spoke before the greeting, wait for it the next time\r\n"
    assert house.is_greeted("203.0.113.30")


def test_lmtp_has_a_reply_for_each_recipient_and_no_proxy(house: House) -> None:
    with smtplib.LMTP(PROXY, house.port("lmtp"), "mx.example.com") as client:
        client.ehlo_or_helo_if_needed()
        for subject, of_bob in (("first", b"2.1.5"), ("second", b"4.2.2")):
            client.mail("x@anywhere.test")
            assert [client.rcpt(to)[0] for to in (ALICE, BOB)] == [250, 250]
            client.putcmd("data")
            assert client.getreply()[0] == 354
            body = MESSAGE.format(subject=f"lmtp {subject}") + f"{'x' * 70}\r\n" * 80
            client.send(f"{body}.\r\n")
            replies = [client.getreply()[1][:5] for _ in range(2)]
            assert replies == [b"2.1.5", of_bob]
    assert {"lmtp first", "lmtp second"} <= house.mails_of_alice().keys()


def test_a_stranger_comes_again_and_is_taken_over_a_restart_and_a_reload_forgets_the_proxy(house: House) -> None:
    """Last, for the server is another one afterwards."""
    with house.smtp("203.0.113.50") as proxied:
        code, told = send(proxied, "too early")
    assert code == 451
    assert told.startswith(b"4.7.1 Not known here yet, please try again in 3 minutes")
    house.start(ahead_s=DELAY_MS // SECOND_MS + 1)
    with house.smtp("203.0.113.50") as proxied:
        assert send(proxied, "came again")[0] == 250
    with house.smtp("203.0.113.50") as proxied:
        assert send(proxied, "another sender", sender="y@customer.test")[0] == 451
    house.write()
    wait_for(lambda: "reload" in json.loads(house.status.read_text()), what="every worker has the new spec")
    with socket.create_connection((PROXY, house.port("smtp")), timeout=CLIENT_S) as plain:
        replies = plain.makefile("rb")
        assert replies.readline().startswith(b"220 ")
        plain.sendall(v1_header(SERVER_OF_CUSTOMER))
        assert replies.readline().startswith(b"500 ")
