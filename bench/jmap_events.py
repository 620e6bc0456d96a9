"""JMAP's events and WebSockets: what 500 of them keep in memory, and how soon a change over IMAP is told.

The budgets are BUDGETS.md's and issue 10's: 15 MB beside the base, p50 under 100 ms.
"""

import base64
import imaplib
import selectors
import socket
import ssl
import statistics
import time
from contextlib import ExitStack, closing
from typing import NoReturn

from bench.appliance import DOMAIN, PASSWORD, Running, cpu_s, pss_mb, sandbox

STREAMS = 500
BUDGET_MB = 15
BUDGET_MS = 100
CHANGES = 60
LISTENERS = 8
"""Enough for each worker to have some, and each IMAP connection's worker not to have others."""
IDLE_S = 5
SETTLE_S = 3.0
UPGRADE = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: jmap\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: permessage-deflate\r\n"
)
ENABLE = b'{"@type":"WebSocketPushEnable","dataTypes":null,"pushState":"x"}'
MESSAGE = b"From: bob@x.example\r\nSubject: an event\r\n\r\nText\r\n"


def main() -> None:
    with sandbox() as running:
        _latency(running)
    for service in ("http", "https"):
        for form in ("events", "ws"):
            with sandbox(accounts=STREAMS) as running:
                _memory(running, service, form)


def _memory(running: Running, service: str, form: str) -> None:
    # Logins, and the accounts' files, are in the base.
    for account in range(STREAMS):
        _listening(running, service, form, account).close()
    time.sleep(SETTLE_S)
    before = pss_mb(running.pid)
    with ExitStack() as streams:
        _open(running, service, form, streams, range(STREAMS))
        time.sleep(SETTLE_S)
        with_all, cpu = pss_mb(running.pid), cpu_s(running.pid)
        time.sleep(IDLE_S)
        idle = (cpu_s(running.pid) - cpu) / IDLE_S
    more = with_all - before
    budget = "" if service == "https" else f" (budget {BUDGET_MB}{'' if more <= BUDGET_MB else ', above it'})"
    print(
        f"{form} over {service}: {STREAMS} of as many accounts: {more:.1f} MB more{budget}, idle {idle:.1%} of a core"
    )


def _latency(running: Running) -> None:
    """From the answer to APPEND to the event, for every stream."""
    waits: list[float] = []
    with ExitStack() as open_:
        streams = _open(running, "http", "events", open_, [0] * LISTENERS)
        boxes = [open_.enter_context(_logged_in(running)) for _ in range(LISTENERS)]
        for number in range(CHANGES):
            boxes[number % LISTENERS].append("INBOX", "", "", MESSAGE)
            waits += _told(streams, time.perf_counter())
    median, slow = statistics.median(waits), statistics.quantiles(waits, n=20)[-1]
    budget = f"(budget {BUDGET_MS}{'' if median <= BUDGET_MS else ', above it'})"
    print(f"change over IMAP to event, {LISTENERS} streams: p50 {median:.0f} ms {budget}, p95 {slow:.0f} ms")


def _told(streams: list[socket.socket], since: float) -> list[float]:
    """How long it takes until each has said something, in ms."""
    waits = []
    with selectors.DefaultSelector() as selector:
        for stream in streams:
            selector.register(stream, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(10)
            if not ready:
                _fail("no event")
            for key, _ in ready:
                told = key.fileobj
                assert isinstance(told, socket.socket)
                assert b"event: state" in told.recv(65_536)
                waits.append((time.perf_counter() - since) * 1_000)
                selector.unregister(told)
    return waits


def _open(
    running: Running, service: str, form: str, open_: ExitStack, accounts: range | list[int]
) -> list[socket.socket]:
    return [open_.enter_context(closing(_listening(running, service, form, number))) for number in accounts]


def _listening(running: Running, service: str, form: str, account: int) -> socket.socket:
    stream = socket.create_connection((running.endpoints[service][0], running.port(service)), timeout=30)
    if service == "https":
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        stream = context.wrap_socket(stream)
    token = base64.b64encode(f"u{account}@{DOMAIN}:{PASSWORD}".encode()).decode()
    fields = f"Host: mail.{DOMAIN}\r\nAuthorization: Basic {token}\r\n"
    if form == "ws":
        stream.sendall(f"GET /jmap/ws HTTP/1.1\r\n{fields}{UPGRADE}\r\n".encode())
        _read_until(stream, b"\r\n\r\n")
        stream.sendall(b"\x81" + bytes((0x80 | len(ENABLE),)) + bytes(4) + ENABLE)
        _read_until(stream, b"StateChange")
    else:
        stream.sendall(f"GET /jmap/events?types=*&closeafter=no&ping=0 HTTP/1.1\r\n{fields}\r\n".encode())
        _read_until(stream, b"\n\n")
    return stream


def _read_until(stream: socket.socket, end: bytes) -> None:
    answer = b""
    while end not in answer:
        received = stream.recv(65_536)
        if not received:
            _fail(f"refused: {answer!r}")
        answer += received


def _logged_in(running: Running) -> imaplib.IMAP4:
    client = imaplib.IMAP4("127.0.0.1", running.port("imap"), timeout=30)
    client.login(f"u0@{DOMAIN}", PASSWORD)
    return client


def _fail(reason: str) -> NoReturn:
    raise RuntimeError(reason)


if __name__ == "__main__":
    main()
