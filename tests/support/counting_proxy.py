"""A little HTTP server between a client and a service: it passes requests on, counts them, and fails on demand."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


@dataclass(slots=True)
class Passed:
    """requests: method and path of each that came. octets: of the bodies that went back. faults: what the next ones are
    answered with, instead of being passed on; as a negative number: after they were, so that only the answer is lost.
    """

    url: str = ""
    requests: list[str] = field(default_factory=list)
    octets: int = 0
    faults: list[int] = field(default_factory=list)


@contextmanager
def counting_proxy(service: str, *, drops: str = "", tls: ssl.SSLContext | None = None) -> Iterator[Passed]:
    """drops: a header field that the service does not know."""
    passed = Passed()
    host = urlsplit(service).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def pass_on(self) -> None:
            passed.requests.append(f"{self.command} {self.path}")
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            fault = passed.faults.pop(0) if passed.faults else 0
            if fault <= 0:
                connection = HTTPConnection(host, timeout=30)
                headers = {name: value for name, value in self.headers.items() if name.lower() != drops.lower()}
                connection.request(self.command, self.path, body, headers)
                answer = connection.getresponse()
                octets = answer.read()
                connection.close()
            if fault:
                return self.answer(abs(fault), {"Content-Length": "0"}, b"")
            headers = {name: value for name, value in answer.getheaders() if name.lower() not in HOP_BY_HOP}
            length = answer.getheader("Content-Length", "0") if self.command == "HEAD" else str(len(octets))
            headers["Content-Length"] = length
            passed.octets += len(octets)
            return self.answer(answer.status, headers, octets)

        def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = pass_on  # noqa: N815 - the library's names

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    passed.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{server.server_address[1]}"
    try:
        yield passed
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


HOP_BY_HOP = frozenset({"connection", "transfer-encoding", "content-length", "keep-alive"})
