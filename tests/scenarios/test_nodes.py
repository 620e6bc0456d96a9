"""Two nodes are one server: what is applied, delivered or flagged on one is there on the other within seconds."""

import imaplib
import json
import select
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

import pytest

from tests.support.cluster import CONNECTIONS, OF_ACCOUNT, SMTP, Cluster, Node, running_cluster
from tests.support.sandbox import MAILSTACK, save, wait_for
from tests.support.spam_mail import campaign_mail, ham_mail

# One cluster for all of them.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("nodes")]

SOON_S = 60.0
SETTLED_S = 4.0
"""In which each worker has looked at what the others told once more."""
Result = TypeVar("Result")


@pytest.fixture(scope="module", params=[True, False], ids=["nats", "notify"])
def cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with running_cluster(tmp_path_factory.mktemp("cluster"), has_nats=request.param) as found:
        yield found


def deliver(node: Node, text: str = "hello") -> None:
    with node.smtp() as smtp:
        smtp.sendmail("x@customer.example", ["u1@example.com"], f"Subject: {text}\r\n\r\n{text}\r\n")


def certificate(node: Node) -> bytes:
    with node.imap("u0@example.com") as imap:
        found = imap.sock.getpeercert(binary_form=True)  # type: ignore[attr-defined]  # it is a TLS one
    assert isinstance(found, bytes)
    return found


def told(node: Node, *command: str) -> object:
    process = node.run_here([*MAILSTACK, *command, str(node.spec), "--format", "json"])
    output, faults = process.communicate(timeout=120)
    assert process.returncode == 0, faults.decode()
    return json.loads(output)


def logs_in(node: Node, account: str) -> bool:
    try:
        with node.imap(account):
            return True
    except imaplib.IMAP4.error:
        return False


def wait_for_line(imap: imaplib.IMAP4, part: bytes) -> None:
    imap.sock.settimeout(SOON_S)
    while part not in (line := imap.readline()):
        assert line, f"the connection ended before {part!r}"


def idle(imap: imaplib.IMAP4) -> None:
    imap.send(b"i IDLE\r\n")
    wait_for_line(imap, b"+ ")


def test_certificates_and_dkim_keys_are_the_same_on_all_nodes(cluster: Cluster) -> None:
    one, two = cluster.nodes
    assert certificate(one) == certificate(two)
    keys = told(one, "dkim", "list")
    assert keys == told(two, "dkim", "list")
    assert keys


def test_what_is_applied_on_one_node_is_served_by_the_other_within_seconds(cluster: Cluster) -> None:
    one, two = cluster.nodes
    before = two.generation
    applying = one.apply("carol")
    _, faults = applying.communicate(timeout=120)
    assert applying.returncode == 0, faults.decode()
    for node in (one, two):
        wait_for(lambda node=node: node.generation == before + 1, timeout_s=SOON_S, what="the new generation")
        assert logs_in(node, "carol@example.com")
    # The files follow, as a checkout on each machine would: nothing is left to do.
    for node in (one, two):
        done = node.log.count('"nothing to change"')
        save(node.spec, node.spec_text("carol"))
        wait_for(
            lambda node=node, n=done: node.log.count('"nothing to change"') > n, timeout_s=SOON_S, what="it is read"
        )
        assert node.generation == before + 1


def test_who_idles_on_one_node_wakes_for_a_delivery_on_the_other(cluster: Cluster) -> None:
    one, two = cluster.nodes
    with two.imap("u1@example.com") as imap:
        imap.select("INBOX")
        idle(imap)
        deliver(one)
        wait_for_line(imap, b" EXISTS")


def test_a_flag_that_is_set_on_one_node_is_seen_on_the_other(cluster: Cluster) -> None:
    one, two = cluster.nodes
    deliver(two, "to be flagged")
    with one.imap("u1@example.com") as setting, two.imap("u1@example.com") as seeing:
        (count,) = setting.select("INBOX")[1]
        seeing.select("INBOX")
        idle(seeing)
        assert count is not None
        setting.store(count.decode(), "+FLAGS", "(\\Flagged)")
        wait_for_line(seeing, b"\\Flagged")


