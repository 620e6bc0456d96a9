"""Certificates of a whole server, from pebble: ordered, shown on every listener, swapped under open sessions.

The proofs are shown by the server itself (http-01, tls-alpn-01) or by a real name server (dns-01).
"""

import imaplib
import json
import os
import signal
import smtplib
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from mailstack.model.instant import Instant
from mailstack.reconcile.providers.certs import self_signed
from tests.support.acme_front import front_of
from tests.support.bind import Bind, running_bind
from tests.support.commands import run_command
from tests.support.engines import storage_section
from tests.support.leash import leashed
from tests.support.over_sockets import CLIENT_S
from tests.support.pebble import Pebble, running_pebble
from tests.support.programs import Program
from tests.support.sandbox import MAILSTACK, free_base_port, save, stop, wait_for

pytestmark = pytest.mark.slow

HOST, POLICY_HOST = "mail.example.com", "mta-sts.example.com"
OFFSETS = {
    **{"smtp": 25, "http": 80, "imap": 143, "https": 443, "submissions": 465, "submission": 587, "imaps": 993},
    "managesieve": 4190,
}
SPEC = """\
server:
  hostname: mail.example.com
  addresses: [192.0.2.1]
  workers: 2
  listeners:
{listeners}
{storage}
tls:
  issuer: acme
  acme: {{directory: "{directory}", ca: "{ca}", challenge: {challenge}, key: {key}}}
{dns}
domains:
  example.com: {{mta_sts: {{mode: testing}}}}
accounts:
  alice@example.com: {{password: env/ALICE_PASSWORD}}
"""
BIND = """\
dns:
  providers:
    bind:
      class: octodns_bind.Rfc2136Provider
      host: 127.0.0.1
      port: {port}
      key_name: mailstack
      key_secret: env/TSIG
      key_algorithm: hmac-sha256
  zones:
    example.com: {{provider: bind, nameservers: ["127.0.0.1:{port}"]}}
"""
ZONE = """$TTL 300
@ IN SOA ns1 host 1 3600 600 604800 300
@ IN NS ns1
ns1 IN A 127.0.0.1
_acme-challenge.mail IN TXT "somebody else's"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """A spec in a folder of its own, with free ports."""

    folder: Path
    base: int

    @property
    def spec(self) -> Path:
        return self.folder / "mail.yaml"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def port(self, service: str) -> int:
        return self.base + OFFSETS[service]

    def write(self, pebble: Pebble, *, challenge: str = "http-01", key: str = "ecdsa256", dns: str = "") -> None:
        listeners = "\n".join(f'    {service}: ["127.0.0.1:{self.port(service)}"]' for service in OFFSETS)
        text = SPEC.format(
            listeners=listeners,
            directory=pebble.directory,
            ca=pebble.ca_file,
            challenge=challenge,
            key=key,
            dns=dns,
            storage=storage_section(),
        )
        save(self.spec, text)

    def leaf(self, service: str, name: str = HOST) -> x509.Certificate:
        """What a client that connects now, and asks for this name, is shown."""
        with (
            socket.create_connection(("127.0.0.1", self.port(service)), timeout=CLIENT_S) as plain,
            _anyone().wrap_socket(plain, server_hostname=name) as secure,
        ):
            shown = secure.getpeercert(binary_form=True)
        assert shown is not None
        return x509.load_der_x509_certificate(shown)

    def leaf_by_starttls(self) -> x509.Certificate:
        with smtplib.SMTP("127.0.0.1", self.port("smtp"), timeout=CLIENT_S) as client:
            client.starttls(context=_anyone())
            assert isinstance(client.sock, ssl.SSLSocket)
            shown = client.sock.getpeercert(binary_form=True)
        assert shown is not None
        return x509.load_der_x509_certificate(shown)


@pytest.fixture
def house(tmp_path: Path) -> House:
    folder = tmp_path / "house"
    folder.mkdir()
    return House(folder=folder, base=free_base_port())


@contextmanager
def serving(house: House, **environment: str) -> Iterator["subprocess.Popen[bytes]"]:
    with (house.folder / "log").open("ab") as log:
        process = Program(
            leashed([*MAILSTACK, "serve", str(house.spec)], "TERM"),
            stdout=subprocess.DEVNULL,
            stderr=log,
            env={**os.environ, "ALICE_PASSWORD": "pw", **environment},
        )
    try:
        yield process
    finally:
        stop(process)


def _anyone() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def is_issued(house: House, *, rsa: bool = False, name: str = HOST) -> bool:
    try:
        leaf = house.leaf("imaps", name)
    except OSError:
        return False
    return "Pebble" in leaf.issuer.rfc4514_string() and isinstance(leaf.public_key(), RSAPublicKey) == rsa


def orders_begun(house: House) -> int:
    """For the server's own name."""
    return sum(f'"name":"{HOST}"' in line for line in house.log.splitlines() if "certificate ordered" in line)


