"""The API's client: what it sends, and what it says when something is wrong, against a real HTTPS server of a test."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import orjson
import pytest
import trustme

from mailstack.clients.api import ApiClient, ApiFailed


@dataclass
class ScriptedServer:
    """Answers every request alike, and remembers them. body: sent as it is."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, str, bytes]] = field(default_factory=list)
    port: int = 0
    ca: Path = Path()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def client(self) -> ApiClient:
        return ApiClient(self.url, "mst_token", ca=self.ca)


def handler_of(script: ScriptedServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            script.asked.append((self.path, str(self.headers["authorization"]), self.rfile.read(length)))
            self.send_response(script.status)
            for name, value in {"content-type": "application/json", **script.headers}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(script.body)))
            self.end_headers()
            self.wfile.write(script.body)

        do_POST = do_GET  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  http.server's name
            """Nothing to say."""

    return Handler


@contextmanager
def serving(script: ScriptedServer, folder: Path, *, name: str = "127.0.0.1") -> Iterator[ScriptedServer]:
    authority = trustme.CA()
    script.ca = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(script.ca))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    with HTTPServer(("127.0.0.1", 0), handler_of(script)) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        script.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield script
        finally:
            server.shutdown()
            thread.join()


def told_by(script: ScriptedServer, folder: Path) -> ApiFailed:
    with serving(script, folder):
        client = script.client()
        try:
            with pytest.raises(ApiFailed) as failed:
                client.plan({"bundle": {}})
        finally:
            client.close()
    return failed.value


def test_the_token_goes_into_the_field_and_the_request_into_the_content(tmp_path: Path) -> None:
    with serving(ScriptedServer(body=b'{"plan": {}}'), tmp_path) as script:
        client = script.client()
        assert client.plan({"bundle": {"main": "x"}}) == {"plan": {}}
        client.close()
    assert script.asked == [("/api/v1/plan", "Bearer mst_token", b'{"bundle":{"main":"x"}}')]


def test_the_steps_of_an_apply_come_one_by_one(tmp_path: Path) -> None:
    lines = [{"step": "Made", "kind": "dkim_key"}, {"step": "Applied", "generation": 2}]
    body = b"".join(orjson.dumps(line) + b"\n" for line in lines)
    with serving(ScriptedServer(body=body), tmp_path) as script:
        client = script.client()
        assert list(client.apply({})) == lines
        client.close()


@pytest.mark.parametrize(
    ("status", "headers", "told"),
    [
        (401, {}, "does not accept the token: said why"),
        (403, {}, "the token is not good for this: said why"),
        (404, {}, "has no such API: another server, or another version of mailstack"),
        (409, {}, "said why"),
        (413, {}, "said why"),
        (422, {}, "said why"),
        (429, {"Retry-After": "30"}, "is busy: said why; try again in 30 s"),
        (503, {}, "is busy: said why"),
        (500, {}, "answered 500: said why"),
        (308, {"Location": "https://elsewhere.example"}, "answered 308: said why"),
    ],
)
def test_a_refusal_is_told_with_what_to_do(tmp_path: Path, status: int, headers: dict[str, str], told: str) -> None:
    body = orjson.dumps({"title": "A title", "detail": "said why"})
    failed = told_by(ScriptedServer(status=status, headers=headers, body=body), tmp_path)
    assert str(failed).endswith(told)
    assert "mst_token" not in str(failed)


def test_faults_of_the_spec_are_handed_on(tmp_path: Path) -> None:
    faults = [{"file": "main", "line": 1, "column": 2, "path": "accounts", "message": "wrong"}]
    failed = told_by(ScriptedServer(status=422, body=orjson.dumps({"detail": "1 fault", "faults": faults})), tmp_path)
    assert list(failed.faults) == faults


@pytest.mark.parametrize("body", [b"<html>hello</html>", b"[]", b"", b"\xff"])
def test_a_server_that_is_no_mailstack_is_told_as_one(tmp_path: Path, body: bytes) -> None:
    assert "does not speak as a mailstack does" in str(told_by(ScriptedServer(body=body), tmp_path))
    assert "answered 502: Bad Gateway" in str(told_by(ScriptedServer(status=502, body=body), tmp_path))


def test_a_certificate_that_is_not_trusted_is_told_with_the_option_for_it(tmp_path: Path) -> None:
    with serving(ScriptedServer(), tmp_path) as script:
        client = ApiClient(script.url, "mst_token")
        with pytest.raises(ApiFailed, match=r"is not trusted: .*\(--ca FILE"):
            client.state()
        client.close()
    assert script.asked == []


def test_a_certificate_of_another_name_is_not_trusted(tmp_path: Path) -> None:
    with serving(ScriptedServer(), tmp_path, name="elsewhere.example") as script:
        client = script.client()
        with pytest.raises(ApiFailed, match="is not trusted: "):
            client.state()
        client.close()
    assert script.asked == []


def test_a_server_that_is_not_there_is_told_by_its_address() -> None:
    client = ApiClient("https://127.0.0.1:1", "mst_token")
    with pytest.raises(ApiFailed, match=r"https://127\.0\.0\.1:1 cannot be reached: Connection refused"):
        client.state()
    client.close()


@pytest.mark.parametrize(
    "url",
    [
        "mail.example.com",
        "http://mail.example.com",
        "https://",
        "https://mail.example.com/api",
        "https://user:pw@mail.example.com",
        "https://mail.example.com?x",
        "ftp://mail.example.com",
    ],
)
def test_only_https_and_a_host_name_a_server(url: str) -> None:
    with pytest.raises(ApiFailed):
        ApiClient(url, "mst_token")


def test_a_file_without_authorities_is_named(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(ApiFailed, match="holds no certificate authority"):
        ApiClient("https://mail.example.com", "mst_token", ca=tmp_path / "ca.pem")