def test_what_the_spam_filter_learns_on_one_node_the_other_knows(cluster: Cluster, tmp_path: Path) -> None:
    one, two = cluster.nodes
    for name, raw in (("ham.eml", ham_mail()), ("spam.eml", campaign_mail(1))):
        (tmp_path / name).write_bytes(raw)
    learned = told(one, "spam", "train", "--ham", str(tmp_path / "ham.eml"), "--spam", str(tmp_path / "spam.eml"))
    assert isinstance(learned, dict)
    assert (learned["ham"], learned["spam"]) == (1, 1)
    for node in (one, two):
        mapped = node.folder / "state" / "spam" / "shared.model"
        # Sooner than by the look that is taken every minute.
        wait_for(mapped.exists, timeout_s=SOON_S / 2, what="the node has mapped it")


def test_a_peer_has_its_connections_once_for_both_and_again_when_a_node_has_died(cluster: Cluster) -> None:
    one, two = cluster.nodes
    with ExitStack() as held:
        crowd = [held.enter_context(one.namespace.connect(SMTP, timeout_s=SOON_S)) for _ in range(CONNECTIONS)]
        assert [is_greeted(each) for each in crowd] == [True] * CONNECTIONS
        wait_for(lambda: not lets_in(two), timeout_s=SOON_S, what="the other node knows")
        one.kill()
        wait_for(lambda: lets_in(two), timeout_s=2 * SOON_S, what="what a dead node counted is forgotten")
    one.start()
    one.wait_until_serving()


def test_an_account_has_its_connections_once_for_both(cluster: Cluster) -> None:
    one, two = cluster.nodes
    with ExitStack() as held:
        for _ in range(OF_ACCOUNT):
            held.enter_context(one.imap("u2@example.com"))
        wait_for(lambda: not logs_in(two, "u2@example.com"), timeout_s=SOON_S, what="the other node knows")
        assert logs_in(two, "u3@example.com")
        with pytest.raises(imaplib.IMAP4.error, match=r"\[LIMIT\] Too many connections"), one.imap("u2@example.com"):
            pass
    wait_for(lambda: logs_in(two, "u2@example.com"), timeout_s=SOON_S, what="those that ended are not counted")


def test_of_a_burst_on_both_nodes_an_address_keeps_its_limit(cluster: Cluster) -> None:
    with ExitStack() as held:
        opened = at_once(cluster, lambda node: connected(node, held), 6 * CONNECTIONS, held)
        greeted = [each for each in opened if is_greeted(each)]
        assert len(greeted) >= CONNECTIONS
        is_cut_back(greeted, CONNECTIONS)
        wait_for(lambda: not any(lets_in(node) for node in cluster.nodes), timeout_s=SOON_S, what="both know")
    wait_for(
        lambda: all(lets_in(node) for node in cluster.nodes), timeout_s=SOON_S, what="those that ended are not counted"
    )


def test_of_a_burst_on_both_nodes_an_account_keeps_its_limit(cluster: Cluster) -> None:
    with ExitStack() as held:
        clients = at_once(cluster, lambda node: logged_in(node, "u3@example.com", held), 3 * OF_ACCOUNT, held)
        sockets = [client.sock for client in clients if client is not None]
        assert len(sockets) >= OF_ACCOUNT
        is_cut_back(sockets, OF_ACCOUNT)
    wait_for(
        lambda: logs_in(cluster.nodes[0], "u3@example.com"), timeout_s=SOON_S, what="those that ended are not counted"
    )


