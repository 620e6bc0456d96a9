"""Bans: seen, lifted, and ordered by hand under the command's own rules."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mailstack.model.conduct import Ban
from mailstack.model.instant import DAY_MS, HOUR_MS, Instant
from tests.support.admin_world import HOSTILE, USER, AdminWorld, admin_world, is_harmless
from tests.support.asking import PEER

ADD, LIFT = "/admin/bans/add", "/admin/bans/lift"
WEEK = {"length": "7", "unit": "days", "reason": ""}
ACTS = {ADD: {"address": "192.0.2.9", **WEEK}, LIFT: {"peer": "192.0.2.1"}}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[AdminWorld]:
    async with admin_world(tmp_path) as found:
        yield found


async def banned(world: AdminWorld) -> list[Ban]:
    return list(await world.store.bans.in_force(now=world.clock()))


async def test_a_ban_is_lifted(world: AdminWorld) -> None:
    now = world.clock()
    await world.store.bans.put(Ban(peer="192.0.2.1", reason=HOSTILE, since=now, until=Instant(now + HOUR_MS), times=1))
    reply = await world.get("/admin/bans")
    assert "192.0.2.1" in reply.text
    assert is_harmless(reply)
    assert (await world.post(LIFT, {"peer": "192.0.2.1"})).headers["location"] == "/admin/bans?told=lift"
    assert "Nobody is banned." in (await world.get("/admin/bans")).text
    assert (await world.post(LIFT, {"peer": "192.0.2.1"})).headers["location"] == "/admin/bans?told=no-ban"


async def test_somebody_is_banned_by_hand(world: AdminWorld) -> None:
    form = {"address": " 2001:db8::7 ", "length": "2", "unit": "days", "reason": HOSTILE}
    reply = await world.post(ADD, form)
    assert (reply.status_code, reply.headers["location"]) == (303, "/admin/bans?told=ban")
    (found,) = await banned(world)
    assert (found.peer, found.reason, found.until - found.since) == ("2001:db8::/64", HOSTILE, 2 * DAY_MS)
    shown = await world.get(reply.headers["location"])
    assert "Banned, on all nodes." in shown.text
    assert is_harmless(shown)


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"address": HOSTILE}, "is no IP address"),
        ({"address": "127.0.0.1"}, "this machine itself is never banned"),
        ({"address": "198.51.100.7"}, "the spec says that 198.51.100.7 is never banned"),
        ({"address": PEER[0]}, "you are at 203.0.113.7 yourself"),
        ({"address": "192.0.2.1", "length": "0"}, "a number of minutes, hours or days"),
        ({"address": "192.0.2.1", "length": "99999"}, "a number of minutes, hours or days"),
        ({"address": "192.0.2.1", "unit": "years"}, "a number of minutes, hours or days"),
        ({"address": "192.0.2.1", "reason": "x" * 201}, "one line of at most 200 letters"),
        ({"address": "192.0.2.1", "reason": "a\nb"}, "one line of at most 200 letters"),
    ],
)
async def test_what_cannot_be_banned_is_said(world: AdminWorld, form: dict[str, str], told: str) -> None:
    reply = await world.post(ADD, {**WEEK, **form})
    assert (reply.status_code, told in reply.text) == (422, True)
    assert is_harmless(reply)
    assert await banned(world) == []


async def test_where_the_spec_bans_nobody_nobody_can_be_banned(world: AdminWorld) -> None:
    world.conduct.rules = None
    assert "nobody is banned" in (await world.get("/admin/bans")).text
    assert (await world.post(ADD, {"address": "192.0.2.1", **WEEK})).status_code == 422


@pytest.mark.parametrize("path", ACTS)
async def test_only_administrators_act_and_only_from_here(world: AdminWorld, path: str) -> None:
    now = world.clock()
    held = Ban(peer="192.0.2.1", reason="x", since=now, until=Instant(now + HOUR_MS), times=1)
    await world.store.bans.put(held)
    foreign = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert (await world.post(path, ACTS[path], headers=foreign)).status_code == 403
    assert (await world.post(path, ACTS[path], cookie=await world.cookie(USER))).status_code == 401
    assert (await world.post(path, ACTS[path], cookie="")).status_code == 401
    assert await banned(world) == [held]
