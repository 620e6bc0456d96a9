"""Who is let in, what the pages may run, and that nothing that others wrote is more than text."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from mailstack.model.instant import HOUR_MS, MINUTE_MS, Instant, iso
from mailstack.servers.admin.entrance import LONGEST_MS
from mailstack.servers.admin.machine import WorkerProcess
from mailstack.servers.admin.templating import load_assets, span
from mailstack.servers.admin.visit import PAGES
from tests.support.admin_world import ADMIN, HOSTILE, HTMX, MACHINE, USER, AdminWorld, admin_world, is_harmless

SIGN_IN = '<form id="sign-in"'
PATHS = [path for path, _ in PAGES]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[AdminWorld]:
    async with admin_world(tmp_path) as found:
        yield found


@pytest.mark.parametrize("path", PATHS)
async def test_administrators_are_let_in(world: AdminWorld, path: str) -> None:
    reply = await world.get(path)
    assert (reply.status_code, reply.headers["cache-control"]) == (200, "no-store")
    assert f'<span class="who">{ADMIN}</span>' in reply.text
    assert f'<a href="{path}" aria-current="page">' in reply.text
    policy = reply.headers["content-security-policy"].split("; ")
    assert {"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"} <= {*policy}
    assert "unsafe" not in " ".join(policy)


@pytest.mark.parametrize("path", [*PATHS, "/admin/figures"])
async def test_all_others_are_asked_to_sign_in(world: AdminWorld, path: str) -> None:
    nobody = await world.get(path, cookie="")
    assert (nobody.status_code, nobody.headers["hx-refresh"]) == (401, "true")
    assert SIGN_IN in nobody.text
    user = await world.get(path, cookie=await world.cookie(USER))
    assert user.status_code == 401
    assert "not as an administrator" in user.text


async def test_a_login_is_good_for_twelve_hours(world: AdminWorld) -> None:
    cookie = await world.cookie()
    world.clock.advance(LONGEST_MS - HOUR_MS)
    assert (await world.get("/admin", cookie=cookie)).status_code == 200
    world.clock.advance(HOUR_MS)
    late = await world.get("/admin", cookie=cookie)
    assert late.status_code == 401
    assert "Please sign in again" in late.text


@pytest.mark.parametrize("path", PATHS)
async def test_pages_of_other_sites_get_nothing(world: AdminWorld, path: str) -> None:
    asked = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors", "Origin": "https://evil.example"}
    assert (await world.get(path, **asked)).status_code == 403


@pytest.mark.parametrize("path", PATHS)
async def test_what_others_wrote_is_text(world: AdminWorld, path: str) -> None:
    world.running = {
        "version": HOSTILE,
        "generation": 7,
        "started_at": HOSTILE,
        "workers": [1],
        "listeners": {HOSTILE: [(HOSTILE, 25)]},
        "reload": {"ok": False, "message": HOSTILE},
        "upkeep": {"next_at": HOSTILE, "message": "waits for " + HOSTILE},
        "drift": {"count": 2, "at": HOSTILE, "found": [f"dns_record {HOSTILE}", HOSTILE]},
    }
    assert is_harmless(await world.get(path))


async def test_all_that_a_page_names_is_there(world: AdminWorld) -> None:
    named = re.findall(r'(?:href|src)="(/admin/assets/[^"]+)"', (await world.get("/admin")).text)
    assert len(named) == 5
    for path in named:
        reply = await world.get(path, cookie="")
        assert (reply.status_code, reply.headers["cache-control"]) == (200, "public, immutable, max-age=31536000")
    assert (await world.get(f"/admin/assets/{load_assets().version}/../pages.py", cookie="")).status_code == 401
    assert (await world.get("/admin/assets/0/style.css", cookie="")).status_code == 404


async def test_what_needs_somebody_comes_first(world: AdminWorld) -> None:
    text = (await world.get("/admin")).text
    assert "All is well" in text
    assert "Generation 2" in text
    world.running = {
        "generation": 2,
        "reload": {"ok": False, "message": "no such key"},
        "drift": {"count": 3, "at": "x"},
    }
    text = (await world.get("/admin/figures")).text
    assert "The last change was refused: no such key" in text
    assert "3 not as applied" in text
    assert "All is well" not in text


async def test_the_machine_and_for_how_long_it_serves(world: AdminWorld) -> None:
    world.running = {"generation": 2, "started_at": iso(Instant(world.clock() - 50 * HOUR_MS)), "version": "9"}
    text = (await world.get("/admin")).text
    assert "Up 2 days, 2 hours" in text
    assert "60.0 GiB free" in text
    assert "80.0 MiB in memory" in text
    gone = WorkerProcess(pid=7, memory_bytes=None)
    world.machine = replace(MACHINE, name=HOSTILE, upkeep="another node", free_bytes=1 << 29, workers=(gone,))
    reply = await world.get("/admin/figures")
    assert is_harmless(reply)
    assert "The disk of the storage is nearly full: 512.0 MiB of 100.0 GiB are free" in reply.text
    assert "<dt>Upkeep</dt><dd>another node</dd>" in reply.text
    assert '<span class="fault">gone</span>' in reply.text


@pytest.mark.parametrize(
    ("minutes", "told"), [(0, "0 minutes"), (61, "1 hour, 1 minute"), (24 * 60, "1 day, 0 hours"), (59, "59 minutes")]
)
def test_lengths_are_told_in_their_two_largest_units(minutes: int, told: str) -> None:
    assert span(minutes * MINUTE_MS) == told


async def test_drift_is_named_until_a_look_finds_none(world: AdminWorld) -> None:
    found = ["account a@peer.test", *(f"dns_record r{number}.peer.test TXT" for number in range(7))]
    drift = {"count": 9, "at": "2026-11-30T06:00:01Z", "found": found}
    world.running = {"generation": 2, "drift": drift, "drift_checked_at": "2026-11-30T06:00:00Z"}
    text = (await world.get("/admin/figures")).text
    named = ", ".join(f"r{number}.peer.test TXT" for number in range(5))
    assert f"Not in DNS as it was applied, seen at 2026-11-30 06:00:01 UTC: {named} and more</a>" in text
    assert "2 not as applied" in text
    world.running["drift_checked_at"] = "2026-11-30T07:00:00Z"
    assert "All is well" in (await world.get("/admin/figures")).text


@pytest.mark.parametrize("path", ["/admin/nothing", "/admin/queue/item?id=99", "/admin/account?login=nobody"])
async def test_what_is_not_there_has_a_way_back(world: AdminWorld, path: str) -> None:
    whole = await world.get(path)
    assert (whole.status_code, '<a href="/admin">' in whole.text) == (404, True)
    assert whole.headers["content-security-policy"].startswith("default-src 'none'")
    part = await world.get(path, **HTMX)
    assert (part.status_code, "<html" in part.text, "There is nothing here" in part.text) == (404, False, True)


async def test_pages_of_other_sites_are_told_so_on_a_page(world: AdminWorld) -> None:
    asked = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors", "Origin": "https://evil.example"}
    refused = await world.get("/admin", **asked)
    assert (refused.status_code, '<a href="/admin">' in refused.text) == (403, True)


async def test_a_fault_of_ours_has_a_number_and_a_way_back(world: AdminWorld) -> None:
    world.running = {"generation": "none"}
    reply = await world.get("/admin")
    assert (reply.status_code, "Internal error" in reply.text, '<a href="/admin">' in reply.text) == (500, True, True)
    assert (await world.get("/admin/figures", **HTMX)).text.startswith('<section class="card stop">')
