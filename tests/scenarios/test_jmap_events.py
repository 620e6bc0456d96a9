"""JMAP's events on a whole appliance: across its workers, over TLS, through reloads, and until it ends."""

import base64
import imaplib
import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.support.over_sockets import CLIENT_S
from tests.support.sandbox import Sandbox, save, stop, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("web")]

MAIL = "urn:ietf:params:jmap:mail"
CORE = "urn:ietf:params:jmap:core"
MOST_TRIES = 60
MESSAGE = b"From: bob@x.example\r\nSubject: an event\r\n\r\nText\r\n"


class Stream:
    """Of events, in the clear, so that it can be told whose it is."""

    def __init__(self, sandbox: Sandbox, login: str = "alice@example.com", *, last: str = "") -> None:
        self.socket = socket.create_connection(("127.0.0.1", sandbox.port("http")), timeout=CLIENT_S)
        token = base64.b64encode(f"{login}:pw".encode()).decode()
        self.socket.sendall(
            "GET /jmap/events?types=*&closeafter=no&ping=0 HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Authorization: Basic {token}\r\n{f'Last-Event-ID: {last}' if last else 'X: x'}\r\n\r\n".encode()
        )
        self._lines = self.socket.makefile("rb")
        assert self._lines.readline() == b"HTTP/1.1 200 OK\r\n"
        self.id = self.hear(b"id: ")

    def hear(self, start: bytes) -> str:
        """The rest of the first line that starts so; "" at the end."""
        while line := self._lines.readline():
            if line.startswith(start):
                return line.removeprefix(start).decode().strip()
        return ""

    def changed(self) -> dict[str, dict[str, str]]:
        self.id = self.hear(b"id: ")
        found = json.loads(self.hear(b"data: "))["changed"]
        assert isinstance(found, dict)
        return found

    def close(self) -> None:
        self._lines.close()
        self.socket.close()


def worker_of(sandbox: Sandbox, connection: socket.socket) -> int:
    """The process that holds the other end."""
    ours, theirs = (f"{port:04X}" for port in (connection.getsockname()[1], connection.getpeername()[1]))
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    (inode,) = (row[9] for row in rows if row[1].endswith(f":{theirs}") and row[2].endswith(f":{ours}"))
    for pid in sandbox.workers():
        for file in Path(f"/proc/{pid}/fd").iterdir():
            try:
                if file.readlink().name == f"socket:[{inode}]":
                    return pid
            except OSError:
                continue
    raise AssertionError("nobody holds it")


def in_both_workers(sandbox: Sandbox, open_: ExitStack) -> tuple[Stream, imaplib.IMAP4]:
    """A stream in one worker, and a session of IMAP in the other."""
    stream = open_.enter_context(closing(Stream(sandbox)))
    own = worker_of(sandbox, stream.socket)
    for _ in range(MOST_TRIES):
        imap = open_.enter_context(imaplib.IMAP4("127.0.0.1", sandbox.port("imap"), timeout=CLIENT_S))
        if worker_of(sandbox, imap.socket()) != own:
            imap.login("alice@example.com", "pw")
            return stream, imap
    raise AssertionError("one worker has all of them")


def test_a_change_in_one_worker_is_told_by_the_other(sandbox: Sandbox) -> None:
    with ExitStack() as open_:
        stream, imap = in_both_workers(sandbox, open_)
        for count in range(1, 4):
            imap.append("INBOX", "", "", MESSAGE)
            (states,) = stream.changed().values()
            assert states["EmailDelivery"] == str(count)
        known = stream.id
        imap.append("INBOX", "", "", MESSAGE)
        with closing(Stream(sandbox, last=known)) as back:
            (states,) = back.changed().values()
            assert states["EmailDelivery"] == "4"


def test_a_reload_ends_no_stream_but_of_who_is_gone(sandbox: Sandbox, spec: Path) -> None:
    with closing(Stream(sandbox)) as stays, closing(Stream(sandbox, "bob@example.com")) as goes:
        text = spec.read_text().replace("  bob@example.com: {}\n", "  carol@example.com: {}\n")
        save(spec, text.replace(", bob@example.com]", "]"))
        wait_for(lambda: "carol@example.com" in sandbox.accounts_now(), what="the new spec is served")
        assert goes.hear(b"data: ") == ""
        with imaplib.IMAP4("127.0.0.1", sandbox.port("imap"), timeout=CLIENT_S) as imap:
            imap.login("alice@example.com", "pw")
            imap.append("INBOX", "", "", MESSAGE)
        (states,) = stays.changed().values()
        assert states["EmailDelivery"] == "1"
        stop(sandbox.process)
        assert stays.hear(b"data: ") == ""


@contextmanager
def web_socket(sandbox: Sandbox) -> Iterator[ClientConnection]:
    base_url = f"https://127.0.0.1:{sandbox.port('https')}"
    trusted = ssl.create_default_context(cafile=str(sandbox.ca))
    with httpx.Client(verify=trusted, timeout=CLIENT_S, base_url=base_url, auth=("alice@example.com", "pw")) as client:
        url = client.get("/jmap/session").json()["capabilities"]["urn:ietf:params:jmap:websocket"]["url"]
    token = base64.b64encode(b"alice@example.com:pw").decode()
    with connect(
        url,
        ssl=trusted,
        subprotocols=[Subprotocol("jmap")],
        additional_headers={"Authorization": f"Basic {token}"},
        proxy=None,
    ) as connection:
        yield connection


def test_a_web_socket_over_tls(sandbox: Sandbox) -> None:
    with web_socket(sandbox) as connection:

        def hear() -> Any:
            return json.loads(connection.recv(CLIENT_S))

        echo = ["Core/echo", {"text": "ü" * 400_000}, "c1"]
        connection.send(json.dumps({"@type": "Request", "id": "R1", "using": [CORE], "methodCalls": [echo]}))
        answer = hear()
        assert (answer["requestId"], answer["methodResponses"]) == ("R1", [echo])
        with imaplib.IMAP4("127.0.0.1", sandbox.port("imap"), timeout=CLIENT_S) as imap:
            imap.login("alice@example.com", "pw")
            imap.append("INBOX", "", "", MESSAGE)
            enable = {"@type": "WebSocketPushEnable", "dataTypes": ["EmailDelivery"], "pushState": "long ago"}
            connection.send(json.dumps(enable))
            for count in range(1, 4):
                change = hear()
                assert change["@type"] == "StateChange"
                assert [*change["changed"].values()] == [{"EmailDelivery": str(count)}]
                imap.append("INBOX", "", "", MESSAGE)
        sandbox.process.terminate()
        with pytest.raises(ConnectionClosed):  # noqa: PT012  # after what is still told
            while True:
                hear()
        assert connection.close_code == 1001