def test_quick_connections_one_after_the_other_on_both_nodes_are_held_to_the_limit(cluster: Cluster) -> None:
    with ExitStack() as held:
        greeted = []
        for number in range(3 * CONNECTIONS):
            connection = connected(cluster.nodes[number % 2], held)
            if is_greeted(connection):
                greeted.append(connection)
        assert len(greeted) >= CONNECTIONS
        is_cut_back(greeted, CONNECTIONS)


def at_once(cluster: Cluster, connect: Callable[[Node], Result], attempts: int, held: ExitStack) -> list[Result]:
    """attempts: of all nodes together, as many on each; each in a thread of its own."""
    pool = held.enter_context(ThreadPoolExecutor(max_workers=attempts))
    return [*pool.map(lambda number: connect(cluster.nodes[number % len(cluster.nodes)]), range(attempts))]


def connected(node: Node, held: ExitStack) -> socket.socket:
    return held.enter_context(node.namespace.connect(SMTP, timeout_s=SOON_S))


def logged_in(node: Node, account: str, held: ExitStack) -> imaplib.IMAP4 | None:
    """None: it was one too many of the account. Those that are too many of the address as yet come again."""
    deadline = time.monotonic() + SOON_S
    while time.monotonic() < deadline:
        try:
            return held.enter_context(node.imap(account))
        except OSError:
            pass  # told to end, and gone before it was read
        except imaplib.IMAP4.error as fault:
            if "of this account" in str(fault):
                return None
    raise AssertionError("neither let in nor refused")


def still_open(sockets: Sequence[socket.socket]) -> list[socket.socket]:
    """Those to which nothing was said: what ends is told so first, or is reset."""
    ended, _, broken = select.select(sockets, [], sockets, 0)
    return [each for each in sockets if each not in ended and each not in broken]


def is_cut_back(sockets: Sequence[socket.socket], limit: int) -> None:
    """To the limit, give or take a tenth above it, and stays so: no fewer, once nothing is under way any more."""
    most = limit + limit // 10
    wait_for(lambda: len(still_open(sockets)) <= most, timeout_s=SOON_S, what="the surplus is parted with")
    settled = time.monotonic() + SETTLED_S
    wait_for(lambda: time.monotonic() > settled, timeout_s=SOON_S, what="time")
    assert limit <= len(still_open(sockets)) <= most


def is_greeted(connection: socket.socket) -> bool:
    return connection.recv(512).startswith(b"220")


def lets_in(node: Node) -> bool:
    with node.namespace.connect(SMTP, timeout_s=SOON_S) as connection:
        return is_greeted(connection)


def test_without_nats_who_idles_wakes_some_seconds_later(cluster: Cluster) -> None:
    one, two = cluster.nodes
    with two.imap("u1@example.com") as imap:
        imap.select("INBOX")
        idle(imap)
        cluster.nats.kill()
        try:
            deliver(one)
            wait_for_line(imap, b" EXISTS")
        finally:
            cluster.nats.start()


def test_three_nodes_are_one_server(tmp_path: Path) -> None:
    with running_cluster(tmp_path, clocks_ahead_s=(0, 0, 0), workers=1) as cluster:
        one, two, three = cluster.nodes
        with three.imap("u1@example.com") as imap:
            imap.select("INBOX")
            idle(imap)
            deliver(one)
            wait_for_line(imap, b" EXISTS")
        applying = two.apply("carol")
        _, faults = applying.communicate(timeout=120)
        assert applying.returncode == 0, faults.decode()
        for node in cluster.nodes:
            wait_for(lambda node=node: logs_in(node, "carol@example.com"), timeout_s=SOON_S, what="the new generation")
        with ExitStack() as held:
            for number in range(OF_ACCOUNT):
                held.enter_context(cluster.nodes[number % 3].imap("u2@example.com"))
            for node in cluster.nodes:
                wait_for(lambda node=node: not logs_in(node, "u2@example.com"), timeout_s=SOON_S, what="all are taken")
        one.kill()
        deliver(two, "while one is gone")
        with three.imap("u1@example.com") as imap:
            assert imap.select("INBOX")[1] == [b"2"]
