"""PostgreSQL over TLS, and behind PgBouncer: what works is served, and what does not is said plainly."""

import shutil
import smtplib
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from tests.support.commands import run_command
from tests.support.over_sockets import CLIENT_S
from tests.support.pgbouncer import running_pgbouncer
from tests.support.postgres import QUICK, USER, PostgresServer, owner_of_server, running_postgres
from tests.support.sandbox import MAILSTACK, free_base_port, run_client
from tests.support.serving import serving_spec

pytestmark = pytest.mark.slow

SPEC = """\
server:
  hostname: mail.example.com
  workers: 2
  listeners: {{smtp: ["127.0.0.1:{smtp}"], imaps: [], submission: [], submissions: [], managesieve: [],
    imap: [], http: [], https: []}}
storage: {{path: state, database: env/MAIL_DATABASE}}
domains: {{example.com: {{dkim: {{algorithms: [ed25519]}}}}}}
accounts:
  alice@example.com: {{password: env/ALICE_PASSWORD}}
"""


@dataclass(frozen=True, kw_only=True)
class House:
    spec: Path
    smtp: int

    def run(self, *command: str, url: str) -> "subprocess.CompletedProcess[bytes]":
        if command == ("serve",):
            return run_client([*MAILSTACK, *command, str(self.spec)], MAIL_DATABASE=url, ALICE_PASSWORD="pw")
        return run_command(*command, str(self.spec), MAIL_DATABASE=url, ALICE_PASSWORD="pw")

    def serves(self, url: str) -> bool:
        with (
            serving_spec(self.spec, MAIL_DATABASE=url, ALICE_PASSWORD="pw"),
            smtplib.SMTP("127.0.0.1", self.smtp, timeout=CLIENT_S) as client,
        ):
            return client.sendmail("x@customer.example", ["alice@example.com"], "Subject: hello\r\n\r\nhello\r\n") == {}


@pytest.fixture
def house(tmp_path: Path) -> House:
    found = House(spec=tmp_path / "mail.yaml", smtp=free_base_port())
    found.spec.write_text(SPEC.format(smtp=found.smtp))
    return found


@dataclass(frozen=True, kw_only=True)
class Guarded:
    """A server that takes connections by TLS. ca: of its certificate; other: an authority that it has nothing from."""

    server: PostgresServer
    ca: Path
    other: Path

    def url(self, ca: Path) -> str:
        return f"{self.server.url(self.server.make_database())}?sslmode=verify-full&sslrootcert={ca}"


@pytest.fixture(scope="module")
def guarded() -> Iterator[Guarded]:
    folder = Path(tempfile.mkdtemp(prefix="mailstack-tls-"))  # PostgreSQL's user cannot reach pytest's
    try:
        authority, other = trustme.CA(), trustme.CA()
        certificate = authority.issue_cert("127.0.0.1")
        certificate.cert_chain_pems[0].write_to_path(folder / "server.pem")
        certificate.private_key_pem.write_to_path(folder / "server.key")
        authority.cert_pem.write_to_path(folder / "ca.pem")
        other.cert_pem.write_to_path(folder / "other.pem")
        (folder / "server.key").chmod(0o600)
        if (owner := owner_of_server()) is not None:
            for path in (folder, *folder.iterdir()):
                shutil.chown(path, owner)
        tls = ("ssl=on", f"ssl_cert_file={folder}/server.pem", f"ssl_key_file={folder}/server.key")
        with running_postgres(settings=(*QUICK, *tls)) as server:
            yield Guarded(server=server, ca=folder / "ca.pem", other=folder / "other.pem")
    finally:
        shutil.rmtree(folder)


def test_over_tls_with_a_certificate_that_is_checked(house: House, guarded: Guarded) -> None:
    url = guarded.url(guarded.ca)
    checked = house.run("storage", "check", url=url)
    assert checked.returncode == 0, checked.stdout
    assert house.serves(url)


def test_a_certificate_of_another_authority_is_told_plainly(house: House, guarded: Guarded) -> None:
    url = guarded.url(guarded.other)
    checked = house.run("storage", "check", url=url)
    assert checked.returncode == 1
    assert b"fails database: connect: " in checked.stdout
    assert b"certificate verify failed" in checked.stdout
    assert b"sslrootcert" in checked.stdout
    served = house.run("serve", url=url)
    assert served.returncode == 1
    assert b"certificate verify failed" in served.stderr
    assert b"Traceback" not in served.stderr


def test_a_name_that_the_certificate_is_not_for_is_told_plainly(house: House, guarded: Guarded) -> None:
    url = guarded.url(guarded.ca).replace("@127.0.0.1", "@localhost")
    checked = house.run("storage", "check", url=url)
    assert checked.returncode == 1
    assert b'does not match host name "localhost"' in checked.stdout


def test_behind_pgbouncer_in_session_mode(house: House, postgres: PostgresServer) -> None:
    with running_pgbouncer(postgres, "session") as port:
        url = f"postgresql://{USER}@127.0.0.1:{port}/{postgres.make_database()}"
        checked = house.run("storage", "check", url=url)
        assert checked.returncode == 0, checked.stdout
        assert b"fails" not in checked.stdout
        assert house.serves(url)
        assert b"1 of 1 account is sound" in house.run("account", "verify", url=url).stdout


def test_pgbouncer_in_transaction_mode_is_told_plainly(house: House, postgres: PostgresServer) -> None:
    with running_pgbouncer(postgres, "transaction") as port:
        checked = house.run("storage", "check", url=f"postgresql://{USER}@127.0.0.1:{port}/{postgres.make_database()}")
    assert b"ask with prepared statements: " in checked.stdout
    assert b"pool_mode = session" in checked.stdout
    assert b"tell another node: nothing was heard" in checked.stdout
    assert b"LISTEN" in checked.stdout
    assert checked.returncode == 1
