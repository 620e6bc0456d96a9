"""A backup mail exchanger, whole: two servers of one directory, the primary down, and mail that waits for it.

In a network of their own, for mail is handed over on port 25 of addresses that others reach.
"""

import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import pytest
from argon2 import PasswordHasher

from tests.support.dns_server import dns_server_beside
from tests.support.imap_messages import messages_in
from tests.support.namespaces import Namespace, need_namespaces, new_namespace
from tests.support.over_sockets import CLIENT_S, ImapOver, SmtpOver
from tests.support.sandbox import wait_for
from tests.support.serving import serving_spec

pytestmark = pytest.mark.slow

PRIMARY, BACKUP, SENDER = "198.51.100.1", "198.51.100.2", "198.51.100.9"
PASSWORD = "correct horse"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1)
NAMES = {
    "example.com": {"MX": ["10 mx1.example.com.", "20 mx2.example.net."]},
    "mx1.example.com": {"A": [PRIMARY]},
    "mx2.example.net": {"A": [BACKUP]},
    "sender.test": {"TXT": [f'"v=spf1 ip4:{SENDER} -all"']},
    "_dmarc.forged.test": {"TXT": ['"v=DMARC1; p=quarantine"']},
}
SHARED = """\
storage: {{path: state}}
dns: {{resolvers: ["{resolver}"]}}
domains: {{example.com: {{}}}}
accounts:
  alice@example.com: {{password: env/PASSWORD}}
  bob@example.com: {{password: env/PASSWORD}}
aliases: {{both@example.com: [alice@example.com, bob@example.com]}}
"""
SPECS = {
    PRIMARY: """\
server:
  hostname: mx1.example.com
  workers: 1
  backups: [mx2.example.net]
  listeners:
    smtp: ["198.51.100.1:25"]
    imaps: ["127.0.0.1:993"]
    submission: []
    submissions: []
    managesieve: []
    imap: []
    http: []
    https: []
# Within one machine, who connects to an address comes from there.
receiving: {trusted_peers: [198.51.100.1]}
""",
    BACKUP: """\
server:
  hostname: mx2.example.net
  role: backup-mx
  workers: 2
  listeners: {smtp: ["198.51.100.2:25"], http: [], https: []}
""",
}


@pytest.fixture
def network() -> Iterator[Namespace]:
    need_namespaces()
    with new_namespace() as made:
        made.add_address(PRIMARY)  # and with it, its whole network
        yield made


@contextmanager
def serving(folder: Path, network: Namespace, host: str, resolver: str) -> Iterator[Path]:
    """Its folder, which it finds as it left it."""
    spec = folder / host / "mailstack.yaml"
    spec.parent.mkdir(exist_ok=True)
    spec.write_text(SPECS[host] + SHARED.format(resolver=resolver))
    (spec.parent / "state" / "run" / "status.json").unlink(missing_ok=True)
    with serving_spec(spec, network, PASSWORD=CHEAP.hash(PASSWORD)):
        yield spec.parent


def send(network: Namespace, subject: str, *, to: str, sender: str = "x@sender.test") -> None:
    message = f"From: {sender}\r\nSubject: {subject}\r\n\r\nhello\r\n"
    with SmtpOver(network.connect(25, timeout_s=CLIENT_S, host=BACKUP, source=SENDER)) as client:
        client.sendmail(sender, [to], message)


def mailbox(network: Namespace, login: str, name: str) -> dict[str, bytes]:
    client = ImapOver(network.connect(993, timeout_s=CLIENT_S))
    try:
        client.login(login, PASSWORD)
        return messages_in(client, name)
    finally:
        client.shutdown()


def waiting(folder: Path) -> int:
    connection = apsw.Connection(str(folder / "state" / "system.db"), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return len(connection.execute("SELECT item_id FROM mail_recipient").fetchall())
    finally:
        connection.close()


def test_a_backup_keeps_what_the_primary_would_take_and_hands_it_over_once(tmp_path: Path, network: Namespace) -> None:
    with dns_server_beside(NAMES, namespace=network) as dns:
        with serving(tmp_path, network, BACKUP, dns.endpoint) as folder:
            send(network, "to one", to="Alice+tag@example.com")
            send(network, "to an alias", to="both@example.com")
            send(network, "not the sender's", to="alice@example.com", sender="x@forged.test")
            for unknown, code in (("nobody@example.com", 550), ("x@elsewhere.test", 550)):
                with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
                    send(network, "for nobody", to=unknown)
                assert [reply[0] for reply in refused.value.recipients.values()] == [code]
            assert waiting(folder) == 3
        with (
            serving(tmp_path, network, PRIMARY, dns.endpoint),
            serving(tmp_path, network, BACKUP, dns.endpoint) as folder,
        ):
            send(network, "while both are there", to="alice@example.com")
            wait_for(lambda: not waiting(folder), what="the backup hands over what it has")
            found = mailbox(network, "alice@example.com", "INBOX")
            assert found.keys() == {"to one", "to an alias", "while both are there"}
            assert mailbox(network, "bob@example.com", "INBOX").keys() == {"to an alias"}
            # What the backup found of the sender is what counts: the primary does not take the backup for the sender.
            assert mailbox(network, "alice@example.com", "Junk").keys() == {"not the sender's"}
    assert found["to one"].startswith(b"Return-Path: <x@sender.test>\r\n")
    _, came_by, _ = found["to one"].split(b"Received: ", 2)
    assert came_by.startswith(b"from mx2.example.net ([198.51.100.1])")
    assert b"Authentication-Results: mx2.example.net;" in found["to one"]
    assert b"spf=pass smtp.mailfrom=x@sender.test" in found["to one"]
