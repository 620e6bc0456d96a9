"""http-01. RFC 8555 §8.3."""

import pytest

from mailstack.model.challenge import Challenge, ChallengeKind
from mailstack.model.instant import Instant
from mailstack.servers.http.service import HttpRole
from tests.support.http_world import HttpWorld, serving
from tests.support.memory_challenges import MemoryChallenges

TOKEN = "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0"
VALUE = f"{TOKEN}.9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI"


def world() -> HttpWorld:
    proof = Challenge(kind=ChallengeKind.HTTP_01, name=TOKEN, value=VALUE, until=Instant(1_700_000_060_000))
    other = Challenge(kind=ChallengeKind.TLS_ALPN_01, name="mail.example.com", value="PEM", until=proof.until)
    return HttpWorld(challenges=MemoryChallenges(proof, other))


def get(token: str, host: str = "mail.example.com") -> bytes:
    return f"GET /.well-known/acme-challenge/{token} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()


@pytest.mark.parametrize("host", ["mail.example.com", "mta-sts.example.net:80", "not-yet-here.example"])
async def test_the_proof_is_shown_under_any_name_and_is_nothing_but_itself(host: str) -> None:
    async with serving(world(), HttpRole.PLAIN) as served:
        client = await served.connect()
        reply = await client.ask(get(TOKEN, host))
        assert (reply.status, reply.body) == (200, VALUE.encode())
        assert reply.headers["content-type"] == "application/octet-stream"


@pytest.mark.parametrize("token", ["unknown", "mail.example.com", "a" * 257, "..%2f" + TOKEN, TOKEN + "/x", "%00"])
async def test_anything_else_is_not_there(token: str) -> None:
    async with serving(world(), HttpRole.PLAIN) as served:
        client = await served.connect()
        assert (await client.ask(get(token))).status in (404, 400, 308)


async def test_a_proof_that_has_ended_is_not_there() -> None:
    async with serving(world(), HttpRole.PLAIN) as served:
        served.clock.advance(60_000)
        client = await served.connect()
        assert (await client.ask(get(TOKEN))).status == 404
