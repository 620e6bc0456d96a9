"""How each record of a zone stands, by its provider, the marks in it, and what name servers show."""

from dataclasses import replace
from pathlib import Path

import pytest

from mailstack.model.errors import NotFound
from mailstack.reconcile.dns.live import Seen
from mailstack.reconcile.dns.zone_file import NEW_ZONE
from mailstack.reconcile.dns.zone_look import ZoneLook
from mailstack.reconcile.dns.zone_text import ZoneFileDns
from tests.reconcile.test_reconciler import PROVIDERS, apply, reconciler, zone_spec
from tests.support.memory_dns import MemoryDns
from tests.support.memory_state import MemoryState
from tests.support.specs import SpecValue, spec_value

ZONE = "example.com"
HOST, MX, SPF = (f"mail.{ZONE} A", f"{ZONE} MX", f"{ZONE} TXT")


class Skipped(MemoryDns):
    """Of a zone that nobody is meant to ask about."""

    async def seen(self, zone: str, name: str, record_type: str) -> Seen:  # noqa: ARG002  the protocol's
        return Seen(failure="not asked", is_skipped=True)


async def look(state: MemoryState, spec: SpecValue, dns: MemoryDns | ZoneFileDns, zone: str = ZONE) -> ZoneLook:
    return await replace(reconciler(state), live_dns=dns).look_at_zone(spec, zone)


def states(found: ZoneLook) -> dict[str, str]:
    return {f"{each.item.record.name} {each.item.record.type}": each.state.value for each in found.records}


def owners(found: ZoneLook) -> set[str]:
    return {each.owner.value for each in found.records}


def told(found: ZoneLook, name: str) -> str:
    (one,) = (each for each in found.records if f"{each.item.record.name} {each.item.record.type}" == name)
    return one.told


def zone_file(folder: Path) -> Path:
    return folder / "zones" / f"{ZONE}.zone"


@pytest.fixture
async def state(tmp_path: Path) -> MemoryState:
    made = MemoryState()
    await apply(made, zone_spec(tmp_path))
    return made


async def test_what_is_published_and_seen_is_ok(state: MemoryState, tmp_path: Path) -> None:
    found = await look(state, zone_spec(tmp_path), ZoneFileDns(tmp_path / "zones"))
    assert set(states(found).values()) == {"ok"}
    assert owners(found) == {"mailstack"}
    assert (found.failure, found.remarks) == ("", ())


async def test_what_nobody_is_meant_to_ask_about_is_ok_by_its_provider(state: MemoryState, tmp_path: Path) -> None:
    assert set(states(await look(state, zone_spec(tmp_path), Skipped())).values()) == {"ok"}


async def test_what_is_published_and_not_seen_everywhere_waits(state: MemoryState, tmp_path: Path) -> None:
    dns = MemoryDns(servers={"ns1": {(f"mail.{ZONE}", "A"): ("192.0.2.1",)}, "ns2": {}})
    found = await look(state, zone_spec(tmp_path), dns)
    assert (states(found)[HOST], states(found)[MX]) == ("waiting", "waiting")
    assert told(found, HOST) == "published, and not seen everywhere yet: seen at 1 of 2 servers; not there (ns2)"


async def test_where_no_server_answers_nobody_knows(state: MemoryState, tmp_path: Path) -> None:
    found = await look(state, zone_spec(tmp_path), MemoryDns(down={"ns1"}))
    assert set(states(found).values()) == {"unknown"}
    assert told(found, MX) == "ns1 does not answer"


async def test_what_its_provider_lacks_is_missing_and_what_it_has_otherwise_differs(
    state: MemoryState, tmp_path: Path
) -> None:
    file = zone_file(tmp_path)
    lines = file.read_text().replace("192.0.2.1", "192.0.2.9").splitlines(keepends=True)
    file.write_text("".join(line for line in lines if "MX" not in line.split()))
    found = await look(state, zone_spec(tmp_path), ZoneFileDns(tmp_path / "zones"))
    assert (states(found)[HOST], states(found)[MX], states(found)[SPF]) == ("differs", "missing", "ok")
    (host,) = (each for each in found.records if each.item.record.type == "A")
    assert (host.published, host.told) == (("192.0.2.9",), "apply publishes it")


