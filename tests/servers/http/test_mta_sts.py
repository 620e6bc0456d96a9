"""MTA-STS policies under their hosts. RFC 8461 §3.2."""

import pytest

from mailstack.servers.http.service import HttpRole
from tests.support.http_world import HttpWorld, serving

POLICY = b"version: STSv1\r\nmode: testing\r\nmx: mail.example.com\r\nmax_age: 60\r\n"


def world() -> HttpWorld:
    return HttpWorld(policies={"mta-sts.example.com": POLICY, "mta-sts.example.net": POLICY + b"x: y\r\n"})


def get(host: str, path: str = "/.well-known/mta-sts.txt") -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()


async def test_each_domain_has_its_own_policy_as_plain_text() -> None:
    async with serving(world()) as served:
        client = await served.connect()
        reply = await client.ask(get("mta-sts.example.com"))
        assert (reply.status, reply.body) == (200, POLICY)
        assert reply.headers["content-type"].startswith("text/plain")
        assert (await client.ask(get("MTA-STS.example.net:443"))).body == POLICY + b"x: y\r\n"


@pytest.mark.parametrize(
    ("host", "path", "status"),
    [
        ("mta-sts.example.org", "/.well-known/mta-sts.txt", 421),
        ("example.com", "/.well-known/mta-sts.txt", 421),
        ("mail.example.com", "/.well-known/mta-sts.txt", 404),
        ("mta-sts.example.com", "/.well-known/mta-sts", 404),
        ("mta-sts.example.com", "/told", 404),
    ],
)
async def test_a_policy_host_has_a_policy_and_nothing_else(host: str, path: str, status: int) -> None:
    async with serving(world()) as served:
        client = await served.connect()
        assert (await client.ask(get(host, path))).status == status


async def test_without_tls_a_policy_is_only_pointed_at() -> None:
    async with serving(world(), HttpRole.PLAIN) as served:
        client = await served.connect()
        reply = await client.ask(get("mta-sts.example.com"))
        assert reply.headers["location"] == "https://mta-sts.example.com/.well-known/mta-sts.txt"
