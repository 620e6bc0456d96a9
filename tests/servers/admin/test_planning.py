"""The plan as it is shown and carried out."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from mailstack.servers.calls import CallKind
from tests.support.admin_world import HOSTILE, OWN, USER, AdminWorld, admin_world, is_harmless

HASHES = {"spec_hash": "s", "live_hash": "l", "plan_hash": "p"}
CHANGE = {"operation": "destroy", "symbol": "-", "title": HOSTILE, "remark": HOSTILE, "lines": [HOSTILE]}
FOREIGN = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Origin": "https://evil.example"}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[AdminWorld]:
    async with admin_world(tmp_path) as found:
        yield found


def plan(**more: Any) -> bytes:
    """As the process that plans tells it."""
    stops = [
        {"brake": "mail", "subject": HOSTILE, "text": "holds mail", "release": "--allow-destroy 'o\"x@a.example'"},
        {"brake": "many", "subject": "accounts", "text": "many would go", "release": "--allow-many"},
    ]
    found = {
        **HASHES,
        "spec_path": HOSTILE,
        "generation": 2,
        "summary": {"create": 0, "update": 0, "move": 0, "destroy": 1},
        "changes": [{}],
        "warnings": [{"subject": HOSTILE, "text": HOSTILE}],
        "stops": stops,
        "by_hand": [{"zone": HOSTILE, "reason": HOSTILE, "records": [HOSTILE]}],
    }
    return orjson.dumps({"is_done": False, "plan": {**found, **more}, "shown": [CHANGE]})


async def test_a_plan_is_shown_with_its_brakes(world: AdminWorld) -> None:
    world.calls.chunks = (plan(),)
    reply = await world.get("/admin/plan/shown")
    assert reply.status_code == 200
    assert "0 to create, 0 to change, 1 to destroy" in reply.text
    assert '<span class="sign" aria-label="destroy">-</span>' in reply.text
    assert '<input type="hidden" name="plan_hash" value="p">' in reply.text
    assert '<input type="checkbox" name="destroy" value="o&#34;x@a.example">' in reply.text
    assert '<input type="checkbox" name="many" value="yes">' in reply.text
    assert is_harmless(reply)
    ((call, _),) = world.calls.asked
    assert (call.kind, call.may_apply, world.calls.closed) == (CallKind.OWN_PLAN, True, 1)


async def test_apply_releases_what_was_ticked_and_nothing_else(world: AdminWorld) -> None:
    steps = [
        {"step": "Made", "told": HOSTILE},
        {"step": "Applied", "generation": 3, "by_hand": [], "waiting_for_dns": [HOSTILE]},
    ]
    lines = b"".join(orjson.dumps(step) + b"\n" for step in steps)
    world.calls.chunks = (lines[:30], lines[30:])
    reply = await world.post("/admin/plan/apply", {**HASHES, "destroy": ["a@a.example"], "many": "yes"})
    assert "Applied: generation 3" in reply.text
    assert is_harmless(reply)
    ((call, content),) = world.calls.asked
    allow = {"destroy": ["a@a.example"], "last_admin": False, "many": True, "foreign": False}
    assert (call.kind, orjson.loads(content)) == (CallKind.OWN_APPLY, {"expected": HASHES, "allow": allow})
    assert world.calls.closed == 1


async def test_who_may_not_apply_applies_nothing(world: AdminWorld) -> None:
    assert (await world.post("/admin/plan/apply", HASHES, headers=FOREIGN)).status_code == 403
    assert (await world.post("/admin/plan/apply", HASHES, headers={})).status_code == 403
    assert (await world.post("/admin/plan/apply", HASHES, cookie="")).status_code == 401
    assert (await world.post("/admin/plan/apply", HASHES, cookie=await world.cookie(USER))).status_code == 401
    assert (await world.get("/admin/plan/apply")).status_code == 404
    assert world.calls.asked == []


async def test_what_is_refused_is_told(world: AdminWorld) -> None:
    world.calls.status = 409
    world.answers(title="Conflict", status=409, detail=HOSTILE)
    for reply in (
        await world.get("/admin/plan/shown"),
        await world.get("/admin/plan/drift"),
        await world.post("/admin/plan/apply", HASHES, headers=OWN),
    ):
        assert (reply.status_code, "Conflict" in reply.text, is_harmless(reply)) == (200, True, True)
    world.calls.is_busy = True
    assert "under way by the API already" in (await world.get("/admin/plan/shown")).text


async def test_drift_is_shown(world: AdminWorld) -> None:
    found = {
        "generation": 2,
        "spec_edited": True,
        "changes": [{}],
        "by_user": [{"kind": "account", "name": HOSTILE, "field": "password", "since": "2026-11-30T06:00:00Z"}],
        "by_hand": [{"zone": "z", "name": HOSTILE, "type": "TXT", "standing": "missing", "told": HOSTILE}],
        "warnings": [{"subject": HOSTILE, "text": HOSTILE}],
        "shown": [CHANGE],
    }
    world.answers(**found)
    reply = await world.get("/admin/plan/drift")
    assert "since 2026-11-30 06:00:00 UTC" in reply.text
    assert "was edited since" in reply.text
    assert is_harmless(reply)
