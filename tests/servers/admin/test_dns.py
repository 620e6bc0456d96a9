"""DNS: what the spec wants at once, and how it stands zone by zone."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from mailstack.servers.admin.dns import ASKED_AT_ONCE
from mailstack.servers.calls import CallKind
from tests.support.admin_world import HOSTILE, AdminWorld, admin_world, is_harmless

RECORD = {
    "name": HOSTILE,
    "type": "TXT",
    "ttl_s": 300,
    "values": [HOSTILE],
    "published_by": HOSTILE,
    "note": "the DKIM key that signs",
}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[AdminWorld]:
    async with admin_world(tmp_path) as found:
        yield found


def zones(*names: str) -> list[dict[str, Any]]:
    return [{"zone": name, "records": [RECORD], "lines": [HOSTILE]} for name in names]


def looked(**more: Any) -> dict[str, Any]:
    return {
        **RECORD,
        "state": "ok",
        "told": "",
        "owner": "mailstack",
        "published": None,
        "servers": [],
        "unseen": "",
        **more,
    }


async def test_what_the_spec_wants_is_there_before_anybody_is_asked(world: AdminWorld) -> None:
    assert 'hx-get="/admin/dns/zones?q=&amp;ask="' in (await world.get("/admin/dns")).text
    world.answers(zones=zones(HOSTILE, ""), spec_edited=True)
    reply = await world.get("/admin/dns/zones")
    assert is_harmless(reply)
    assert reply.text.count('hx-trigger="load"') == 2
    assert "Names in no zone of the spec" in reply.text
    assert "was edited since" in reply.text
    assert "asking …" in reply.text
    assert 'data-copies="lines-1"' in reply.text
    ((call, _),) = world.calls.asked
    assert call.kind is CallKind.RECORDS


async def test_of_many_zones_those_are_asked_that_are_opened(world: AdminWorld) -> None:
    names = [f"z{number}.example" for number in range(ASKED_AT_ONCE + 1)]
    world.answers(zones=zones(*names), spec_edited=False)
    reply = await world.get("/admin/dns/zones")
    assert (reply.text.count('hx-trigger="load"'), reply.text.count("toggle from:closest details once")) == (0, 6)
    assert '<a href="/admin/dns?q=&amp;ask=all">' in reply.text
    reply = await world.get("/admin/dns/zones?ask=all")
    assert reply.text.count('hx-trigger="load"') == 6
    reply = await world.get("/admin/dns/zones?q=Z1.")
    assert (reply.text.count("<summary><h2>"), "z1.example" in reply.text) == (1, True)
    assert "No zone fits." in (await world.get("/admin/dns/zones?q=nowhere")).text


async def test_a_zone_says_of_each_record_how_it_stands(world: AdminWorld) -> None:
    servers = [
        {"server": "ns1", "standing": "present", "told": ""},
        {"server": HOSTILE, "standing": "unknown", "told": "does not answer"},
        {"server": "ns3", "standing": "missing", "told": ""},
    ]
    records = [
        looked(published=[HOSTILE]),
        looked(state="not ours", told=HOSTILE, owner="somebody else", published=["other"], servers=servers),
        looked(state="unknown", told="not asked", unseen=HOSTILE),
        looked(state="missing", published=[]),
    ]
    remarks = [{"subject": HOSTILE, "text": HOSTILE, "is_good": False}]
    world.answers(records=records, remarks=remarks, failure=HOSTILE)
    reply = await world.get("/admin/dns/zone?zone=x.example")
    assert is_harmless(reply)
    assert '<span class="state not-ours">1 not ours</span>' in reply.text
    assert reply.text.count('<tr class="ok">') == 1
    assert "as wanted" in reply.text
    assert "not there" in reply.text
    assert "ns3: not there" in reply.text
    assert "Its provider could not be asked" in reply.text
    ((call, content),) = world.calls.asked
    assert (call.kind, orjson.loads(content)) == (CallKind.ZONE, {"zone": "x.example"})


async def test_what_is_around_it(world: AdminWorld) -> None:
    world.answers(remarks=[{"subject": "address 192.0.2.1", "text": "has no PTR record", "is_good": None}])
    assert '<li class="warn">address 192.0.2.1: has no PTR record</li>' in (await world.get("/admin/dns/around")).text
    world.answers(remarks=[])
    assert "Nobody was asked" in (await world.get("/admin/dns/around")).text


@pytest.mark.parametrize("path", ["/admin/dns/zones", "/admin/dns/zone", "/admin/dns/around"])
async def test_what_fails_is_told_in_its_place(world: AdminWorld, path: str) -> None:
    world.calls.status = 409
    world.answers(title="Conflict", status=409, detail=HOSTILE)
    reply = await world.get(path)
    assert (reply.status_code, "Conflict" in reply.text, is_harmless(reply)) == (200, True, True)
    world.calls.is_busy = True
    assert "under way by the API already" in (await world.get(path)).text