def refused(house: House) -> set[str]:
    lines = [line for line in house.log.splitlines() if "certificate not issued" in line]
    return {name for name in (HOST, POLICY_HOST) if any(f'"name":"{name}"' in line for line in lines)}


def names_in(leaf: x509.Certificate) -> list[str]:
    found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return found.get_values_for_type(x509.DNSName)


def wait_until_issued(house: House, *, rsa: bool = False) -> None:
    try:
        wait_for(lambda: is_issued(house, rsa=rsa), what="issued")
    except AssertionError:
        raise AssertionError(f"not issued:\n{house.log}") from None


@pytest.mark.parametrize("challenge", ["http-01", "tls-alpn-01"])
def test_a_new_server_has_its_certificate_on_every_listener(house: House, tmp_path: Path, challenge: str) -> None:
    http, https = house.port("http"), house.port("https")
    with running_pebble(tmp_path, answers=False, http_port=http, tls_port=https) as pebble:
        house.write(pebble, challenge=challenge)
        with serving(house):
            wait_until_issued(house)
            serials = {house.leaf(service).serial_number for service in ("imaps", "submissions", "https")}
            assert serials == {house.leaf_by_starttls().serial_number}
            wait_for(lambda: is_issued(house, name=POLICY_HOST), what=POLICY_HOST)
            assert names_in(house.leaf("https", POLICY_HOST)) == [POLICY_HOST]
            assert names_in(house.leaf("https")) == names_in(house.leaf("https", "unknown.example")) == [HOST]
            planned = run_command("plan", str(house.spec), ALICE_PASSWORD="pw")
            assert planned.returncode == 0, planned.stdout + planned.stderr
            status = json.loads(run_command("status", str(house.spec), "--format", "json").stdout)
            shown, _ = status["certificates"]
            assert (shown["name"], shown["issuer"], shown["failure"]) == (HOST, "acme", None)
            assert shown["days_left"] > 100


def test_sessions_go_on_while_every_listener_gets_another_certificate(house: House, tmp_path: Path) -> None:
    with running_pebble(tmp_path, answers=False, http_port=house.port("http")) as pebble:
        house.write(pebble)
        with serving(house):
            wait_until_issued(house)
            reader = imaplib.IMAP4_SSL("127.0.0.1", house.port("imaps"), ssl_context=_anyone(), timeout=CLIENT_S)
            sender = smtplib.SMTP_SSL("127.0.0.1", house.port("submissions"), context=_anyone(), timeout=CLIENT_S)
            reader.login("alice@example.com", "pw")
            reader.select()
            reader.send(b"a1 IDLE\r\n")
            assert reader.readline().startswith(b"+ ")
            sender.login("alice@example.com", "pw")

            house.write(pebble, key="rsa2048")
            wait_until_issued(house, rsa=True)
            for service in ("submissions", "https"):
                wait_for(
                    lambda service=service: isinstance(house.leaf(service).public_key(), RSAPublicKey),
                    what=service,
                )
            assert isinstance(house.leaf_by_starttls().public_key(), RSAPublicKey)

            message = "From: alice@example.com\r\nTo: alice@example.com\r\nSubject: still here\r\n\r\nx\r\n"
            sender.sendmail("alice@example.com", ["alice@example.com"], message)
            assert b"EXISTS" in reader.readline()
            reader.send(b"DONE\r\n")
            wait_for(lambda: reader.readline().startswith(b"a1 OK"), what="the end of IDLE")
            sender.quit()
            reader.logout()


