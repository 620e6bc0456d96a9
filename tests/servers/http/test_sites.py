"""From `http` to `https`, and names that have pages of their own."""

import pytest

from mailstack.servers.http.service import HttpRole
from tests.support.http_world import HttpWorld, serving


@pytest.mark.parametrize(
    ("host", "target", "location"),
    [
        ("mail.example.com", "/", "https://mail.example.com/"),
        ("MAIL.example.com:80", "/a%20b/c?d=e%26f&g", "https://mail.example.com/a%20b/c?d=e%26f&g"),
        ("[::1]", "/x", "https://[::1]/x"),
        ("mail.example.com", "http://mail.example.com/x?y", "https://mail.example.com/x?y"),
        ("mail.example.com", "//evil.example/x", "https://mail.example.com//evil.example/x"),
        ("mail.example.com", "/%0a", None),
    ],
)
async def test_everything_else_is_sent_to_https_with_method_and_content(
    host: str, target: str, location: str | None
) -> None:
    async with serving(HttpWorld(), HttpRole.PLAIN) as world:
        client = await world.connect()
        reply = await client.ask(f"POST {target} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n".encode())
        assert (reply.status, reply.headers.get("location")) == ((308, location) if location else (400, None))


async def test_the_port_is_named_where_it_is_another() -> None:
    async with serving(HttpWorld(https_port=20443), HttpRole.PLAIN) as world:
        client = await world.connect()
        reply = await client.ask(b"GET /x HTTP/1.1\r\nHost: mail.example.com:20080\r\n\r\n")
        assert reply.headers["location"] == "https://mail.example.com:20443/x"


async def test_where_there_is_no_https_there_is_nothing() -> None:
    async with serving(HttpWorld(https_port=None), HttpRole.PLAIN) as world:
        client = await world.connect()
        assert (await client.ask(b"GET /x HTTP/1.1\r\nHost: mail.example.com\r\n\r\n")).status == 404
