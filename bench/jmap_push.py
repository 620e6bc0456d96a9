"""Pushes of JMAP: how soon a change over IMAP is at a push service, with and without encryption, and what one costs.

The budget is issue 10's: p50 under 100 ms.
"""

import http.client
import imaplib
import json
import statistics
import threading
import time
from base64 import b64encode, urlsafe_b64encode
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from secrets import token_bytes
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bench.appliance import DOMAIN, PASSWORD, Running, cpu_s, sandbox
from tests.support.push import decrypted

BUDGET_MS = 100
CHANGES = 25
SUBSCRIPTIONS = 8
REST_S = 1.2
"""More than a device is left alone for between two pushes."""
LONGEST_S = 60
MESSAGE = b"From: bob@x.example\r\nSubject: a push\r\n\r\nText\r\n"
RECEIVER = ec.generate_private_key(ec.SECP256R1())
POINT = RECEIVER.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
AUTH = token_bytes(16)
KEYS = {"p256dh": urlsafe_b64encode(POINT).decode(), "auth": urlsafe_b64encode(AUTH).decode()}

Pushed = tuple[float, bytes]
"""When, and what."""


class _Server(ThreadingHTTPServer):
    request_queue_size = 64
    """As many connections as there are subscriptions come at once; one too many would wait for a second."""


def main() -> None:
    arrived: SimpleQueue[Pushed] = SimpleQueue()
    server = _Server(("127.0.0.1", 0), _handler(arrived))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/"
    try:
        with sandbox() as running:
            for keys, kind in ((None, "plain"), (KEYS, "encrypted")):
                push_ids = [_subscribed(running, url, arrived, keys) for _ in range(SUBSCRIPTIONS)]
                _measure(running, arrived, kind)
                _ask(running, "PushSubscription/set", destroy=push_ids)
    finally:
        server.shutdown()
        server.server_close()


def _measure(running: Running, arrived: "SimpleQueue[Pushed]", kind: str) -> None:
    waits: list[float] = []
    with imaplib.IMAP4("127.0.0.1", running.port("imap"), timeout=30) as client:
        client.login(f"u0@{DOMAIN}", PASSWORD)
        before = cpu_s(running.pid)
        for _ in range(CHANGES):
            time.sleep(REST_S)
            client.append("INBOX", "", "", MESSAGE)
            since = time.perf_counter()
            waits += [(at - since) * 1_000 for at, _ in (arrived.get(timeout=LONGEST_S) for _ in range(SUBSCRIPTIONS))]
        cpu_ms = (cpu_s(running.pid) - before) / len(waits) * 1_000
    median, slow = statistics.median(waits), statistics.quantiles(waits, n=20)[-1]
    budget = f"(budget {BUDGET_MS}{'' if median <= BUDGET_MS else ', above it'})"
    print(
        f"change over IMAP to push, {kind}, {SUBSCRIPTIONS} subscriptions: p50 {median:.0f} ms {budget},"
        f" p95 {slow:.0f} ms, {cpu_ms:.1f} ms CPU each"
    )


def _subscribed(running: Running, url: str, arrived: "SimpleQueue[Pushed]", keys: object) -> str:
    new = {"deviceClientId": "bench", "url": url, "types": ["Email"], "keys": keys}
    made = _ask(running, "PushSubscription/set", create={"k": new})
    push_id: str = made["created"]["k"]["id"]
    _, body = arrived.get(timeout=LONGEST_S)
    change = {"verificationCode": _code(body)}
    _ask(running, "PushSubscription/set", update={push_id: change})
    return push_id


def _code(body: bytes) -> str:
    if not body.startswith(b"{"):
        body = decrypted(body, RECEIVER, AUTH)
    return str(json.loads(body)["verificationCode"])


def _ask(running: Running, name: str, **arguments: object) -> dict[str, Any]:
    client = http.client.HTTPConnection("127.0.0.1", running.port("http"), timeout=30)
    token = b64encode(f"u0@{DOMAIN}:{PASSWORD}".encode()).decode()
    content = json.dumps({"using": ["urn:ietf:params:jmap:core"], "methodCalls": [[name, arguments, "0"]]})
    headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}
    with closing(client):
        client.request("POST", "/jmap/api", body=content, headers=headers)
        ((_, found, _),) = json.loads(client.getresponse().read())["methodResponses"]
    return dict(found)


def _handler(arrived: "SimpleQueue[Pushed]") -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            at = time.perf_counter()
            arrived.put((at, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(201)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Nothing."""

    return Handler