def test_an_apply_in_a_shell_orders_where_a_server_runs(house: House, tmp_path: Path) -> None:
    with running_pebble(tmp_path, answers=False, http_port=house.port("http")) as pebble:
        house.write(pebble)
        with serving(house):
            wait_until_issued(house)
            another = house.folder / "another.yml"  # which the server does not look at
            another.write_text(house.spec.read_text().replace("key: ecdsa256", "key: rsa2048"))
            applied = run_command("apply", "--yes", str(another), ALICE_PASSWORD="pw")
            assert b"certificate mail.example.com: issued" in applied.stdout, applied.stdout + applied.stderr
            wait_until_issued(house, rsa=True)


def test_while_an_order_takes_its_time_another_apply_waits_for_nobody(house: House, tmp_path: Path) -> None:
    with (
        running_pebble(tmp_path, answers=False, http_port=house.port("http")) as pebble,
        front_of(pebble, tmp_path) as front,
    ):
        front.looks, front.processing = 1_000_000, lambda: "0"
        house.write(front.pebble)
        with serving(house):
            wait_for(lambda: front.looks < 1_000_000, what="the order is under way")
            another = house.folder / "another.spec"  # which the server does not look at
            another.write_text(f"{house.spec.read_text()}aliases: {{sales@example.com: alice@example.com}}\n")
            applied = run_command("apply", "--yes", str(another), ALICE_PASSWORD="pw")
            assert applied.returncode == 0, applied.stderr
            assert b"1 created" in applied.stdout
            assert f"certificate {HOST}: another process is ordering it".encode() in applied.stdout
            assert f"certificate {POLICY_HOST}: issued".encode() in applied.stdout, applied.stdout + applied.stderr
            wait_for(lambda: is_issued(house, name=POLICY_HOST), what=POLICY_HOST)
            assert not is_issued(house)
            front.looks = 0
            wait_until_issued(house)
            assert orders_begun(house) == 1  # upkeep that came due meanwhile gave it up for no other
            planned = run_command("plan", str(another), ALICE_PASSWORD="pw")
            assert b"sales@example.com" not in planned.stdout


def test_an_order_that_a_reload_gives_up_is_made_anew_by_that_reload(house: House, tmp_path: Path) -> None:
    with (
        running_pebble(tmp_path, answers=False, http_port=house.port("http")) as pebble,
        front_of(pebble, tmp_path) as front,
    ):
        front.looks, front.processing = 1_000_000, lambda: "0"
        house.write(front.pebble)
        with serving(house) as server:
            wait_for(lambda: front.looks < 1_000_000, what="the order is under way")
            server.send_signal(signal.SIGHUP)
            wait_until_issued(house)  # the second order is not slow
            assert orders_begun(house) == 2
            assert "ordered by another process" not in house.log


def test_what_cannot_be_proved_leaves_the_old_certificate_and_says_why(house: House, tmp_path: Path) -> None:
    with running_pebble(tmp_path, answers=False) as pebble:  # which looks at another port than ours
        house.write(pebble)
        with serving(house):
            wait_for(lambda: refused(house) == {HOST, POLICY_HOST}, what="the refusals")
            assert "mailstack CA" in house.leaf("imaps").issuer.rfc4514_string()
            planned = run_command("plan", str(house.spec), ALICE_PASSWORD="pw")
            assert planned.returncode == 0
            assert b"could not be ordered: the authority cannot connect to port 80" in planned.stdout
            renewed = run_command("tls", "renew", str(house.spec), HOST, "--format", "json")
            (told,) = json.loads(renewed.stdout)
            assert (renewed.returncode, told["name"], told["state"]) == (1, HOST, "failed")
            assert "cannot connect to port 80" in told["reason"]


@pytest.fixture
def bind(tmp_path: Path) -> Iterator[Bind]:
    folder = tmp_path / "bind"
    folder.mkdir()
    with running_bind(folder, {"example.com": ZONE}) as found:
        yield found


