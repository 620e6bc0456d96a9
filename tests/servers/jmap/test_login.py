"""Tokens in the Authorization field. RFC 6750."""

from base64 import b64encode
from dataclasses import replace

import httpx
import pytest

from mailstack.model.app_password import AppPassword, AppService, app_password_text
from mailstack.model.conduct import Offence
from mailstack.wire.jmap.session import API_PATH, SESSION_PATH
from tests.support.app_passwords import app_password_for
from tests.support.imap_server import DOMAIN
from tests.support.jmap_world import JmapWorld

NOBODYS = app_password_text(bytes(32))[1]
CHALLENGE = 'Basic realm="mailstack", charset="UTF-8", Bearer realm="mailstack"'


async def made(world: JmapWorld, *services: AppService, name: str = "u0") -> tuple[AppPassword, str]:
    account = await world.account(name)
    return await app_password_for(world.imap.store.app_passwords, account.account_id, *services)


async def shown(world: JmapWorld, authorization: str) -> httpx.Response:
    return await world.ask("GET", SESSION_PATH, headers={"Authorization": authorization})


def basic(name: str, password: str) -> str:
    return f"Basic {b64encode(f'{name}:{password}'.encode()).decode()}"


async def test_a_token_alone_names_its_account(world: JmapWorld) -> None:
    for name in ("u0", "u1"):
        _, text = await made(world, name=name)
        for authorization in (f"Bearer {text}", f"bearer  {text} ", basic(f"{name}@{DOMAIN}", text)):
            reply = await shown(world, authorization)
            assert (reply.status_code, reply.json()["username"]) == (200, f"{name}@{DOMAIN}")


async def test_one_that_is_revoked_is_none_at_once(world: JmapWorld) -> None:
    one, text = await made(world, AppService.JMAP)
    assert (await shown(world, f"Bearer {text}")).status_code == 200
    await world.imap.store.app_passwords.revoke(one.account_id, one.app_password_id)
    for authorization in (f"Bearer {text}", basic(f"u0@{DOMAIN}", text)):
        assert (await shown(world, authorization)).status_code == 401


@pytest.mark.parametrize("token", ["", "abc", "pw", "=", "a b", "a,b", NOBODYS])
async def test_what_is_no_token(world: JmapWorld, token: str) -> None:
    reply = await shown(world, f"Bearer {token}")
    assert (reply.status_code, reply.json()["title"]) == (401, "Authentication failed")
    assert reply.headers["www-authenticate"] == f'{CHALLENGE}, error="invalid_token"'


async def test_one_for_something_else_is_told_from_none_by_nobody(world: JmapWorld) -> None:
    _, text = await made(world, AppService.IMAP)
    for method, path in (("GET", SESSION_PATH), ("POST", API_PATH)):
        one, other = [
            await world.ask(method, path, headers={"Authorization": f"Bearer {token}"}) for token in (text, NOBODYS)
        ]
        assert {**one.json(), "request": ""} == {**other.json(), "request": ""}
        assert one.headers["www-authenticate"] == other.headers["www-authenticate"]
        assert (one.status_code, other.status_code) == (401, 401)


async def test_failures_count_for_a_ban(world: JmapWorld) -> None:
    noted: list[tuple[str, Offence]] = []
    world.service.conduct.note = lambda host, offence: noted.append((host, offence))  # type: ignore[method-assign]  # a record of what is noted
    await shown(world, f"Bearer {NOBODYS}")
    assert noted == [("203.0.113.7", Offence.FAILED_LOGIN)]


async def test_tokens_are_not_taken_in_the_clear(world: JmapWorld) -> None:
    _, text = await made(world)
    strict = replace(world, service=replace(world.service, plaintext_is_secure=lambda _: False))
    reply = await strict.ask(
        "GET", SESSION_PATH, base_url="http://mail.peer.test", headers={"Authorization": f"Bearer {text}"}
    )
    assert reply.status_code == 403
