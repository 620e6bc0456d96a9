"""JMAP over HTTP: the session object, requests, and who is let in."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import orjson
import pytest

from mailstack.model.conduct import Offence
from mailstack.model.mailbox import MailboxRole
from mailstack.model.rights import Grant, parse_rights
from mailstack.servers.http.signed_in import COOKIE
from mailstack.servers.jmap.session import CAPABILITIES
from mailstack.wire.jmap.limits import JmapLimits
from mailstack.wire.jmap.session import API_PATH, CORE, SESSION_PATH, SIEVE, SUBMISSION, VACATION_RESPONSE
from tests.support.asking import PEER
from tests.support.imap_server import DOMAIN, PASSWORD
from tests.support.jmap_world import JmapWorld
from tests.support.stores import mailbox_with

PROBLEM = "application/problem+json"
EMPTY = orjson.dumps({"using": [], "methodCalls": []})
# RFC 8620 §4.1.1
ECHO = ["Core/echo", {"hello": True, "high": 5}, "b3ff"]


@pytest.mark.parametrize("path", [SESSION_PATH, "/.well-known/jmap", API_PATH])
async def test_the_session(world: JmapWorld, path: str) -> None:
    reply = await world.ask("GET", path)
    own = await world.account("u0")
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["cache-control"] == "no-store"
    found = reply.json()
    assert found["username"] == own.login
    assert list(found["accounts"]) == [own.account_id]
    assert found["apiUrl"] == "https://mail.peer.test:8443/jmap/api"
    assert found["capabilities"][CORE]["maxCallsInRequest"] == 64


async def test_accounts_of_others_come_and_go_with_what_they_share(world: JmapWorld) -> None:
    owner, viewer = await world.account("u1"), await world.account("u0")
    before = (await world.ask("GET", SESSION_PATH)).json()
    sent = await mailbox_with(world.imap.store, owner.account_id, MailboxRole.SENT)
    grant = Grant(identifier=viewer.login, account_id=viewer.account_id, rights=parse_rights("lr"))
    await world.imap.store.sharing.change(owner.account_id, sent, grant)
    after = (await world.ask("GET", SESSION_PATH)).json()
    shared = after["accounts"][owner.account_id]
    # Nobody sends in the name of who shares mailboxes with them, nor answers, nor filters.
    of_accounts = {urn for urn, each in CAPABILITIES.items() if each.of_account}
    assert {*shared.pop("accountCapabilities")} == of_accounts - {SUBMISSION, VACATION_RESPONSE, SIEVE}
    assert shared == {"name": owner.login, "isPersonal": False, "isReadOnly": False}
    assert after["state"] != before["state"]
    reply = await world.ask("POST", API_PATH, content=EMPTY)
    assert reply.json() == {"methodResponses": [], "sessionState": after["state"]}


async def test_the_urls_are_those_that_were_asked_for(world: JmapWorld) -> None:
    reply = await world.ask("GET", SESSION_PATH, base_url="https://[2001:db8::1]")
    assert reply.json()["apiUrl"] == "https://[2001:db8::1]/jmap/api"


async def test_echo(world: JmapWorld) -> None:
    assert await world.api(ECHO) == [ECHO]


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON ; charset=utf-8"])
async def test_created_ids_are_told_to_who_gave_some(world: JmapWorld, content_type: str) -> None:
    content = orjson.dumps({"using": [CORE], "methodCalls": [ECHO], "createdIds": {"a": "b"}})
    reply = await world.ask("POST", API_PATH, content=content, headers={"Content-Type": content_type})
    assert reply.json()["createdIds"] == {"a": "b"}


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/jsonp", "application/x-www-form-urlencoded"])
async def test_what_does_not_say_that_it_is_json(world: JmapWorld, content_type: str) -> None:
    reply = await world.ask("POST", API_PATH, content=EMPTY, headers={"Content-Type": content_type})
    assert problem(reply) == (
        400,
        "urn:ietf:params:jmap:error:notJSON",
        "send it with the Content-Type application/json",
    )


@pytest.mark.parametrize(
    ("content", "kind", "limit"),
    [
        (b"", "notJSON", ""),
        (b"{", "notJSON", ""),
        (b"{}", "notRequest", ""),
        (b'{"using": ["x"], "methodCalls": []}', "unknownCapability", ""),
        (orjson.dumps({"using": [], "methodCalls": [["a", {}, ""]] * 65}), "limit", "maxCallsInRequest"),
        (b" " * 10_000_001, "limit", "maxSizeRequest"),
        (b"[" * 1_000_000, "notJSON", ""),
    ],
)
async def test_what_is_no_request(world: JmapWorld, content: bytes, kind: str, limit: str) -> None:
    reply = await world.ask("POST", API_PATH, content=content)
    status, type_, _ = problem(reply)
    assert (status, type_) == (400, f"urn:ietf:params:jmap:error:{kind}")
    assert reply.json().get("limit", "") == limit


async def test_a_body_in_pieces_and_one_that_never_ends(world: JmapWorld) -> None:
    content = orjson.dumps({"using": [CORE], "methodCalls": [ECHO]})

    async def pieces(rest: bytes) -> AsyncIterator[bytes]:
        for at in range(len(rest)):
            yield rest[at : at + 1]

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b" " * 100_000

    assert (await world.ask("POST", API_PATH, content=pieces(content))).json()["methodResponses"] == [ECHO]
    assert (await world.ask("POST", API_PATH, content=endless())).json()["limit"] == "maxSizeRequest"


@pytest.mark.parametrize(("path", "method", "allowed"), [(API_PATH, "PUT", "POST"), (SESSION_PATH, "POST", "GET")])
async def test_other_methods_of_http(world: JmapWorld, path: str, method: str, allowed: str) -> None:
    reply = await world.ask(method, path)
    assert reply.status_code == 405
    assert allowed in reply.headers["allow"]


@pytest.mark.parametrize(
    ("authorization", "detail"),
    [
        ("", "send one Authorization field, with the word Basic or Bearer"),
        ("Digest abc", "send one Authorization field, with the word Basic or Bearer"),
        ("Basic", "the Authorization field holds no name and password"),
        ("Basic !!!", "the Authorization field is not base64 of UTF-8"),
        ("Basic /w==", "the Authorization field is not base64 of UTF-8"),
        ("Basic dTA=", "the Authorization field holds no name and password"),
    ],
)
async def test_who_does_not_say_who_they_are(world: JmapWorld, authorization: str, detail: str) -> None:
    reply = await world.ask("GET", SESSION_PATH, headers={"Authorization": authorization})
    assert problem(reply) == (401, None, detail)
    assert reply.headers["www-authenticate"] == 'Basic realm="mailstack", charset="UTF-8", Bearer realm="mailstack"'


@pytest.mark.parametrize(("login", "password"), [(f"u0@{DOMAIN}", "wrong"), (f"nobody@{DOMAIN}", "pw"), ("", "")])
@pytest.mark.parametrize(("method", "path"), [("GET", SESSION_PATH), ("POST", API_PATH)])
async def test_who_is_not_who_they_say(world: JmapWorld, login: str, password: str, method: str, path: str) -> None:
    reply = await world.ask(method, path, login=login, password=password)
    assert (reply.status_code, reply.json()["title"]) == (401, "Authentication failed")
    assert reply.headers["www-authenticate"].startswith("Basic ")


async def test_failures_count_for_a_ban(world: JmapWorld) -> None:
    noted: list[tuple[str, Offence]] = []
    world.service.conduct.note = lambda host, offence: noted.append((host, offence))  # type: ignore[method-assign]  # a record of what is noted
    await world.ask("GET", SESSION_PATH, password="wrong")
    await world.ask("GET", SESSION_PATH)
    assert noted == [("203.0.113.7", Offence.FAILED_LOGIN)]


async def test_passwords_are_not_taken_in_the_clear(world: JmapWorld) -> None:
    strict = replace(world, service=replace(world.service, plaintext_is_secure=lambda host: host == "127.0.0.1"))
    reply = await strict.ask("GET", SESSION_PATH, base_url="http://mail.peer.test")
    assert problem(reply) == (403, None, "ask by https")
    assert (await world.ask("GET", SESSION_PATH, base_url="http://mail.peer.test")).status_code == 200


async def test_pages_of_any_origin_may_ask(world: JmapWorld) -> None:
    preflight = await world.ask("OPTIONS", API_PATH, headers={"Origin": "https://a.example", "Authorization": ""})
    assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (204, "*")
    assert "Authorization" in preflight.headers["access-control-allow-headers"]
    for reply in (
        await world.ask("GET", SESSION_PATH),
        await world.ask("GET", SESSION_PATH, password="wrong"),
        await world.ask("POST", API_PATH, content=b"{"),
    ):
        assert reply.headers["access-control-allow-origin"] == "*"
        assert reply.headers["cross-origin-resource-policy"] == "cross-origin"
        assert "access-control-allow-credentials" not in reply.headers


@pytest.mark.parametrize(
    ("accepted", "is_compressed"),
    [
        ("gzip", True),
        ("deflate, gzip;q=0.5", True),
        ("br, *;q=0.1", True),
        ("", False),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip;q=0.000, br", False),
        ("notgzip", False),
    ],
)
@pytest.mark.parametrize("size", [2_000, 300_000])
async def test_answers_are_compressed_for_who_wants_that(
    world: JmapWorld, accepted: str, is_compressed: bool, size: int
) -> None:
    call = ["Core/echo", {"text": "x" * size}, "c"]
    content = orjson.dumps({"using": [CORE], "methodCalls": [call]})
    reply = await world.ask("POST", API_PATH, content=content, headers={"Accept-Encoding": accepted})
    assert (reply.headers.get("content-encoding") == "gzip") is is_compressed
    assert reply.json()["methodResponses"] == [call]
    assert reply.headers["vary"] == "Accept-Encoding"
    if is_compressed:
        assert int(reply.headers["content-length"]) < size // 10


async def test_requests_of_one_account_at_a_time(world: JmapWorld) -> None:
    few = replace(world, service=replace(world.service, limits=JmapLimits(concurrent_requests=1)))
    held = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield EMPTY[:5]
        held.set()
        await asyncio.Event().wait()

    first = asyncio.create_task(few.ask("POST", API_PATH, content=slow()))
    await held.wait()
    reply = await few.ask("POST", API_PATH, content=EMPTY)
    assert (reply.status_code, reply.json()["limit"]) == (400, "maxConcurrentRequests")
    other = await few.ask("POST", API_PATH, content=EMPTY, login=f"u1@{DOMAIN}")
    assert other.status_code == 200
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    assert (await few.ask("POST", API_PATH, content=EMPTY)).status_code == 200


def problem(reply: httpx.Response) -> tuple[int, str | None, str]:
    assert reply.headers["content-type"] == PROBLEM
    found = reply.json()
    assert found["status"] == reply.status_code
    return reply.status_code, found.get("type"), found.get("detail")


OWN_PAGE = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}


async def cookie_of(world: JmapWorld) -> dict[str, str]:
    logins = world.service.signed_in.web_logins
    _, cookie = await logins.open(f"u0@{DOMAIN}", PASSWORD, peer_host=PEER[0], agent="Firefox")
    return {"Cookie": f"{COOKIE}={cookie}"}


async def test_who_is_signed_in_on_a_page_of_ours(world: JmapWorld) -> None:
    headers = await cookie_of(world)
    reply = await world.ask("GET", SESSION_PATH, headers=headers | OWN_PAGE)
    assert (reply.status_code, reply.json()["username"]) == (200, f"u0@{DOMAIN}")
    reply = await world.ask("POST", API_PATH, headers=headers | OWN_PAGE, content=EMPTY)
    assert reply.json()["methodResponses"] == []


@pytest.mark.parametrize("headers", [{}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
async def test_a_page_of_another_site_is_nobody(world: JmapWorld, headers: dict[str, str]) -> None:
    reply = await world.ask("POST", API_PATH, headers=await cookie_of(world) | headers, content=EMPTY)
    assert reply.status_code == 403


async def test_a_cookie_does_not_stand_in_for_a_wrong_password(world: JmapWorld) -> None:
    headers = await cookie_of(world) | OWN_PAGE | {"Authorization": "Basic dTA6d3Jvbmc="}
    assert (await world.ask("GET", SESSION_PATH, headers=headers)).status_code == 401


async def test_no_browser_is_made_to_ask_for_a_password_over_our_page(world: JmapWorld) -> None:
    reply = await world.ask("GET", SESSION_PATH, headers={"Cookie": f"{COOKIE}={'A' * 43}"} | OWN_PAGE)
    assert (reply.status_code, reply.headers["www-authenticate"]) == (401, 'Bearer realm="mailstack"')
