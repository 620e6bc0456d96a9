"""Forms and queries of admin's pages that hold what no page of ours would send: refused, or text like any other, on
both engines."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

import pytest

from mailstack.model.resource import AccountBody, Kind, Operation, Resource, ResourceChange, body_of, fields_of
from mailstack.servers.admin.pages import AdminPages
from mailstack.servers.admin.service import AdminService
from tests.support.admin_world import ADMIN, AdminWorld, admin_world, is_harmless

# What PostgreSQL's texts cannot hold, what is no text, markup, templates, and more than fits.
ODD = (
    "\0",
    "a\0@example.com",
    "\ud800",
    "\uffff",
    "\u202e",
    "{{ 7 * 7 }}",
    "<img src=x>",
    "' OR 1=1 --",
    "%",
    "x" * 150,
)
NUMBERS = ("-1", "9" * 30, "0", "1e9", "\u0661", "")
# All names that a page of admin's reads.
FIELDS = (
    *("login", "sender", "recipient", "domain", "reply", "item", "act", "all", "confirmed", "after", "zone", "told"),
    *("address", "length", "unit", "reason", "peer", "session", "app_password", "key", "name", "section", "at", "q"),
    *("spec_hash", "live_hash", "plan_hash", "destroy", "id", "done", "left", "notices", "value", "text", "since"),
)


def routes(method: str) -> Iterator[str]:
    for route in AdminPages(service=cast(AdminService, None)).routes():
        if method in (route.methods or ()) and "{" not in route.path:
            yield route.path


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[AdminWorld]:
    async with admin_world(tmp_path) as found:
        yield found


@pytest.mark.parametrize("value", [*ODD, *NUMBERS], ids=ascii)
async def test_no_value_is_a_bug(world: AdminWorld, value: str) -> None:
    world.calls.status, world.calls.chunks = 422, (b'{"title": "x", "status": 422}',)
    cookie = await world.cookie()
    form = dict.fromkeys(FIELDS, value.encode("utf-8", "surrogatepass"))
    for acts in ({}, {"act": "drop", "all": "yes", "confirmed": "yes"}):
        for path in routes("POST"):
            if "apply" not in path:
                for query in ("", f"?{urlencode({'login': ADMIN})}"):
                    reply = await world.post(path + query, {**form, **acts}, cookie=cookie)
                    assert reply.status_code < 500, (path, reply.text)
                    assert is_harmless(reply), path
    for path in routes("GET"):
        reply = await world.get(f"{path}?{urlencode(form)}", cookie=cookie)
        assert reply.status_code < 500, (path, reply.text)


async def test_a_role_that_is_taken_away_is_gone_at_once(world: AdminWorld) -> None:
    cookie = await world.cookie()
    assert (await world.get("/admin", cookie=cookie)).status_code == 200
    state = world.store.state
    resource = (await state.snapshot({Kind.ACCOUNT})).resources[Kind.ACCOUNT, ADMIN]
    body = replace(body_of(AccountBody, resource), roles=())
    changed = Resource(kind=Kind.ACCOUNT, name=ADMIN, fields=fields_of(body))
    change = ResourceChange(operation=Operation.UPDATE, resource=changed)
    await state.commit([change], base=await state.generation(), spec_hash="x")
    cast(Any, world.store.accounts).recheck()
    for path in ("/admin", "/admin/queue"):
        assert (await world.get(path, cookie=cookie)).status_code == 401
    assert (await world.post("/admin/bans/add", {"address": "192.0.2.1"}, cookie=cookie)).status_code == 401
    assert not await world.store.bans.in_force(now=world.clock())