async def test_what_somebody_else_has_in_its_place_is_not_ours(tmp_path: Path) -> None:
    state = MemoryState()
    zone_file(tmp_path).parent.mkdir()
    zone_file(tmp_path).write_text(f"{NEW_ZONE}@ 300 IN MX 5 mx.elsewhere.example.\n")
    await apply(state, zone_spec(tmp_path))
    found = await look(state, zone_spec(tmp_path), ZoneFileDns(tmp_path / "zones"))
    assert states(found)[MX] == "not ours"
    assert "left alone" in told(found, MX)
    assert owners(found) == {"mailstack", "somebody else"}


async def test_another_servers_mark_is_told_from_ours(state: MemoryState, tmp_path: Path) -> None:
    file = zone_file(tmp_path)
    head, mark, tail = file.read_text().partition("_mailstack-owner.mx")
    file.write_text(head + mark + tail.replace("owner=", "owner=f", 1))
    found = await look(state, zone_spec(tmp_path), ZoneFileDns(tmp_path / "zones"))
    assert {each.owner.value for each in found.records if each.item.record.type == "MX"} == {"another mailstack"}


async def test_a_provider_that_cannot_be_asked_is_told_and_name_servers_are_asked_all_the_same(
    state: MemoryState, tmp_path: Path
) -> None:
    zone_file(tmp_path).write_text("no zone file\n")
    dns = MemoryDns(servers={"ns1": {(f"mail.{ZONE}", "A"): ("192.0.2.1",)}})
    found = await look(state, zone_spec(tmp_path), dns)
    assert "is no zone file" in found.failure
    assert (states(found)[HOST], states(found)[MX]) == ("ok", "missing")
    assert owners(found) == {""}
    broken = {"p": {"class": "nowhere.Provider"}}
    spec = spec_value({"dns": {"providers": broken, "zones": {ZONE: {"provider": "p"}}}}, tmp_path / "mailstack.yaml")
    assert "the Python package nowhere is not installed" in (await look(state, spec, dns)).failure


async def test_what_people_publish_is_as_it_is_seen(tmp_path: Path) -> None:
    state, spec = MemoryState(), spec_value({}, tmp_path / "mailstack.yaml")
    await apply(state, spec)
    dns = MemoryDns(servers={"ns1": {(ZONE, "MX"): ("10 mail.example.com.",), (ZONE, "TXT"): ("v=spf1 +all",)}})
    found = await look(state, spec, dns, "")
    assert (states(found)[MX], states(found)[SPF]) == ("ok", "differs")
    assert states(found)[f"mail.{ZONE} TXT"] == "missing"
    assert owners(found) == {"you"}
    assert await look(state, spec, dns) == ZoneLook(records=(), remarks=(), failure="")


async def test_keys_that_apply_has_yet_to_make_wait(state: MemoryState, tmp_path: Path) -> None:
    settings = {
        "domains": {ZONE: {}, "new.example.com": {}},
        "dns": {"providers": PROVIDERS, "zones": {ZONE: {"provider": "p"}}},
    }
    found = await look(state, spec_value(settings, tmp_path / "mailstack.yaml"), ZoneFileDns(tmp_path / "zones"))
    keys = {name: stand for name, stand in states(found).items() if name.endswith("_domainkey.new.example.com TXT")}
    assert set(keys.values()) == {"waiting"}
    assert {told(found, name) for name in keys} == {"apply makes it"}


async def test_before_the_first_apply_there_is_nothing_to_look_at(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="nothing was applied yet"):
        await reconciler(None).look_at_zone(zone_spec(tmp_path), ZONE)
