"""A whole server that asks others about mail: lists in DNS and ClamAV. What they say counts, and whoever is gone stops
no mail. RFC 5782."""

import imaplib
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from tests.support.dns_server import dns_server_beside
from tests.support.engines_beside import VIRUS, real_clamd
from tests.support.over_sockets import unverified
from tests.support.sandbox import free_base_port, save, wait_for
from tests.support.serving import serving_spec

pytestmark = pytest.mark.slow

PASSWORD = "correct horse"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1)
LISTED = {
    "test.bl.test": {"A": ["127.0.0.2"]},
    "bad.test.bl.test": {"A": ["127.0.1.4"]},
}
SPEC = """\
server:
  hostname: mail.example.com
  workers: 1
  listeners: {{smtp: ["127.0.0.1:{smtp}"], imaps: ["127.0.0.1:{imaps}"], submission: [], submissions: [], imap: [],
    managesieve: [], http: [], https: []}}
storage: {{path: state}}
tls: {{issuer: self-signed}}
dns: {{resolvers: ["{resolver}"]}}
receiving: {{trusted_peers: [192.0.2.1]}}
spam:
  lists: [{{zone: bl.test, of: [links], points: 2, codes: {{127.0.1.4: {points}}}}}]
  engines: {{clamav: {{socket: {socket}, on_virus: {on_virus}}}}}
domains: {{example.com: }}
accounts: {{alice@example.com: {{password: env/PASSWORD}}}}
"""


def mail(text: str) -> bytes:
    return f"From: x@them.test\r\nTo: alice@example.com\r\nSubject: {text}\r\n\r\n{text}\r\n".encode()


class Asking:
    """A server, its spec, and mail to alice."""

    def __init__(self, folder: Path, resolver: str, socket: str) -> None:
        self.spec = folder / "mailstack.yaml"
        base = free_base_port()
        self._smtp, self._imaps = base, base + 1
        self._fixed = {"smtp": base, "imaps": base + 1, "resolver": resolver, "socket": socket}
        self.write()

    def write(self, *, points: float = 6, on_virus: str = "reject") -> None:
        save(self.spec, SPEC.format(points=points, on_virus=on_virus, **self._fixed))

    def send(self, text: str) -> None:
        with smtplib.SMTP("127.0.0.1", self._smtp) as client:
            client.sendmail("x@them.test", ["alice@example.com"], mail(text))

    def refused(self, text: str) -> bytes:
        with pytest.raises(smtplib.SMTPDataError) as raised:
            self.send(text)
        error = raised.value.smtp_error
        return error if isinstance(error, bytes) else error.encode()

    def found(self, mailbox: str) -> list[bytes]:
        """The last of what alice has there, header and all."""
        with imaplib.IMAP4_SSL("127.0.0.1", self._imaps, ssl_context=unverified()) as client:
            client.login("alice@example.com", PASSWORD)
            status, _ = client.select(mailbox, readonly=True)
            if status != "OK":
                return []
            _, answer = client.fetch("1:*", "(BODY.PEEK[])")
            return [part[1] for part in answer if isinstance(part, tuple)]


@contextmanager
def asking(folder: Path) -> Iterator[Asking]:
    with dns_server_beside(LISTED) as dns:
        made = Asking(folder, dns.endpoint, str(folder / "clamd.sock"))
        with serving_spec(made.spec, PASSWORD=CHEAP.hash(PASSWORD)):
            yield made


def test_what_others_say_of_mail_counts_and_none_is_missed(tmp_path: Path) -> None:
    with asking(tmp_path) as server:
        with real_clamd(tmp_path):
            server.send("good http://good.test")
            assert len(server.found("INBOX")) == 1
            server.send("bad http://www.bad.test/x")
            (junk,) = server.found("Junk")
            assert b"list-bl.test 6.0 (bad.test 127.0.1.4)" in junk.replace(b"\r\n ", b" ")
            assert b"it has a virus" in server.refused(VIRUS.decode())
            server.write(on_virus="junk")
            wait_for(lambda: _is_taken(server), what="the new spec")
            assert len(server.found("Junk")) == 2
        # ClamAV is gone.
        server.send("good without http://good.test")
        assert len(server.found("INBOX")) == 2


def _is_taken(server: Asking) -> bool:
    try:
        server.send(VIRUS.decode())
    except smtplib.SMTPDataError:
        return False
    return True
