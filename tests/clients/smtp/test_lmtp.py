"""LMTP: the server is where the mail ends, and answers for each recipient. RFC 2033."""

import asyncio
import os
import pwd
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailstack.model.delivery import Credentials, Delivered, HopProtocol, TlsMode
from mailstack.model.handling import Handling
from tests.clients.smtp.test_connect import ServerTls
from tests.support.outcomes import brief
from tests.support.running import DEADLINE_S
from tests.support.scripted_smtp import Peer, scripted_server
from tests.support.smtp_sender import Sender

LMTP = HopProtocol.LMTP
THREE = ("a@them.test", "b@them.test", "c@them.test")


@pytest.fixture
def near() -> Iterator[Path]:
    """A folder whose path is short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="lmtp") as folder:
        yield Path(folder)


@pytest.mark.parametrize("extensions", [("PIPELINING",), ()])
async def test_each_recipient_that_was_accepted_has_a_reply_after_the_dot(
    sender: Sender, extensions: tuple[str, ...]
) -> None:
    async def store(peer: Peer) -> None:
        await peer.hello(*extensions)
        await peer.exchange("250 ok", "250 ok", "550 5.1.1 no", "250 ok", "354 go")
        await peer.hear_content()
        await peer.say("250 2.1.5 stored\n452 4.2.2 full\n")
        await peer.exchange("221 bye")

    async with scripted_server(store) as server:
        outcomes = await sender.send(server.port, *THREE, protocol=LMTP)
    assert brief(outcomes) == ["Delivered 250 2.1.5", "Failed 550 5.1.1", "Deferred 452 4.2.2"]
    assert (server.heard[0], server.heard[-1]) == (b"LHLO us.test", b"QUIT")


@pytest.mark.parametrize("extensions", [("PIPELINING",), ()])
async def test_each_recipient_has_a_reply_after_the_last_chunk(sender: Sender, extensions: tuple[str, ...]) -> None:
    async def store(peer: Peer) -> None:
        await peer.hello("CHUNKING", *extensions)
        await peer.exchange("250 ok", "250 ok", "550 5.1.1 no", "250 ok")
        while not peer.heard[-1].endswith(b" LAST"):
            await peer.hear_chunk()
            await peer.say("250 2.0.0 octets\n" if not peer.heard[-1].endswith(b" LAST") else "")
        await peer.say("552 5.2.2 never\n250 2.1.5 stored\n")
        await peer.exchange("221 bye")

    async with scripted_server(store) as server:
        outcomes = await sender.send(server.port, *THREE, content=b"x" * 70 + b"\r\n" * 1_000_000, protocol=LMTP)
    assert brief(outcomes) == ["Failed 552 5.2.2", "Failed 550 5.1.1", "Delivered 250 2.1.5"]
    assert len([line for line in server.heard if line.startswith(b"BDAT")]) > 4


async def test_what_was_answered_before_a_loss_stays_answered(sender: Sender) -> None:
    async def store(peer: Peer) -> None:
        await peer.hello("PIPELINING")
        await peer.exchange("250 ok", "250 ok", "250 ok", "354 go")
        await peer.hear_content()
        await peer.say("250 2.1.5 stored\n")

    async with scripted_server(store) as server:
        outcomes = await sender.send(server.port, "a@them.test", "b@them.test", protocol=LMTP)
    # The second may have it: it is tried again, and nobody else is asked.
    assert brief(outcomes) == ["Delivered 250 2.1.5", "Deferred 451 4.4.2"]


@pytest.mark.parametrize("is_at_once", [True, False])
@pytest.mark.parametrize("protocol", [LMTP, HopProtocol.SMTP])
async def test_replies_to_more_recipients_than_were_asked_for_take_nothing_back(
    sender: Sender, protocol: HopProtocol, is_at_once: bool
) -> None:
    async def store(peer: Peer) -> None:
        await peer.hello("PIPELINING")
        await peer.exchange("250 ok", "250 ok", "250 ok", "354 go")
        await peer.hear_content()
        replies = ["250 2.1.5 stored\n"] * 4
        if is_at_once:
            await peer.say("".join(replies))
        else:
            await peer.say("".join(replies[: 2 if protocol is LMTP else 1]))
            await peer.hear()
            await peer.say("".join(replies))
        await peer.hear_out()

    async with scripted_server(store) as server:
        outcomes = await sender.send(server.port, "a@them.test", "b@them.test", protocol=protocol)
    assert brief(outcomes) == ["Delivered 250 2.1.5"] * 2


async def test_a_server_that_closes_in_the_middle_of_its_last_chunk_has_perhaps_taken_it(sender: Sender) -> None:
    async def store(peer: Peer) -> None:
        await peer.hello("PIPELINING", "CHUNKING")
        await peer.exchange("250 ok", "250 ok", "250 ok")
        await peer.hear_chunk()
        await peer.say("250 2.1.5 stored\n421 4.3.2 closing\n")

    async with scripted_server(store) as server:
        outcomes = await sender.send(server.port, "a@them.test", "b@them.test", protocol=LMTP)
    assert brief(outcomes) == ["Delivered 250 2.1.5", "Deferred 421 4.3.2"]
    assert len(server.connections) == 1


async def test_data_that_nobody_was_accepted_for_is_refused(sender: Sender) -> None:  # RFC 2033 §4.2
    async def store(peer: Peer) -> None:
        await peer.hello("PIPELINING")
        await peer.exchange("250 ok", "550 5.1.1 no", "503 5.5.1 nobody", "221 bye")

    async with scripted_server(store) as server:
        assert brief(await sender.send(server.port, protocol=LMTP)) == ["Failed 550 5.1.1"]
    assert server.heard[-1] == b"QUIT"


async def test_data_that_is_wrongly_accepted_for_nobody_is_not_waited_for(sender: Sender) -> None:
    async def store(peer: Peer) -> None:
        await peer.hello("PIPELINING")
        await peer.exchange("250 ok", "550 5.1.1 no", "354 go")
        await peer.hear_out()

    async with scripted_server(store) as server, asyncio.timeout(DEADLINE_S):
        assert brief(await sender.send(server.port, protocol=LMTP)) == ["Failed 550 5.1.1"]


async def test_mail_waits_while_the_server_knows_no_lhlo(sender: Sender) -> None:  # RFC 2033 §4.1
    async def smtp(peer: Peer) -> None:
        await peer.say("220 x\n")
        await peer.exchange("500 5.5.1 what?")
        await peer.hear_out()

    async with scripted_server(smtp) as server:
        outcomes = await sender.send(server.port, protocol=LMTP)
    assert brief(outcomes) == ["Deferred 451 4.5.0"]
    assert server.heard == [b"LHLO us.test"]


async def test_a_socket_of_this_machine_is_as_good_as_a_port(sender: Sender, near: Path) -> None:
    async def store(peer: Peer) -> None:
        await peer.hello("PIPELINING")
        await peer.take_mail()

    path = str(near / "lmtp")
    async with scripted_server(store, path=path) as server:
        outcomes = await sender.send(0, host="localhost", socket=path, tls=TlsMode.NONE, protocol=LMTP)
    assert brief(outcomes) == ["Delivered 250 2.0.0"]
    assert outcomes[0].host == "localhost"
    assert isinstance(outcomes[0], Delivered)
    assert outcomes[0].is_final
    assert server.heard[0] == b"LHLO us.test"


async def test_a_login_is_shown_to_whoever_has_the_socket(sender: Sender, near: Path) -> None:
    async def store(peer: Peer) -> None:
        await peer.hello("AUTH PLAIN")
        await peer.exchange("235 2.7.0 welcome")
        await peer.take_mail()

    path = str(near / "lmtp")
    async with scripted_server(store, path=path):
        login = Credentials(username="u", password="p")
        outcomes = await sender.send(
            0, host="localhost", socket=path, tls=TlsMode.NONE, protocol=LMTP, credentials=login
        )
    assert brief(outcomes) == ["Delivered 250 2.0.0"]


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("absent", "the socket PATH is not there: start the server that makes it, or correct its path in the spec"),
        ("stale", "nobody listens on the socket PATH: start the server that it belongs to"),
        ("file", "nobody listens on the socket PATH: start the server that it belongs to"),
        ("folder", "the socket PATH is not there: start the server that makes it, or correct its path in the spec"),
    ],
)
async def test_a_socket_that_nobody_answers_is_named_with_what_helps(
    sender: Sender, near: Path, kind: str, told: str
) -> None:
    path = near / ("gone/lmtp" if kind == "folder" else "lmtp")
    if kind == "stale":
        with socket.socket(socket.AF_UNIX) as left_behind:
            left_behind.bind(str(path))
    elif kind == "file":
        path.write_text("")
    (outcome,) = await sender.send(0, host="localhost", socket=str(path), tls=TlsMode.NONE, protocol=LMTP)
    assert (brief([outcome]), outcome.host) == (["Deferred 451 4.4.1"], "")
    assert outcome.reply.text == told.replace("PATH", str(path))


async def test_a_socket_that_may_not_be_used_is_told_with_who_may_not(
    sender: Sender, near: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Root may do anything, and tests run as root here and there.
    async def forbidden(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(asyncio, "open_unix_connection", forbidden)
    (outcome,) = await sender.send(0, host="localhost", socket=f"{near}/lmtp", tls=TlsMode.NONE, protocol=LMTP)
    user = pwd.getpwuid(os.geteuid()).pw_name
    told = f"the user {user} may not write to the socket {near}/lmtp, or not enter its folder: permit it"
    assert (brief([outcome]), outcome.reply.text) == (["Deferred 451 4.4.1"], told)


async def test_starttls_is_followed_by_lhlo(sender: Sender, server_tls: ServerTls) -> None:
    async def store(peer: Peer) -> None:
        await peer.hello("STARTTLS")
        await peer.start_tls(server_tls("mx.test"))
        await peer.ehlo("PIPELINING")
        await peer.take_mail()

    async with scripted_server(store) as server:
        outcomes = await sender.send(server.port, tls=TlsMode.STARTTLS, protocol=LMTP)
    assert brief(outcomes) == ["Delivered 250 2.0.0"]
    assert server.heard[:3] == [b"LHLO us.test", b"STARTTLS", b"LHLO us.test"]


@pytest.mark.parametrize(
    ("host", "expected", "heard"),
    [
        ("127.0.0.1", ["Delivered 250 2.0.0"], b"MAIL FROM:<a@us.test>"),
        ("mx.test", ["Failed 550 5.7.30"], b"QUIT"),
    ],
)
async def test_mail_that_requires_tls_may_end_on_this_machine_without(
    sender: Sender, host: str, expected: list[str], heard: bytes
) -> None:  # RFC 8689 §2, §4.4
    async def store(peer: Peer) -> None:
        await peer.hello()
        if host == "127.0.0.1":
            await peer.take_mail()
        else:
            await peer.exchange("221 bye")

    async with scripted_server(store) as server:
        outcomes = await sender.send(server.port, host=host, protocol=LMTP, handling=Handling(requires_tls=True))
    assert brief(outcomes) == expected
    assert server.heard[1] == heard


async def test_a_mailbox_server_that_promises_the_same_is_told_under_tls(sender: Sender, server_tls: ServerTls) -> None:
    async def store(peer: Peer) -> None:
        await peer.hello("STARTTLS", "REQUIRETLS")
        await peer.start_tls(server_tls("127.0.0.1"))
        await peer.ehlo("REQUIRETLS")
        await peer.take_mail()

    async with scripted_server(store) as server:
        outcomes = await sender.send(
            server.port, host="127.0.0.1", tls=TlsMode.STARTTLS, protocol=LMTP, handling=Handling(requires_tls=True)
        )
    assert brief(outcomes) == ["Delivered 250 2.0.0"]
    assert b"MAIL FROM:<a@us.test> REQUIRETLS" in server.heard
