"""The spec as it is shown, a change of it proposed, written, followed and taken back."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest

from mailstack.model.instant import iso
from mailstack.servers.calls import CallKind
from tests.support.admin_world import ADMIN, HOSTILE, USER, AdminWorld, admin_world, is_harmless

FORM = {"act": "set", "section": "accounts", "name": USER, "key": ["quota", "roles"], "v.roles": ["admin", HOSTILE]}
CHANGE = {"act": "set", "section": "accounts", "name": USER, "values": {"quota": "", "roles": f"admin {HOSTILE}"}}
DIFF = ["--- a", "+++ a", "@@ -1 +1 @@", f"-name: {HOSTILE}", "+name: Bob"]
PROPOSAL = {
    "file": HOSTILE,
    "diff": DIFF,
    "faults": [],
    "before": "b",
    "after": "a",
    "mode": "write",
    "can_write": True,
    "why_not": "",
    "notes": [HOSTILE],
}
WRITTEN = {"digest": HOSTILE, "file": HOSTILE, "written": "w", "diff": DIFF, "on_change": "apply", "notes": [HOSTILE]}
ROW = {
    "key": "quota",
    "words": [HOSTILE],
    "where": f"/etc/{HOSTILE}.yaml:7",
    "is_own": True,
    "form": "text",
    "choices": [],
    "hint": HOSTILE,
    "can_be_null": True,
    "is_required": False,
}
ENTRY = {
    "where": "x:1",
    "rows": [
        ROW,
        {**ROW, "key": "roles", "form": "choices", "choices": ["admin", HOSTILE], "words": ["admin"]},
        {**ROW, "key": "reply_to", "form": "choice", "choices": ["author", "list"], "words": ["list"]},
        {**ROW, "key": "members", "form": "list", "words": ["a@a.example", HOSTILE]},
        {**ROW, "key": "can", "is_own": False, "where": None, "words": []},
    ],
    "password": {"owner": "user", "where": None, "since": "2026-11-30T06:00:00Z"},
    "mode": "write",
    "is_applied": False,
}
POSTS: Mapping[str, Mapping[str, object]] = {
    "/admin/spec/proposal": FORM,
    "/admin/spec/write": {**FORM, "before": "b"},
    "/admin/spec/undo": {"written": "w"},
}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[AdminWorld]:
    async with admin_world(tmp_path) as found:
        yield found


def asked(world: AdminWorld) -> tuple[CallKind, Any]:
    ((call, content),) = world.calls.asked
    return call.kind, orjson.loads(content)


async def test_an_entry_says_who_says_what(world: AdminWorld) -> None:
    world.answers(**ENTRY)
    reply = await world.get(f"/admin/entry/fields?section=accounts&name={USER}")
    assert reply.text.count("locked by the spec") == 4
    assert "its user, since 2026-11-30 06:00:00 UTC" in reply.text
    assert ".yaml:7</code>" in reply.text
    assert "The spec was edited since it was applied" in reply.text
    assert '<input type="checkbox" name="v.roles" value="admin" checked>' in reply.text
    assert '<option value="list" selected>' in reply.text
    assert ">a@a.example\n&lt;script&gt;" in reply.text
    assert is_harmless(reply)
    assert asked(world) == (CallKind.ENTRY, {"section": "accounts", "name": USER})


async def test_where_nothing_may_be_changed_there_is_no_form(world: AdminWorld) -> None:
    world.answers(**{**ENTRY, "mode": "off"})
    for query in (f"section=accounts&name={USER}", "section=accounts"):
        reply = await world.get(f"/admin/entry/fields?{query}")
        assert "admin_edits is off" in reply.text
        assert "<form" not in reply.text


@pytest.mark.parametrize("section", ["accounts", "aliases", "lists", "domains"])
async def test_a_new_entry_is_asked_for(world: AdminWorld, section: str) -> None:
    world.answers(**{"rows": ENTRY["rows"], "mode": "propose"})
    assert (await world.get(f"/admin/entry/new?section={section}&at=a.example")).status_code == 200
    reply = await world.get(f"/admin/entry/fields?section={section}&at=a.example")
    assert 'value="@a.example"' in reply.text
    assert '<input type="hidden" name="act" value="add">' in reply.text
    assert is_harmless(reply)
    assert is_harmless(await world.get(f"/admin/entry/new?section={section}&at={HOSTILE.replace('#', '')}"))


@pytest.mark.parametrize("path", ["?section=relays&name=x", "?section=lists", "/new", "/fields?name=x"])
async def test_there_is_no_other_entry(world: AdminWorld, path: str) -> None:
    assert (await world.get(f"/admin/entry{path}")).status_code == 404


async def test_a_proposal_is_a_diff_that_can_be_written(world: AdminWorld) -> None:
    world.answers(**PROPOSAL)
    reply = await world.post("/admin/spec/proposal", FORM)
    assert '<span class="added">+name: Bob</span>' in reply.text
    assert asked(world) == (CallKind.PROPOSAL, CHANGE)
    for name, value in (("before", "b"), ("after", "a"), ("act", "set"), ("key", "quota"), ("v.quota", "")):
        assert f'<input type="hidden" name="{name}" value="{value}">' in reply.text
    assert is_harmless(reply)


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ({"can_write": False, "mode": "propose"}, "Take it into the spec"),
        ({"can_write": False, "why_not": HOSTILE}, "It cannot be written from here"),
        ({"faults": [HOSTILE]}, "would have faults"),
        ({"diff": []}, "It says so already"),
    ],
)
async def test_a_proposal_that_cannot_be_written(world: AdminWorld, found: Mapping[str, Any], told: str) -> None:
    world.answers(**{**PROPOSAL, **found})
    reply = await world.post("/admin/spec/proposal", {**FORM, "act": "remove"})
    assert told in reply.text
    assert "/admin/spec/write" not in reply.text
    assert is_harmless(reply)


async def test_what_is_taken_out_names_the_brake(world: AdminWorld) -> None:
    world.answers(**PROPOSAL)
    assert "allow_destroy" in (await world.post("/admin/spec/proposal", {**FORM, "act": "remove"})).text
    assert "allow_destroy" not in (await world.post("/admin/spec/proposal", FORM)).text


async def test_what_is_written_is_what_was_shown(world: AdminWorld) -> None:
    world.answers(**WRITTEN)
    reply = await world.post("/admin/spec/write", {**FORM, "before": "b", "after": "a"})
    assert asked(world) == (CallKind.WRITE, {**CHANGE, "before": "b", "after": "a", "by": ADMIN})
    assert 'hx-trigger="load, every 1s"' in reply.text
    assert '<input type="hidden" name="written" value="w">' in reply.text
    assert is_harmless(reply)


async def test_with_plan_only_what_is_written_is_planned(world: AdminWorld) -> None:
    world.answers(**{**WRITTEN, "on_change": "plan-only"})
    reply = await world.post("/admin/spec/write", {**FORM, "before": "b", "after": "a"})
    assert 'hx-get="/admin/plan/shown"' in reply.text
    assert "/admin/spec/applied" not in reply.text


async def test_a_write_is_taken_back(world: AdminWorld) -> None:
    world.answers(**WRITTEN)
    reply = await world.post("/admin/spec/undo", {"written": "w"})
    assert asked(world) == (CallKind.UNDO, {"written": "w"})
    assert "Taken back in" in reply.text
    assert "/admin/spec/undo" not in reply.text


async def test_the_last_writes(world: AdminWorld) -> None:
    edit = {
        "at": "2026-11-30T06:00:00Z",
        "by": HOSTILE,
        "what": HOSTILE,
        "diff": DIFF,
        "written": "w",
        "can_undo": True,
    }
    world.answers(**{"edits": [edit, {**edit, "can_undo": False}]})
    reply = await world.get("/admin/spec/edits")
    assert reply.text.count("/admin/spec/undo") == 1
    assert is_harmless(reply)
    world.calls.asked.clear()
    world.answers(**{"edits": []})
    assert "Nothing yet" in (await world.get("/admin/spec/edits")).text


async def test_a_write_is_followed_until_it_is_applied_or_refused(world: AdminWorld) -> None:
    now = iso(world.clock())
    path = f"/admin/spec/applied?digest=other&since={now}"
    assert (await world.get(path)).status_code == 204
    refused = {"at": "2000-01-01T00:00:00Z", "ok": False, "message": HOSTILE}
    world.running = {"reload": refused}
    assert (await world.get(path)).status_code == 204
    world.running = {"reload": {**refused, "at": now}}
    reply = await world.get(path)
    assert "It is not applied" in reply.text
    assert is_harmless(reply)
    applied = (await world.store.state.summary()).spec_hash
    reply = await world.get(f"/admin/spec/applied?{urlencode({'digest': applied})}")
    assert "Applied: generation 2" in reply.text


@pytest.mark.parametrize("path", POSTS)
async def test_only_administrators_act_and_only_from_here(world: AdminWorld, path: str) -> None:
    foreign = {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate", "Origin": "https://evil.example"}
    assert (await world.post(path, POSTS[path], headers=foreign)).status_code == 403
    assert (await world.post(path, POSTS[path], cookie=await world.cookie(USER))).status_code == 401
    assert (await world.post(path, POSTS[path], cookie="")).status_code == 401
    assert (await world.get(path)).status_code == 404
    assert world.calls.asked == []


@pytest.mark.parametrize("path", POSTS)
async def test_what_is_refused_is_told(world: AdminWorld, path: str) -> None:
    world.calls.status = 409
    world.answers(**{"title": "Conflict", "status": 409, "detail": HOSTILE})
    reply = await world.post(path, POSTS[path])
    assert ("Conflict" in reply.text, is_harmless(reply)) == (True, True)


async def test_a_section_that_is_none(world: AdminWorld) -> None:
    assert (await world.post("/admin/spec/proposal", {**FORM, "section": "dns"})).status_code == 400
