"""Accounts: looked for, shown, given a password, and what is signed in to them ended."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import pytest

from mailstack.model.app_password import ALL_SERVICES
from mailstack.model.principal import Account
from mailstack.model.resource import AccountBody, Kind, Operation, Resource, ResourceChange, fields_of
from mailstack.services.identity.app_passwords import Order, issue
from tests.support.admin_world import ADMIN, HOSTILE, USER, AdminWorld, admin_world, is_harmless
from tests.support.asking import PEER

PAGE = f"/admin/account?login={USER}"
ACTS = {
    "/admin/account/session/end": {"session": "x"},
    "/admin/account/app-password/revoke": {"app_password": "x"},
    "/admin/account/password": {},
}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[AdminWorld]:
    async with admin_world(tmp_path) as found:
        yield found


async def user(world: AdminWorld) -> Account:
    found = await world.store.accounts.find(USER)
    assert isinstance(found, Account)
    return found


@pytest.mark.parametrize(
    ("text", "found"), [("", {ADMIN, USER}), ("U1@", {USER}), ("canary", {ADMIN}), ("nobody", set()), ("%", set())]
)
async def test_what_is_looked_for(world: AdminWorld, text: str, found: set[str]) -> None:
    for path in ("/admin/accounts", "/admin/accounts/found"):
        reply = await world.get(f"{path}?q={text.replace('%', '%25')}")
        assert {login for login in (ADMIN, USER) if f">{login}</a>" in reply.text} == found
        assert is_harmless(reply)


async def test_an_account_with_all_that_others_named(world: AdminWorld) -> None:
    await world.cookie(USER)
    reply = await world.get(f"/admin/account?login={ADMIN}")
    assert reply.status_code == 200
    assert "&lt;script&gt;top.canary=1&lt;/script&gt;" in reply.text
    assert "Browser &lt;b&gt;1&lt;/b&gt;" in reply.text
    assert is_harmless(reply)


@pytest.mark.parametrize("login", ["nobody@example.com", "", HOSTILE, "U1@example.com"])
async def test_there_is_no_other_account(world: AdminWorld, login: str) -> None:
    assert (await world.get(f"/admin/account?{urlencode({'login': login})}")).status_code == 404


async def test_what_it_holds(world: AdminWorld) -> None:
    assert "0 messages, of any size" in (await world.get(f"/admin/account/use?login={USER}")).text


async def test_a_session_is_ended(world: AdminWorld) -> None:
    account, cookie = await user(world), await world.cookie(USER)
    (session,) = await world.store.web_sessions.of_account(account.account_id, now=world.clock())
    reply = await world.post(f"/admin/account/session/end?login={USER}", {"session": session.session_id})
    assert (reply.status_code, reply.headers["location"]) == (303, f"{PAGE.replace('@', '%40')}&told=session")
    assert '<p class="notice" role="status">The session is ended.</p>' in (await world.get(f"{PAGE}&told=session")).text
    assert await world.logins.find(cookie, peer_host="") is None


async def test_an_app_password_is_revoked(world: AdminWorld) -> None:
    account = await user(world)
    order = Order(name=HOSTILE, services=ALL_SERVICES, expires_at=None)
    made, _ = await issue(world.store.app_passwords, account.account_id, order, now=world.clock(), random=bytes(32))
    assert is_harmless(await world.get(PAGE))
    path = f"/admin/account/app-password/revoke?login={USER}"
    assert (await world.post(path, {"app_password": "nothing"})).status_code == 404
    assert (await world.post(path, {"app_password": made.app_password_id})).status_code == 303
    assert await world.store.app_passwords.of_account(account.account_id) == []


@pytest.mark.parametrize("path", ACTS)
async def test_only_administrators_act_and_only_from_here(world: AdminWorld, path: str) -> None:
    foreign = {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate", "Origin": "https://evil.example"}
    whole = f"{path}?login={USER}"
    assert (await world.post(whole, ACTS[path], headers=foreign)).status_code == 403
    assert (await world.post(whole, ACTS[path], cookie=await world.cookie(USER))).status_code == 401
    assert (await world.post(whole, ACTS[path], cookie="")).status_code == 401
    assert world.calls.asked == []


async def test_an_account_that_the_spec_gives_no_password_gets_one_that_is_shown_once(world: AdminWorld) -> None:
    cookie = await world.cookie(USER)
    assert "Give it a new password" in (await world.get(PAGE)).text
    reply = await world.post(f"/admin/account/password?login={USER}", {})
    found = re.search(r"<code>([a-z2-7-]{27})</code>", reply.text)
    assert found is not None
    assert await world.logins.find(cookie, peer_host="") is None
    signed_in, _ = await world.logins.open(USER, found[1], peer_host=PEER[0], agent="")
    assert signed_in.account.login == USER


async def test_a_password_of_the_spec_is_locked(world: AdminWorld) -> None:
    cookie = await world.cookie(USER)
    before = await user(world)
    snapshot = await world.store.state.snapshot({Kind.ACCOUNT})
    given = replace(snapshot.resources[Kind.ACCOUNT, USER], digests={"password": "of the spec's"})
    change = ResourceChange(operation=Operation.UPDATE, resource=given)
    await world.store.state.commit([change], base=snapshot.generation, spec_hash="")
    assert "It stands in the spec" in (await world.get(PAGE)).text
    reply = await world.post(f"/admin/account/password?login={USER}", {})
    assert "the password of this account stands in the spec" in reply.text
    assert (await user(world)).password_hash == before.password_hash
    assert await world.logins.find(cookie, peer_host="") is not None


async def test_what_was_applied_meanwhile_is_shown(world: AdminWorld) -> None:
    assert "new@example.com" not in (await world.get("/admin/accounts")).text
    body = AccountBody(name="", addresses=(), roles=(), abilities=("read",), quota_bytes=None)
    new = Resource(kind=Kind.ACCOUNT, name="new@example.com", fields=fields_of(body))
    state = world.store.state
    change = ResourceChange(operation=Operation.CREATE, resource=new)
    await state.commit([change], base=await state.generation(), spec_hash="")
    assert "new@example.com" in (await world.get("/admin/accounts")).text
