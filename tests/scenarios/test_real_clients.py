"""The whole way with clients that other people wrote: swaks delivers and submits, mbsync fetches."""

import subprocess
from pathlib import Path

import dns.rdatatype
import dns.zone
import pytest

import dkim
from tests.scenarios.conftest import Inn
from tests.support.sandbox import Sandbox, need, run_client, wait_for
from tests.support.sink import Taken

# One sandbox for all of them.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("real_clients")]

MESSAGE = (
    "From: Customer <x@customer.example>\r\n"
    "To: alice@example.com\r\n"
    "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"
    "Date: Sun, 22 Nov 2026 12:00:00 +0000\r\n"
    "Message-ID: <one@customer.example>\r\n"
    "\r\n"
    ".a line that begins with a dot\r\n"
    "..two dots\r\n"
    "\r\n"
    "Grüße\r\n"
).encode()

MBSYNC = """\
IMAPStore far
Host localhost
Port {port}
User {user}
Pass pw
SSLType {tls}
{trust}

MaildirStore near
Path {maildir}/
Inbox {maildir}/INBOX
SubFolders Verbatim

Channel mail
Far :far:
Near :near:
Patterns INBOX
Create Near
Sync Pull
SyncState *
"""


def swaks(sandbox: Sandbox, service: str, arguments: str) -> subprocess.CompletedProcess[bytes]:
    return run_client(
        [need("swaks"), "--server", "127.0.0.1", "--port", str(sandbox.port(service)), *arguments.split()]
    )


def deliver(sandbox: Sandbox, message: Path, to: str) -> None:
    envelope = f"--helo client.example --from x@customer.example --to {to}"
    sent = swaks(sandbox, "smtp", f"{envelope} --data @{message}")
    assert sent.returncode == 0, sent.stdout + sent.stderr


def fetch(sandbox: Sandbox, folder: Path, user: str, *, tls: str) -> list[bytes]:
    maildir, config = folder / "mail", folder / "mbsyncrc"
    maildir.mkdir(parents=True, exist_ok=True)
    service, trust = ("imaps", f"CertificateFile {sandbox.ca}") if tls == "IMAPS" else ("imap", "AuthMechs LOGIN")
    config.write_text(MBSYNC.format(port=sandbox.port(service), user=user, tls=tls, trust=trust, maildir=maildir))
    fetched = run_client([need("mbsync"), "-c", str(config), "-a"], HOME=str(folder))
    assert fetched.returncode == 0, fetched.stdout + fetched.stderr
    files = sorted((maildir / "INBOX").glob("new/*")) + sorted((maildir / "INBOX").glob("cur/*"))
    return [without_field(file.read_bytes(), b"X-TUID") for file in files]


def without_field(message: bytes, name: bytes) -> bytes:
    """mbsync marks what it writes with a field of its own."""
    return b"".join(line for line in message.splitlines(keepends=True) if not line.startswith(name + b":"))


@pytest.mark.parametrize("tls", ["None", "IMAPS"])
def test_what_swaks_delivers_mbsync_fetches_byte_for_byte(inn: Inn, guest: str, tmp_path: Path, tls: str) -> None:
    message = tmp_path / "message.eml"
    message.write_bytes(MESSAGE.removesuffix(b"\r\n"))  # swaks ends the last line itself
    deliver(inn.sandbox, message, guest)
    (fetched,) = fetch(inn.sandbox, tmp_path / tls, guest, tls=tls)
    # Maildir has the line ends of Unix.
    trace, original, rest = fetched.partition(MESSAGE.replace(b"\r\n", b"\n"))
    assert original
    assert rest == b""
    assert trace.startswith(b"Return-Path: <x@customer.example>\nReceived: from client.example ")
    assert b"by mail.example.com" in trace


@pytest.mark.parametrize(("service", "tls"), [("submission", "-tls"), ("submissions", "-tlsc")])
def test_what_a_guest_submits_reaches_the_outside_with_two_valid_signatures(
    inn: Inn, guest: str, service: str, tls: str
) -> None:
    security = f"{tls} --tls-verify --tls-ca-path {inn.sandbox.ca}"
    login = f"--auth PLAIN --auth-user {guest} --auth-password pw"
    mail = f"--from {guest} --to friend@elsewhere.example --h-Bcc hidden@elsewhere.example"
    sent = swaks(inn.sandbox, service, f"{security} {login} {mail}")
    assert sent.returncode == 0, sent.stdout + sent.stderr

    def taken() -> list[Taken]:
        return [mail for mail in inn.sink.taken if mail.reverse_path == guest]

    wait_for(taken, what="the sink takes the mail")
    (left,) = taken()
    assert left.recipients == ("friend@elsewhere.example",)
    assert b"hidden@" not in left.content
    assert verified_algorithms(left.content, inn.sandbox.state / "dns") == {b"rsa-sha256", b"ed25519-sha256"}


def verified_algorithms(message: bytes, zones: Path) -> set[bytes]:
    wait_for((zones / "example.com.zone").exists, what="the zone file is written")
    zone = dns.zone.from_file(str(zones / "example.com.zone"), origin="example.com")

    def text(name: bytes | str, timeout: int = 5) -> bytes | None:
        wanted = dns.name.from_text(name.decode() if isinstance(name, bytes) else name)
        found = zone.get_rdataset(wanted, dns.rdatatype.TXT)
        return b"".join(next(iter(found)).strings) if found is not None else None

    verifier = dkim.DKIM(message)
    count = sum(name.lower() == b"dkim-signature" for name, _ in verifier.headers)
    found = set()
    for index in range(count):
        assert verifier.verify(idx=index, dnsfunc=text)
        found.add(verifier.signature_fields[b"a"])
    return found


def test_a_stranger_cannot_relay_and_an_unknown_address_is_refused(inn: Inn) -> None:
    relayed = swaks(inn.sandbox, "smtp", "--from x@customer.example --to friend@elsewhere.example")
    unknown = swaks(inn.sandbox, "smtp", "--from x@customer.example --to nobody@example.com")
    assert b"550 5.1.1" in unknown.stdout
    assert relayed.returncode == unknown.returncode != 0
    assert "x@customer.example" not in {mail.reverse_path for mail in inn.sink.taken}
