"""Messages: what is looked for is asked of the log, and what strangers chose is shown as text."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest

from mailstack.model.instant import DAY_MS, HOUR_MS
from mailstack.servers.calls import CallKind
from tests.support.admin_world import HOSTILE, USER, AdminWorld, admin_world, is_harmless

PARTS = ("/admin/messages/found?what=x", "/admin/messages/figures")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[AdminWorld]:
    async with admin_world(tmp_path) as found:
        yield found


def told(world: AdminWorld, **found: Any) -> None:
    world.answers(**{"node": "mx1", "goes_back_to": "2026-11-01T00:00:00Z", **found})


def story(trace: str = "t1", text: str = "x@y.example", **more: object) -> dict[str, Any]:
    step = {"at": "2026-11-30T12:00:00.123Z", "kind": "good", "title": text, "facts": [[text, text]]}
    return {
        "trace": trace,
        "at": "2026-11-30T12:00:00.123Z",
        "sender": text,
        "recipients": [text],
        "message_id": text,
        "outcome": text,
        "reason": text,
        "steps": [step, {**step, "facts": []}],
        **more,
    }


def figures(**more: object) -> dict[str, Any]:
    counts = {"received": 3, "refused": 1, "deferred": 0, "junk": 0, "delivered": 1_234, "sent": 0, "failed": 0}
    hours = [{"at": f"2026-11-30T{hour:02}:00:00Z", **counts} for hour in (11, 12)]
    return {"hours": hours, "sums": counts, "reasons": [["not found", 1]], "turned_away": 2, **more}


async def test_nothing_is_asked_before_somebody_looks_for_something(world: AdminWorld) -> None:
    text = (await world.get("/admin/messages")).text
    assert "hx-get" not in text
    assert 'placeholder="address, Message-ID or trace"' in text


async def test_what_is_looked_for_comes_once_the_page_is_there(world: AdminWorld) -> None:
    text = (await world.get("/admin/messages?what=%20a%26b%40x.example&since=1d")).text
    assert 'hx-get="/admin/messages/found?what=a%26b%40x.example&amp;since=1d"' in text
    assert '<option value="1d" selected>' in text
    assert world.calls.asked == []


async def test_several_mails_have_a_line_each_that_leads_to_its_story(world: AdminWorld) -> None:
    many = [f"r{number}@x.example" for number in range(5)]
    told(world, stories=[story("t2", recipients=many), story("t1")], is_cut=True)
    text = (await world.get("/admin/messages/found?what=x%40y.example&since=1d")).text
    assert 'href="/admin/messages?what=t2&amp;since=all"' in text
    assert "r2@x.example and 2 more" in text
    assert "The last 2;" in text
    assert "The log of mx1 begins in the hour from 2026-11-01 00:00:00 UTC." in text
    ((call, content),) = world.calls.asked
    now = world.clock()
    assert (call.kind, world.calls.closed) == (CallKind.MAILS, 1)
    assert orjson.loads(content) == {"what": "x@y.example", "since": now - DAY_MS, "until": now + 60_000}


async def test_one_mail_is_told_step_by_step(world: AdminWorld) -> None:
    told(world, stories=[story()], is_cut=False)
    text = (await world.get("/admin/messages/found?what=t1")).text
    assert '<summary class="good">x@y.example</summary>' in text
    assert '<time datetime="2026-11-30T12:00:00.123Z" class="faint">2026-11-30 12:00:00 UTC</time>' in text
    assert "<code>&lt;x@y.example&gt;</code>" in text


async def test_what_is_not_there_is_said_so(world: AdminWorld) -> None:
    told(world, stories=[], is_cut=False)
    assert "Nothing is known of <strong>x</strong> in the last week." in (await world.get(PARTS[0])).text
    told(world, stories=[], is_cut=False, goes_back_to="")
    assert "No log is kept here yet." in (await world.get(PARTS[0])).text
    told(world, **figures(), goes_back_to="")
    assert "No log is kept here yet." in (await world.get(PARTS[1])).text


async def test_a_period_that_is_none_is_the_usual_one(world: AdminWorld) -> None:
    told(world, stories=[], is_cut=False)
    await world.get("/admin/messages/found?what=x&since=../../etc")
    assert orjson.loads(world.calls.asked[0][1])["since"] == world.clock() - 7 * DAY_MS


async def test_mail_of_a_day_is_counted_and_drawn(world: AdminWorld) -> None:
    told(world, **figures())
    text = (await world.get(PARTS[1])).text
    assert '<dt>Delivered</dt><dd class="figure">1,234</dd>' in text
    assert text.count('<rect class="received"') == 2
    assert "4 in the fullest one" in text
    assert "<li>not found: 1</li>" in text
    assert "2 connections turned away" in text
    assert '<th scope="row">11-30 11:00</th><td class="number">3</td>' in text
    ((call, content),) = world.calls.asked
    asked = orjson.loads(content)
    assert call.kind is CallKind.MAIL_FIGURES
    assert asked["since"] % HOUR_MS == 0
    assert 23 * HOUR_MS <= world.clock() - asked["since"] < 24 * HOUR_MS


async def test_the_first_page_has_them_later(world: AdminWorld) -> None:
    assert 'hx-get="/admin/messages/figures" hx-trigger="load' in (await world.get("/admin")).text
    assert world.calls.asked == []


@pytest.mark.parametrize("number", [1, 2])
async def test_what_strangers_chose_is_text(world: AdminWorld, number: int) -> None:
    told(world, stories=[story(HOSTILE, HOSTILE)] * number, is_cut=True, node=HOSTILE, goes_back_to=HOSTILE)
    looked_for = urlencode({"what": HOSTILE, "since": HOSTILE})
    assert is_harmless(await world.get(f"/admin/messages?{looked_for}"))
    assert is_harmless(await world.get(f"/admin/messages/found?{looked_for}"))
    told(world, **figures(reasons=[[HOSTILE, 1]]), node=HOSTILE)
    assert is_harmless(await world.get(PARTS[1]))


@pytest.mark.parametrize("path", PARTS)
async def test_others_see_nothing(world: AdminWorld, path: str) -> None:
    assert (await world.get(path, cookie=await world.cookie(USER))).status_code == 401
    assert world.calls.asked == []


@pytest.mark.parametrize("path", PARTS)
async def test_a_log_that_is_asked_too_much_is_told(world: AdminWorld, path: str) -> None:
    world.calls.is_busy = True
    assert "Try again in a moment" in (await world.get(path)).text
