"""Mail that comes in and is read on every node while something goes wrong, and what must be true of it afterwards."""

import imaplib
import random
import re
import smtplib
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count

from tests.support.cluster import ACCOUNTS, Cluster, Node, flaws
from tests.support.sandbox import wait_for

PAUSE_S = 0.05
LARGE_EVERY, LARGE_BYTES = 6, 100_000
LEAVES_EVERY = 9
RECOVERS_WITHIN_S = 60.0
FETCHED = re.compile(rb"\(UID (\d+) ")
IDENTITY = re.compile(rb"X-Identity: (\S+)")


class Sender(threading.Thread):
    """accepted: of each message that got its 250, the recipients. unknown: of those whose reply never came. A message
    is never sent a second time."""

    def __init__(self, node: Node, number: int) -> None:
        super().__init__(name=f"sender-{number}")
        self._node = node
        self._number = number
        self._chance = random.Random(number)
        self._over = threading.Event()
        self._ids = count()
        self.accepted: dict[str, tuple[str, ...]] = {}
        self.unknown: dict[str, tuple[str, ...]] = {}
        self.deferred = 0
        self.wrong: list[str] = []

    def run(self) -> None:
        while not self._over.wait(PAUSE_S):
            with suppress(OSError, smtplib.SMTPException), self._node.smtp() as smtp:
                while not self._over.wait(PAUSE_S):
                    self._send(smtp)

    def end(self) -> None:
        self._over.set()

    def _send(self, smtp: smtplib.SMTP) -> None:
        number = next(self._ids)
        identity = f"{self._number}-{number}"
        to = tuple(self._chance.sample([f"u{each}@example.com" for each in range(ACCOUNTS)], 2))
        if number % LEAVES_EVERY == 0:
            to = ("leaving@example.com",)
        body = self._chance.randbytes(LARGE_BYTES // 2).hex() if number % LARGE_EVERY == 0 else "x" * 200
        lines = "\r\n".join(body[at : at + 70] for at in range(0, len(body), 70))
        try:
            smtp.sendmail("x@customer.example", to, f"X-Identity: {identity}\r\nSubject: {identity}\r\n\r\n{lines}\r\n")
        except (smtplib.SMTPDataError, smtplib.SMTPSenderRefused) as refusal:
            self._refused(refusal.smtp_code, refusal.smtp_error)
        except smtplib.SMTPRecipientsRefused as refusal:
            for code, text in refusal.recipients.values():
                self._refused(code, text)
        except (OSError, smtplib.SMTPServerDisconnected):
            self.unknown[identity] = to
            raise
        else:
            self.accepted[identity] = to

    def _refused(self, code: int, text: bytes | str) -> None:
        if 400 <= code < 500:
            self.deferred += 1
        else:
            self.wrong.append(f"{self.name}: {code} {text!r}")


class Reader(threading.Thread):
    """Of one account by IMAP, again and again. seen: what lay under each UID, which must never be another."""

    def __init__(self, node: Node, account: str) -> None:
        super().__init__(name=f"reader of {account}")
        self._node = node
        self._account = account
        self._over = threading.Event()
        self.seen: dict[int, str] = {}
        self.unavailable = 0
        self.wrong: list[str] = []

    def run(self) -> None:
        while not self._over.wait(PAUSE_S):
            try:
                with self._node.imap(self._account) as imap:
                    self._read(imap)
            except imaplib.IMAP4.abort:
                self.unavailable += 1
            except imaplib.IMAP4.error as refusal:
                self._refused(str(refusal))
            except OSError:
                self.unavailable += 1

    def end(self) -> None:
        self._over.set()

    def _read(self, imap: imaplib.IMAP4) -> None:
        if not self._done(imap.select("INBOX", readonly=True)):
            return
        while not self._over.wait(4 * PAUSE_S):
            newest = max(self.seen, default=0)
            answer = imap.uid("FETCH", f"{newest + 1}:*", "(UID BODY.PEEK[HEADER.FIELDS (X-Identity)])")
            if self._done(answer):
                self._note(found_in(answer[1]))

    def _note(self, found: Sequence[tuple[int, str]]) -> None:
        for uid, identity in found:
            if self.seen.setdefault(uid, identity) != identity:
                self.wrong.append(f"{self.name}: UID {uid} was {self.seen[uid]}, then {identity}")

    def _done(self, answer: tuple[str, Sequence[object]]) -> bool:
        if answer[0] != "OK":
            self._refused(repr(answer))
        return answer[0] == "OK"

    def _refused(self, text: str) -> None:
        if "UNAVAILABLE" in text:
            self.unavailable += 1
        else:
            self.wrong.append(f"{self.name}: {text}")


class Load:
    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.senders = [Sender(node, number) for number, node in enumerate(cluster.nodes)]
        self.readers = [Reader(node, f"u{number % ACCOUNTS}@example.com") for number, node in enumerate(cluster.nodes)]

    @property
    def clients(self) -> tuple[Sender | Reader, ...]:
        return (*self.senders, *self.readers)

    def start(self) -> None:
        for client in self.clients:
            client.start()

    def end(self) -> None:
        for client in self.clients:
            client.end()
        for client in self.clients:
            client.join()

    def wait_until_flowing(self, *numbers: int, more: int = 5) -> None:
        """Until each of these nodes, or all, has taken so many messages more."""
        for number in numbers or range(len(self.senders)):
            self.wait_for_more(number, more)

    def wait_for_more(self, number: int, more: int) -> None:
        sender = self.senders[number]
        wanted = len(sender.accepted) + more
        wait_for(lambda: len(sender.accepted) >= wanted, timeout_s=RECOVERS_WITHIN_S, what=f"mail flows on {number}")

    def check(self) -> None:
        """Whatever went wrong: what was taken is there once, and nothing else but what nobody knows of."""
        assert [text for client in self.clients for text in client.wrong] == []
        accepted = {identity: to for sender in self.senders for identity, to in sender.accepted.items()}
        unknown = {identity: to for sender in self.senders for identity, to in sender.unknown.items()}
        for number in range(ACCOUNTS):
            self._check_account(f"u{number}@example.com", accepted, unknown)
        self._check_what_left(accepted)
        assert flaws(self._cluster) == []

    def _check_account(
        self, account: str, accepted: dict[str, tuple[str, ...]], unknown: dict[str, tuple[str, ...]]
    ) -> None:
        lists = [stored(node, account) for node in self._cluster.nodes if node.process is not None]
        assert all(each == lists[0] for each in lists), "nodes do not agree"
        uids = [uid for uid, _ in lists[0]]
        assert uids == sorted(set(uids))
        there = Counter(identity for _, identity in lists[0])
        wanted = {identity for identity, to in accepted.items() if _goes_to(account, to)}
        assert [identity for identity in wanted if there[identity] != 1] == []
        perhaps = {identity for identity, to in unknown.items() if _goes_to(account, to)}
        assert [identity for identity in there if identity not in wanted | perhaps or there[identity] != 1] == []
        for reader in self.readers:
            if reader.name == f"reader of {account}":
                assert set(reader.seen.items()) <= set(lists[0])

    def _check_what_left(self, accepted: dict[str, tuple[str, ...]]) -> None:
        wanted = {identity for identity, to in accepted.items() if to == ("leaving@example.com",)}

        wait_for(lambda: wanted <= set(left(self._cluster)), timeout_s=RECOVERS_WITHIN_S, what="the queue is sent")


@contextmanager
def under_load(cluster: Cluster) -> Iterator[Load]:
    """Flowing on every node; checked at the end."""
    load = Load(cluster)
    load.start()
    try:
        load.wait_until_flowing()
        yield load
    finally:
        load.end()
    load.check()


def left(cluster: Cluster) -> list[str]:
    """Identities of what was sent, in that order; more than once where an attempt was."""
    found = (IDENTITY.search(taken.content) for taken in cluster.sink.taken)
    return [identity[1].decode() for identity in found if identity]


def stored(node: Node, account: str) -> list[tuple[int, str]]:
    """UIDs and identities of its INBOX, in the server's order."""
    with node.imap(account) as imap:
        assert imap.select("INBOX", readonly=True)[0] == "OK"
        answer = imap.fetch("1:*", "(UID BODY.PEEK[HEADER.FIELDS (X-Identity)])")
    assert answer[0] == "OK"
    return found_in(answer[1])


def found_in(data: Sequence[object]) -> list[tuple[int, str]]:
    found = []
    for part in data:
        if isinstance(part, tuple):
            uid, identity = FETCHED.search(part[0]), IDENTITY.search(part[1])
            assert uid is not None
            assert identity is not None
            found.append((int(uid[1]), identity[1].decode()))
    return found


def _goes_to(account: str, to: tuple[str, ...]) -> bool:
    return account in to or (to == ("leaving@example.com",) and account == "u0@example.com")
