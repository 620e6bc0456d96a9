"""A server before pebble that adds what Debian's pebble does not have: renewal windows (RFC 9773), names for CAA, and
an order that takes its time. All else goes through as it came; pebble makes its URLs of the host that it is asked by.
"""

import json
import ssl
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import httpx
import trustme

from tests.support.pebble import Pebble

HOP_BY_HOP = {"connection", "content-length", "transfer-encoding", "content-encoding", "date"}


@dataclass(slots=True)
class Front:
    """pebble: as it is reached through here. window: what is said of every certificate. known: certificate ids that
    were asked for. replaced: what orders said that they replace; those that are in refused are refused. processing: the
    Retry-After of the first order, slow, which is under way for that many looks. contacts: of accounts, as they came.
    """

    pebble: Pebble
    window: Mapping[str, object] | None = None
    asked: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    contacts: list[list[str]] = field(default_factory=list)
    processing: Callable[[], str] | None = None
    looks: int = 0
    slow: str = ""

    def answer(self, path: str) -> tuple[int, object] | None:
        """None: pebble answers."""
        if not path.startswith("/renewal-info/"):
            return None
        self.asked.append(path.rpartition("/")[2])
        return (200, self.window) if self.window is not None else (404, {})

    def refusal(self, path: str, body: bytes) -> tuple[int, object] | None:
        payload = _payload(body)
        if path == "/order-plz":
            replaces = str(payload.get("replaces", ""))
            self.replaced.append(replaces)
            if replaces in self.refused:
                return 409, {"type": "urn:ietf:params:acme:error:alreadyReplaced", "detail": "it has a successor"}
        if "contact" in payload:
            self.contacts.append(payload["contact"])
        return None

    def changed(self, path: str, document: object) -> object:
        if path == "/dir" and isinstance(document, dict):
            document["renewalInfo"] = f"{self.pebble.directory.removesuffix('/dir')}/renewal-info"
            document["meta"]["caaIdentities"] = ["pebble.example"]
        if path.startswith("/my-order/") and self.looks and isinstance(document, dict):
            self.slow = self.slow or path
            if self.slow != path:
                return document
            self.looks -= 1
            document = {**document, "status": "processing"}
        return document


@contextmanager
def front_of(pebble: Pebble, folder: Path) -> Iterator[Front]:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "front.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    behind = pebble.directory.removesuffix("/dir")
    with httpx.Client(verify=False, timeout=30.0) as client:  # noqa: S501  on loopback, a made-up CA

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._pass_on(b"")

            def do_HEAD(self) -> None:
                self._pass_on(b"")

            def do_POST(self) -> None:
                self._pass_on(self.rfile.read(int(self.headers["Content-Length"])))

            def log_message(self, *_: object) -> None: ...

            def _pass_on(self, body: bytes) -> None:
                path = urlsplit(self.path).path
                own = front.answer(path) or (front.refusal(path, body) if body else None)
                if own is not None:
                    # A fresh nonce (RFC 8555 §6.5) comes with a refusal, too.
                    nonce = client.head(f"{behind}/nonce-plz").headers["Replay-Nonce"]
                    kind = "application/json" if own[0] == 200 else "application/problem+json"
                    headers = {"Content-Type": kind, "Replay-Nonce": nonce}
                    self._reply(own[0], headers, json.dumps(own[1]).encode())
                    return
                found = client.request(self.command, f"{behind}{self.path}", content=body, headers=dict(self.headers))
                headers = {name: text for name, text in found.headers.items() if name.lower() not in HOP_BY_HOP}
                content = found.content
                if "json" in headers.get("content-type", ""):
                    content = json.dumps(front.changed(path, found.json())).encode()
                if b'"processing"' in content and front.processing is not None:
                    headers["Retry-After"] = front.processing()
                self._reply(found.status_code, headers, content)

            def _reply(self, status: int, headers: Mapping[str, str], content: bytes) -> None:
                self.send_response(status)
                for name, text in {**headers, "Content-Length": str(len(content))}.items():
                    self.send_header(name, text)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        server.socket = context.wrap_socket(server.socket, server_side=True)
        directory = f"https://localhost:{server.server_address[1]}/dir"
        front = Front(replace(pebble, directory=directory, ca_file=str(folder / "front.pem")))
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield front
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def _payload(body: bytes) -> dict[str, list[str]]:
    encoded = json.loads(body).get("payload", "")
    text = urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
    found = json.loads(text) if text else {}
    return found if isinstance(found, dict) else {}
