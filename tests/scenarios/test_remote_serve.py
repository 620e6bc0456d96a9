"""`mailstack serve` under a spec that came from afar, with secrets that only the sender has, also after a restart."""

import imaplib
import json
import os
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme

from tests.support.commands import run_command
from tests.support.engines import storage_section
from tests.support.leash import leashed
from tests.support.over_sockets import CLIENT_S
from tests.support.programs import Program
from tests.support.sandbox import MAILSTACK, free_base_port, save, stop, wait_for

pytestmark = pytest.mark.slow

SPEC = """\
server:
  hostname: mail.example.com
  workers: 2
  listeners:
    {{imaps: ["127.0.0.1:{imaps}"], https: ["127.0.0.1:{https}"],
    smtp: [], submission: [], submissions: [], managesieve: [], imap: [], http: []}}
{storage}
tls: {{issuer: files, files: [{{certificate: tls/mail.pem, key: file/tls/mail.key}}]}}
domains: {{example.com: {{}}}}
include: [accounts/*.yaml]
"""
ALICE = "accounts: {alice@example.com: {password: env/REMOTE_ALICE, roles: [admin]}}\n"
CAROL = "accounts: {carol@example.com: {password: env/REMOTE_CAROL}}\n"
PASSWORDS = {"alice@example.com": "open sesame of alice", "carol@example.com": "open sesame of carol"}


class Place:
    """A folder with a spec of several files. The private key is only on the server."""

    def __init__(self, folder: Path, text: str, certificate: trustme.LeafCert) -> None:
        self.folder = folder
        self.spec = folder / "mailstack.yaml"
        for name in ("accounts", "tls"):
            (folder / name).mkdir(parents=True)
        self.spec.write_text(text)
        (folder / "accounts" / "alice.yaml").write_text(ALICE)
        for blob in certificate.cert_chain_pems:
            blob.write_to_path(str(folder / "tls" / "mail.pem"), append=True)


@contextmanager
def serving(place: Place, log_file: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("REMOTE_")}
    with log_file.open("wb") as log:
        process = Program(
            leashed([*MAILSTACK, "serve", str(place.spec), "--log-format", "json"], "TERM"),
            stdout=subprocess.DEVNULL,
            stderr=log,
            env={**clean, **environment},
        )
    try:
        wait_for(lambda: '"serving"' in log_file.read_text() or process.poll() is not None)
        assert process.poll() is None, log_file.read_text()
        yield process
    finally:
        stop(process)


@pytest.fixture
def base_port() -> int:
    return free_base_port()


def logs_in(port: int, ca: Path, login: str) -> bool:
    try:
        context = ssl.create_default_context(cafile=ca)
        with imaplib.IMAP4_SSL("127.0.0.1", port, timeout=CLIENT_S, ssl_context=context) as imap:
            imap.login(login, PASSWORDS[login])
    except imaplib.IMAP4.error:
        return False
    return True


def test_secrets_of_the_sender_are_enough_and_are_never_in_clear(tmp_path: Path, base_port: int) -> None:
    authority = trustme.CA()
    ca = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca))
    certificate = authority.issue_cert("mail.example.com", "127.0.0.1")
    imaps, https = base_port + 993, base_port + 443
    text = SPEC.format(imaps=imaps, https=https, storage=storage_section())
    server, laptop = (Place(tmp_path / name, text, certificate) for name in ("server", "laptop"))
    certificate.private_key_pem.write_to_path(str(server.folder / "tls" / "mail.key"))
    there = ["--server", f"https://127.0.0.1:{https}", "--ca", str(ca)]
    secrets = {"REMOTE_ALICE": PASSWORDS["alice@example.com"], "REMOTE_CAROL": PASSWORDS["carol@example.com"]}

    with serving(server, tmp_path / "first.log", REMOTE_ALICE=secrets["REMOTE_ALICE"]):
        status = server.folder / "state" / "run" / "status.json"
        # Who applies from afar is refused while the server itself does.
        wait_for(lambda: "upkeep" in json.loads(status.read_text()), what="its own apply is over")
        made = run_command("token", "create", str(server.spec), "--can", "apply")
        token = made.stdout.decode().strip()
        save(laptop.folder / "accounts" / "carol.yaml", CAROL)
        lacking = run_command("plan", str(laptop.spec), *there, MAILSTACK_TOKEN=token)
        assert lacking.returncode == 1
        where = f"{laptop.folder}/accounts/carol.yaml:1:"
        assert where.encode() in lacking.stderr
        assert b"the secret env/REMOTE_CAROL was not sent" in lacking.stderr
        only_carol = {"REMOTE_CAROL": secrets["REMOTE_CAROL"]}
        applied = run_command(
            "apply",
            str(laptop.spec),
            "--yes",
            *there,
            MAILSTACK_TOKEN=token,
            **only_carol,
        )
        assert applied.returncode == 0, applied.stderr
        assert b"Applied: 1 created, 0 changed, 0 destroyed." in applied.stdout
        wait_for(lambda: logs_in(imaps, ca, "carol@example.com"))
        assert (server.folder / "accounts" / "carol.yaml").read_text() == CAROL

    # Nobody gives it any secret now: what it holds is what it serves.
    with serving(server, tmp_path / "second.log"):
        assert logs_in(imaps, ca, "alice@example.com")
        assert logs_in(imaps, ca, "carol@example.com")
        assert "was not applied" not in (tmp_path / "second.log").read_text()

    logs = [tmp_path / name for name in ("first.log", "second.log")]
    for path in (*logs, *server.folder.rglob("*")):
        content = path.read_bytes() if path.is_file() else b""
        assert not [secret for secret in (token, *secrets.values()) if secret.encode() in content], path