def test_an_apply_proves_by_dns_without_a_server_and_leaves_the_zone_as_it_was(
    house: House, bind: Bind, tmp_path: Path
) -> None:
    with (
        running_pebble(tmp_path, answers=False, name_server=f"127.0.0.1:{bind.port}") as pebble,
        front_of(pebble, tmp_path) as front,
    ):
        house.write(front.pebble, challenge="dns-01", dns=BIND.format(port=bind.port) + "  caa: [pebble.example]\n")
        secrets = {"ALICE_PASSWORD": "pw", "TSIG": bind.secret}
        applied = run_command("apply", "--yes", str(house.spec), **secrets)
        assert b"certificate mail.example.com: issued" in applied.stdout, applied.stdout + applied.stderr
        proofs = {name: texts for name, texts in bind.records("example.com").items() if "acme-challenge" in name[0]}
        assert proofs == {("_acme-challenge.mail.example.com", "TXT"): (300, ('"somebody else\'s"',))}
        _, allowed = bind.records("example.com")[HOST, "CAA"]
        issue = next(value for value in allowed if " issue " in value)
        assert issue.startswith(f'0 issue "pebble.example; accounturi={front.pebble.directory.removesuffix("dir")}')
        planned = run_command("plan", str(house.spec), **secrets)
        assert planned.returncode == 0, planned.stdout + planned.stderr


def test_an_apply_without_a_server_leaves_other_proofs_to_serve(house: House, tmp_path: Path) -> None:
    with running_pebble(tmp_path, answers=False, http_port=house.port("http")) as pebble:
        house.write(pebble)
        applied = run_command("apply", "--yes", str(house.spec), ALICE_PASSWORD="pw")
        assert applied.returncode == 0, applied.stderr
        assert b"mailstack serve orders it when it runs" in applied.stdout
        with serving(house):
            wait_until_issued(house)


def test_a_dns_provider_that_is_down_keeps_no_certificate_from_coming(house: House, tmp_path: Path) -> None:
    with running_pebble(tmp_path, answers=False, http_port=house.port("http")) as pebble:
        house.write(pebble, dns=BIND.format(port=1))  # where nobody listens
        with serving(house, TSIG="c2VjcmV0"):
            wait_until_issued(house)
            wait_for(lambda: "apply did not finish" in house.log, what="the failure of DNS is told")


FILES = """\
server:
  hostname: mail.example.com
  workers: 1
  listeners: {{imaps: ["127.0.0.1:{imaps}"], smtp: [], submission: [], submissions: [], managesieve: [],
    imap: [], http: [], https: []}}
{storage}
tls:
  issuer: files
  files: [{{certificate: live/mail.pem, key: file/live/mail.key}}]
domains: {{example.com: {{}}}}
"""


def test_files_that_certbot_swaps_one_after_the_other_are_served_once_they_fit(house: House) -> None:
    live, archive = house.folder / "live", house.folder / "archive"
    for folder in (live, archive):
        folder.mkdir()
    serials = []
    for number in (1, 2):
        chain, key = self_signed((HOST,), Instant(time.time_ns() // 1_000_000))
        serials.append(x509.load_pem_x509_certificate(chain.encode()).serial_number)
        (archive / f"mail{number}.pem").write_text(chain)
        (archive / f"mail{number}.key").write_text(key)

    def swap(name: str, number: int) -> None:
        draft = live / f".{name}"
        draft.symlink_to(f"../archive/mail{number}{Path(name).suffix}")
        draft.rename(live / name)

    for name in ("mail.pem", "mail.key"):
        swap(name, 1)
    save(house.spec, FILES.format(imaps=house.port("imaps"), storage=storage_section()))
    with serving(house):
        wait_for(lambda: "serving" in house.log, what="serving")
        assert house.leaf("imaps").serial_number == serials[0]
        swap("mail.pem", 2)
        wait_for(lambda: "does not belong to the certificate" in house.log, what="the refusal")
        assert house.leaf("imaps").serial_number == serials[0]
        swap("mail.key", 2)
        wait_for(lambda: house.leaf("imaps").serial_number == serials[1], what="the new certificate")
