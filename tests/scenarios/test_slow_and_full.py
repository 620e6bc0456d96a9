"""A database that is slow or full, at the whole server: what clients are told, and that nothing is lost or doubled."""

import imaplib
import random
import re
import smtplib
import socket
import ssl
from base64 import encodebytes
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.fronts import Mood, running_fronts
from tests.support.postgres import PostgresServer
from tests.support.sandbox import free_base_port, wait_for
from tests.support.serving import serving_spec
from tests.support.small_disk import database_on_small_disk

pytestmark = pytest.mark.slow

ALICE = "alice@example.com"
PATIENCE_S = 240
LARGE_BYTES = 400_000
NUMBER = re.compile(rb"Subject: (\d+)")
SPEC = """\
server:
  hostname: mail.example.com
  workers: 2
  listeners: {{smtp: ["127.0.0.1:{smtp}"], imaps: ["127.0.0.1:{imaps}"], submission: [], submissions: [],
    managesieve: [], imap: [], http: [], https: []}}
storage: {{path: state, database: env/MAIL_DATABASE}}
tls: {{issuer: self-signed}}
domains: {{example.com: {{}}}}
accounts: {{alice@example.com: {{password: env/ALICE_PASSWORD}}}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    spec: Path
    smtp: int
    imaps: int

    def deliver(self, number: int, *, size_bytes: int = 0) -> int:
        """The code of the server's last word on it."""
        with smtplib.SMTP("127.0.0.1", self.smtp, "client.example", timeout=PATIENCE_S) as client:
            client.ehlo()
            client.mail("x@customer.example")
            code, _ = client.rcpt(ALICE)
            return client.data(message(number, size_bytes))[0] if code == 250 else code

    def append(self, number: int, *, size_bytes: int = 0) -> str:
        with self.reader() as client:
            status, answer = client.append("INBOX", "", "", message(number, size_bytes))
            return f"{status} {answer[0].decode()}"

    def numbers(self) -> Counter[int]:
        """Of the messages that are there, each as often as it is."""
        with self.reader() as client:
            client.select(readonly=True)
            _, found = client.fetch("1:*", "(BODY.PEEK[])")
        read = [NUMBER.search(part[1]) for part in found if isinstance(part, tuple)]
        return Counter(int(number[1]) for number in read if number is not None)

    @contextmanager
    def reader(self) -> Iterator[imaplib.IMAP4_SSL]:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        client = imaplib.IMAP4_SSL("127.0.0.1", self.imaps, ssl_context=context, timeout=PATIENCE_S)
        try:
            client.login(ALICE, "pw")
            yield client
        finally:
            client.shutdown()

    @contextmanager
    def serving(self, url: str) -> Iterator[None]:
        with serving_spec(self.spec, MAIL_DATABASE=url, ALICE_PASSWORD="pw"):
            yield


@pytest.fixture
def house(tmp_path: Path) -> House:
    base = free_base_port()
    house = House(spec=tmp_path / "mail.yaml", smtp=base + 25, imaps=base + 993)
    house.spec.write_text(SPEC.format(smtp=house.smtp, imaps=house.imaps))
    return house


def message(number: int, size_bytes: int) -> bytes:
    """It cannot be made smaller."""
    text = encodebytes(random.Random(number).randbytes(size_bytes)).replace(b"\n", b"\r\n")
    return b"Subject: %d\r\n\r\n%b.\r\n" % (number, text)


def test_a_database_that_is_full_refuses_for_now_and_what_is_there_is_read(
    house: House, postgres: PostgresServer
) -> None:
    with database_on_small_disk(postgres) as disk, house.serving(disk.url):
        assert house.deliver(0) == 250
        disk.fill()
        assert house.deliver(1, size_bytes=LARGE_BYTES) == 451
        assert house.append(2, size_bytes=LARGE_BYTES).startswith("NO [UNAVAILABLE] ")
        assert house.numbers() == Counter([0])
        disk.make_room()
        wait_for(lambda: house.deliver(1, size_bytes=LARGE_BYTES) == 250, what="the next attempt")
        assert house.append(2, size_bytes=LARGE_BYTES).startswith("OK ")
        assert house.numbers() == Counter([0, 1, 2])


def test_a_database_whose_answers_take_two_seconds_is_waited_for(
    house: House, postgres: PostgresServer, empty_database: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, running_fronts() as fronts:
        url = empty_database.replace(f":{postgres.port}/", f":{listener.getsockname()[1]}/")
        front = fronts.open(listener, postgres.port)
        with house.serving(url):
            assert house.deliver(0) == 250
            front.become(Mood.SLOW)
            with ThreadPoolExecutor() as threads:
                delivered = [threads.submit(house.deliver, number) for number in (1, 2)]
                appended = threads.submit(house.append, 3)
                read = threads.submit(house.numbers)
            front.become(Mood.PASSING)
            assert [reply.result() for reply in delivered] == [250, 250]
            assert appended.result().startswith("OK ")
            assert 0 in read.result()
            assert house.numbers() == Counter([0, 1, 2, 3])
