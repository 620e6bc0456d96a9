"""A host of pictures on loopback, in threads of its own: it notes what it is asked, and says what a test has it say."""

import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c63f8cfc0f01f00050001ff56c72f0d"
    "0000000049454e44ae426082"
)
"""One red dot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """content: as it comes, perhaps without an end."""

    content: Callable[[], Iterable[bytes]] = lambda: [PNG]
    status: int = HTTPStatus.OK
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "image/png"})


def of(content: bytes, media_type: str = "image/png") -> Page:
    return Page(content=lambda: [content], headers={"Content-Type": media_type})


def moved(to: str, status: int = HTTPStatus.FOUND) -> Page:
    return Page(content=list, status=status, headers={"Location": to})


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureAsked:
    """headers: by name in lower case."""

    path: str
    headers: dict[str, str]


@dataclass
class PictureServer:
    """pages: by path; a picture at all others."""

    port: int = 0
    pages: dict[str, Page] = field(default_factory=dict)
    asked: list[PictureAsked] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def paths(self) -> list[str]:
        return [each.path for each in self.asked]

    def url(self, path: str = "/a.png", *, host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    def drip(self) -> Iterator[bytes]:
        """A picture, slowly, and never all of it."""
        yield PNG[:40]
        while not self.ended.wait(0.01):
            yield b"x"

    def endless(self) -> Iterator[bytes]:
        yield PNG
        while not self.ended.is_set():
            yield b"x" * 65_536


@contextmanager
def picture_server(
    tls: ssl.SSLContext | None = None, *, host: str = "127.0.0.1", port: int = 0
) -> Iterator[PictureServer]:
    """host: an address of loopback. port: 0 for any."""
    found = PictureServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.append(
                PictureAsked(path=self.path, headers={name.lower(): value for name, value in self.headers.items()})
            )
            page = found.pages.get(self.path, Page())
            self.send_response(page.status)
            for name, value in page.headers.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                for piece in page.content():
                    self.wfile.write(piece)
                    self.wfile.flush()
            except OSError:
                pass  # nobody listens any more

        def log_message(self, *_arguments: Any) -> None:
            """Not on standard error."""

    server = ThreadingHTTPServer((host, port), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    found.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield found
    finally:
        found.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()
