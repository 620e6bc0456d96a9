"""Reloads while mail comes in, is read, and the web is asked: no connection is refused and no command fails."""

import http.client
import imaplib
import smtplib
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from tests.support.engines import size
from tests.support.sandbox import Sandbox, save, wait_for

pytestmark = pytest.mark.slow

RELOADS, FEWER_RELOADS = 10, 5
MAIL_CLIENTS = 3
REQUESTS_A_CONNECTION = 25
# The pause leaves the machine's two cores to the reloads, or this takes minutes.
PAUSE_S = 0.05
PATIENCE_S = 60

FAULTS = (OSError, smtplib.SMTPException, imaplib.IMAP4.error, http.client.HTTPException, AssertionError)

Rounds = Callable[[], Iterator[None]]
Connect = Callable[[Sandbox], http.client.HTTPConnection]


class Load(threading.Thread):
    """One round of a client after another, until it is told to stop. A client that failed begins anew."""

    def __init__(self, name: str, rounds: Rounds) -> None:
        super().__init__(name=name)
        self._begin = rounds
        self._stopping = threading.Event()
        self.rounds = 0
        self.failures: list[str] = []

    def run(self) -> None:
        client = self._begin()
        while not self._stopping.wait(PAUSE_S):
            try:
                next(client)
            except FAULTS as fault:
                self.failures.append(f"{self.name}, round {self.rounds}: {fault!r}")
                client = self._begin()
            self.rounds += 1

    def stop(self) -> None:
        self._stopping.set()
        self.join()


def mail_client(sandbox: Sandbox, number: int) -> Iterator[None]:
    """Each time with connections of its own."""
    for turn in count():
        with smtplib.SMTP("127.0.0.1", sandbox.port("smtp"), "client.example", timeout=PATIENCE_S) as smtp:
            text = f"Subject: {number} {turn}\r\n\r\nunder load\r\n"
            assert smtp.sendmail("x@customer.example", ["alice@example.com"], text) == {}
        with imaplib.IMAP4("127.0.0.1", sandbox.port("imap"), timeout=PATIENCE_S) as imap:
            imap.login("bob@example.com", "pw")
            assert imap.select("INBOX")[0] == "OK"
            assert imap.noop()[0] == "OK"
        yield


def web_client(sandbox: Sandbox, connect: Connect) -> Iterator[None]:
    """One request after another on a connection that is kept, and now and then on a new one."""
    while True:
        with closing(connect(sandbox)) as connection:
            for _ in range(REQUESTS_A_CONNECTION):
                connection.request("GET", "/readyz", headers={"Host": "mail.example.com"})
                response = connection.getresponse()
                assert response.status == 200
                assert b"ready" in response.read()
                yield


def plain(sandbox: Sandbox) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", sandbox.port("http"), timeout=PATIENCE_S)


def secure(sandbox: Sandbox) -> http.client.HTTPConnection:
    context = ssl.create_default_context(cafile=str(sandbox.ca))
    return http.client.HTTPSConnection("127.0.0.1", sandbox.port("https"), timeout=PATIENCE_S, context=context)


def delivered(sandbox: Sandbox) -> int:
    with imaplib.IMAP4("127.0.0.1", sandbox.port("imap"), timeout=PATIENCE_S) as imap:
        imap.login("alice@example.com", "pw")
        return int(imap.select("INBOX")[1][0] or 0)


def test_reloads_under_load_refuse_no_connection_and_fail_no_command(sandbox: Sandbox, spec: Path) -> None:
    reloads = size(RELOADS, on_postgres=FEWER_RELOADS)
    mail = [Load(f"mail {number}", partial(mail_client, sandbox, number)) for number in range(MAIL_CLIENTS)]
    web = [Load("http", partial(web_client, sandbox, plain)), Load("https", partial(web_client, sandbox, secure))]
    clients = [*mail, *web]
    for client in clients:
        client.start()
    try:
        for number in range(reloads):
            user = f"user{number}@example.com"
            save(spec, spec.read_text().replace("aliases:\n", f"  {user}: {{}}\naliases:\n"))
            wait_for(lambda user=user: user in sandbox.accounts_now(), what=f"reload {number}")
    finally:
        for client in clients:
            client.stop()
    assert [failure for client in clients for failure in client.failures] == []
    assert all(client.rounds > reloads / 10 for client in mail)
    assert all(client.rounds > reloads for client in web)
    assert delivered(sandbox) == sum(client.rounds for client in mail)
    with imaplib.IMAP4("127.0.0.1", sandbox.port("imap"), timeout=PATIENCE_S) as imap:
        assert imap.login(f"user{reloads - 1}@example.com", "pw")[0] == "OK"
    with closing(secure(sandbox)) as connection:
        connection.request("GET", "/readyz", headers={"Host": "mail.example.com"})
        assert f'"generation":{sandbox.status()["generation"]}'.encode() in connection.getresponse().read()
