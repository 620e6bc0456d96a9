"""Mail that comes in and is read on every node while something goes wrong, and what must be true of it afterwards."""

import imaplib
import random
import re
import smtplib
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import count

from tests.support.cluster import ACCOUNTS, Cluster, Node, flaws, look_into, waiting
from tests.support.sandbox import wait_for

PAUSE_S = 0.05
LARGE_EVERY, LARGE_BYTES = 6, 100_000
LEAVES_EVERY = 9
LEAVING = ("leaving@example.com",)
RECOVERS_WITHIN_S = 240.0
"""An account that a node wrote to when it was cut off is locked for a minute; a sender may wait for it twice."""
STORED_WITHIN_S = 300.0
"""By the schedule of the queue for what our own store could not take, after half a minute of faults."""
FETCHED = re.compile(rb"\(UID (\d+) ")
IDENTITY = re.compile(rb"X-Identity: (\S+)")


class Sender(threading.Thread):
    """accepted: the recipients of each message that got its 250. deferred: of those that got a 451. unknown: of those
    whose reply never came. A message is never sent a second time."""

    def __init__(self, node: Node, name: str, number: int) -> None:
        super().__init__(name=f"{name}-{number}")
        self._node = node
        self._chance = random.Random(number)
        self._over = threading.Event()
        self._ids = count()
        self.accepted: dict[str, tuple[str, ...]] = {}
        self.unknown: dict[str, tuple[str, ...]] = {}
        self.deferred: dict[str, tuple[str, ...]] = {}
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
        identity = f"{self.name}-{number}"
        to = tuple(self._chance.sample([f"u{each}@example.com" for each in range(ACCOUNTS)], 1 + number % 2))
        if number % LEAVES_EVERY == 0:
            to = LEAVING
        body = self._chance.randbytes(LARGE_BYTES // 2).hex() if number % LARGE_EVERY == 0 else "x" * 200
        lines = "\r\n".join(body[at : at + 70] for at in range(0, len(body), 70))
        try:
            content = f"X-Identity: {identity}\r\nSubject: {identity}\r\n\r\n{lines}\r\n"
            refused = smtp.sendmail("x@customer.example", to, content)
        except (smtplib.SMTPDataError, smtplib.SMTPSenderRefused) as refusal:
            self._refused(identity, to, [(refusal.smtp_code, refusal.smtp_error)])
        except smtplib.SMTPRecipientsRefused as refusal:
            self._refused(identity, to, refusal.recipients.values())
        except (OSError, smtplib.SMTPServerDisconnected):
            self.unknown[identity] = to
            raise
        else:
            # One of several may have been put off in RCPT: it gets nothing, and is none of those who have it.
            self.accepted[identity] = tuple(one for one in to if one not in refused)
            self._check_codes(refused.values())

    def _refused(self, identity: str, to: tuple[str, ...], replies: Iterable[tuple[int, bytes | str]]) -> None:
        self.deferred[identity] = to
        self._check_codes(replies)

    def _check_codes(self, replies: Iterable[tuple[int, bytes | str]]) -> None:
        self.wrong += [f"{self.name}: {code} {text!r}" for code, text in replies if not 400 <= code < 500]


class Reader(threading.Thread):
    """Of one account by IMAP, again and again. seen: what lay under each UID, which must never be another."""

    def __init__(self, node: Node, account: str, load: str) -> None:
        super().__init__(name=f"reader of {account}")
        self._node = node
        self._load = load
        self.account = account
        self._over = threading.Event()
        self.seen: dict[int, str] = {}
        self.unavailable = 0
        self.wrong: list[str] = []

    def run(self) -> None:
        while not self._over.wait(PAUSE_S):
            try:
                with self._node.imap(self.account) as imap:
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
                self._note(found_in(answer[1], self._load))

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
    """name: begins the identity of each message; a cluster may have borne other loads before."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self._cluster = cluster
        self._name = name
        self.senders = [Sender(node, name, number) for number, node in enumerate(cluster.nodes)]
        self.readers = [
            Reader(node, f"u{number % ACCOUNTS}@example.com", name) for number, node in enumerate(cluster.nodes)
        ]

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
        self._check_what_left()
        # What could not be stored for one of several recipients waits in the queue, which tries again soon.
        wait_for(lambda: not look_into(self._cluster, waiting), timeout_s=STORED_WITHIN_S, what="all of it is stored")
        for number in range(ACCOUNTS):
            self._check_account(f"u{number}@example.com")
        assert look_into(self._cluster, flaws) == []

    def _check_account(self, account: str) -> None:
        wanted = {identity for sender in self.senders for identity in _of(account, sender.accepted)}
        perhaps = {identity for sender in self.senders for identity in _of(account, sender.unknown)}
        # With several recipients, one may have it when the others' copies can neither be stored nor queued.
        perhaps |= {
            identity
            for sender in self.senders
            for identity in _of(account, sender.deferred)
            if len(sender.deferred[identity]) > 1 or sender.deferred[identity] == LEAVING
        }
        first, *others = [stored(node, account, self._name) for node in self._cluster.nodes if node.process is not None]
        assert all(each == first for each in others), "nodes do not agree"
        uids, identities = [uid for uid, _ in first], [identity for _, identity in first]
        assert uids == sorted(set(uids))
        assert [identity for identity, times in Counter(identities).items() if times != 1] == []
        assert set(identities) - wanted - perhaps == set()
        lost = sorted(wanted - set(identities))
        assert not lost, f"{account} has not {lost[:5]}, of {len(lost)} that were taken for it"
        for reader in self.readers:
            if reader.account == account:
                assert set(reader.seen.items()) <= set(first)

    def _check_what_left(self) -> None:
        wanted = {identity for sender in self.senders for identity, to in sender.accepted.items() if to == LEAVING}
        wait_for(lambda: wanted <= set(left(self._cluster)), timeout_s=RECOVERS_WITHIN_S, what="the queue is sent")


@contextmanager
def under_load(cluster: Cluster, name: str) -> Iterator[Load]:
    """Flowing on every node; checked at the end."""
    load = Load(cluster, name)
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


def stored(node: Node, account: str, load: str) -> list[tuple[int, str]]:
    """UIDs and identities of what lies in its INBOX of that load, in the server's order."""
    with node.imap(account) as imap:
        assert imap.select("INBOX", readonly=True)[0] == "OK"
        answer = imap.fetch("1:*", "(UID BODY.PEEK[HEADER.FIELDS (X-Identity)])")
    assert answer[0] == "OK"
    return found_in(answer[1], load)


def found_in(data: Sequence[object], load: str) -> list[tuple[int, str]]:
    found = []
    for part in data:
        if isinstance(part, tuple):
            uid, identity = FETCHED.search(part[0]), IDENTITY.search(part[1])
            assert uid is not None
            assert identity is not None
            found.append((int(uid[1]), identity[1].decode()))
    return [(uid, identity) for uid, identity in found if identity.startswith(f"{load}-")]


def _of(account: str, sent: Mapping[str, tuple[str, ...]]) -> set[str]:
    """What was sent to it."""
    to_leaving = account == "u0@example.com"
    return {identity for identity, to in sent.items() if account in to or (to_leaving and to == LEAVING)}
