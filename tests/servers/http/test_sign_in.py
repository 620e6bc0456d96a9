"""Signing in and out, and who is believed to be signed in."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import orjson
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router

from mailstack.model.conduct import BanRules
from mailstack.model.ids import AccountId
from mailstack.model.principal import Ability, Account
from mailstack.model.resource import Operation
from mailstack.model.web_session import IDLE_MS
from mailstack.servers.http.sign_in import SIGN_IN_PATH, SIGN_OUT_PATH, SignInPages
from mailstack.servers.http.signed_in import COOKIE, SignedIn
from mailstack.services.identity.web_logins import USE_NOTED_EVERY_MS, WebLogins
from tests.support.account_changes import change_account
from tests.support.asking import BASE_URL, PEER, asked, floor_under
from tests.support.fake_clock import FakeClock
from tests.support.imap_server import DOMAIN, PASSWORD, RunningImap, running_imap

WHOAMI = "/whoami"
ALICE = f"u0@{DOMAIN}"
OWN = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    imap: RunningImap
    logins: WebLogins

    async def ask(self, method: str, path: str, **headers: str) -> httpx.Response:
        return await self.send(method, path, headers, None)

    async def sign_in(
        self, username: str = ALICE, password: str = PASSWORD, headers: Mapping[str, str] = OWN
    ) -> httpx.Response:
        content = orjson.dumps({"username": username, "password": password})
        return await self.send("POST", SIGN_IN_PATH, headers, content)

    async def who(self, cookie: str, headers: Mapping[str, str] = OWN, method: str = "GET") -> httpx.Response:
        return await self.send(method, WHOAMI, {"Cookie": f"{COOKIE}={cookie}", **headers}, None)

    async def send(self, method: str, path: str, headers: Mapping[str, str], content: bytes | None) -> httpx.Response:
        signed_in = SignedIn(web_logins=self.logins)

        async def whoami(request: Request) -> Response:
            return JSONResponse((await signed_in.require(request)).account.login)

        pages = SignInPages(signed_in=signed_in, conduct=self.imap.service.conduct).routes()
        router = Router([*pages, Route(WHOAMI, whoami, methods=["GET", "POST"])], redirect_slashes=False)
        return await asked(floor_under(router, self.logins.clock), method, path, headers={**headers}, content=content)


def cookie_of(reply: httpx.Response) -> str:
    return reply.cookies.get(COOKIE) or ""


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    numbers = iter(range(1, 1_000))
    async with running_imap(tmp_path, accounts=("u0", "u1")) as imap:
        service, store = imap.service, imap.store
        yield World(
            imap=imap,
            logins=WebLogins(
                login=service.sasl.login,
                accounts=store.accounts,
                sessions=store.web_sessions,
                clock=service.clock,
                token=lambda count: next(numbers).to_bytes(count),
            ),
        )


async def test_in_and_out(world: World) -> None:
    reply = await world.sign_in()
    assert (reply.status_code, reply.json()["login"]) == (200, ALICE)
    assert (await world.who(cookie_of(reply))).json() == ALICE
    again = await world.ask("GET", SIGN_IN_PATH, Cookie=f"{COOKIE}={cookie_of(reply)}", **OWN)
    assert (again.status_code, again.json()) == (200, reply.json())
    out = await world.ask("POST", SIGN_OUT_PATH, Cookie=f"{COOKIE}={cookie_of(reply)}", **OWN)
    assert out.headers["clear-site-data"] == '"storage"'
    assert (out.status_code, cookie_of(out)) == (204, "")
    assert (await world.who(cookie_of(reply))).status_code == 401
    assert (await world.ask("POST", SIGN_OUT_PATH, **OWN)).status_code == 204
    assert (await world.ask("GET", SIGN_IN_PATH, **OWN)).status_code == 401


async def test_the_cookie_is_for_this_host_and_for_no_script(world: World) -> None:
    (field_,) = (await world.sign_in()).headers.get_list("set-cookie")
    attributes = {each.strip().lower() for each in field_.split(";")[1:]}
    assert field_.startswith(f"{COOKIE}=")
    assert {"httponly", "secure", "samesite=strict", "path=/"} <= attributes
    assert not any(each.startswith("domain") for each in attributes)


@pytest.mark.parametrize(
    ("username", "password"), [(ALICE, "wrong"), (f"nobody@{DOMAIN}", PASSWORD), ("", ""), (ALICE, "")]
)
async def test_who_is_not_who_they_say(world: World, username: str, password: str) -> None:
    reply = await world.sign_in(username, password)
    assert (reply.status_code, reply.json()["title"]) == (401, "Wrong name or password")
    assert "set-cookie" not in reply.headers


async def test_failures_count_for_a_ban(world: World) -> None:
    conduct = world.imap.service.conduct
    conduct.rules = BanRules(after=3)
    while conduct.ban_of(PEER[0]) is None:
        assert (await world.sign_in(password="wrong")).status_code == 401
    assert (await world.sign_in()).status_code == 429


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"username": 1, "password": "x"}', b'{"username": "x"}'])
async def test_what_names_nobody(world: World, content: bytes) -> None:
    reply = await world.send("POST", SIGN_IN_PATH, OWN, content)
    assert reply.status_code == 400


async def test_a_cookie_from_before_a_login_is_none_after_it(world: World) -> None:
    first = cookie_of(await world.sign_in())
    reply = await world.sign_in(headers={"Cookie": f"{COOKIE}={first}", **OWN})
    assert cookie_of(reply) != first
    assert (await world.who(first)).status_code == 401
    # One that somebody else has put there is not taken over.
    planted = "A" * 43
    reply = await world.sign_in(headers={"Cookie": f"{COOKIE}={planted}", **OWN})
    assert cookie_of(reply) != planted


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("GET", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}, 403),
        ("GET", {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"}, 403),
        ("GET", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 200),
        ("GET", {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}, 200),
        ("GET", {}, 200),
        ("GET", {"Origin": "https://evil.example"}, 403),
        ("POST", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 403),
        ("POST", {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}, 403),
        ("POST", {"Sec-Fetch-Site": "cross-site", "Origin": BASE_URL}, 403),
        ("POST", {"Origin": "https://evil.example"}, 403),
        ("POST", {"Origin": BASE_URL.replace("https", "http")}, 403),
        ("POST", {"Origin": BASE_URL.rpartition(":")[0]}, 403),
        ("POST", {"Origin": "null"}, 403),
        ("POST", {}, 403),
        ("POST", {"Origin": BASE_URL}, 200),
        ("POST", OWN, 200),
    ],
)
async def test_a_cookie_counts_for_our_own_pages(
    world: World, method: str, headers: dict[str, str], status: int
) -> None:
    cookie = cookie_of(await world.sign_in())
    assert (await world.who(cookie, headers, method)).status_code == status


async def test_nobody_is_signed_in_from_elsewhere(world: World) -> None:
    reply = await world.sign_in(headers={"Origin": "https://evil.example"})
    assert (reply.status_code, cookie_of(reply)) == (403, "")


@pytest.mark.parametrize("cookie", ["", "x", "A" * 43, "A" * 44, "\x00" * 43])
async def test_other_cookies(world: World, cookie: str) -> None:
    headers = {"Cookie": f"{COOKIE}={cookie}", **OWN}
    assert (await world.send("GET", WHOAMI, headers, None)).status_code == 401


@pytest.mark.parametrize(
    ("operation", "password", "can"),
    [
        (Operation.UPDATE, "another", ()),
        (Operation.UPDATE, "", (Ability.SUBMIT,)),
        (Operation.DESTROY, "", ()),
    ],
)
async def test_a_session_ends_with_what_it_was_opened_by(
    world: World, operation: Operation, password: str, can: tuple[str, ...]
) -> None:
    cookie, other = [cookie_of(await world.sign_in(f"{name}@{DOMAIN}")) for name in ("u0", "u1")]
    await change_account(world.imap.store, ALICE, operation, password=password, can=can)
    assert (await world.who(cookie)).status_code == 401
    assert (await world.who(other)).json() == f"u1@{DOMAIN}"


async def test_a_session_is_kept_while_it_is_used(world: World) -> None:
    clock = FakeClock()
    used = replace(world, logins=replace(world.logins, clock=clock))
    cookie = cookie_of(await used.sign_in())
    for _ in range(3):
        clock.advance(IDLE_MS - 1)
        assert (await used.who(cookie)).status_code == 200
    clock.advance(IDLE_MS)
    assert (await used.who(cookie)).status_code == 401


async def test_its_last_use_is_about_known(world: World) -> None:
    clock = FakeClock()
    used = replace(world, logins=replace(world.logins, clock=clock))
    cookie = cookie_of(await used.sign_in())
    began = clock()
    uses = []
    for step in (1, USE_NOTED_EVERY_MS - 2, 1):
        clock.advance(step)
        await used.who(cookie)
        (session,) = await world.logins.sessions.of_account(await account_id_of(world), now=clock())
        uses.append(session.used_at - began)
    assert uses == [0, 0, USE_NOTED_EVERY_MS]


async def account_id_of(world: World) -> AccountId:
    account = await world.imap.store.accounts.find(ALICE)
    assert isinstance(account, Account)
    return account.account_id
