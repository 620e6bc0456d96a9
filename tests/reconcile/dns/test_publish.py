"""Zones written side by side, those that fail, and what an apply tells of each."""

import threading
from pathlib import Path

import pytest

from mailstack.model.errors import TryAgainLater
from mailstack.model.instant import Instant
from mailstack.reconcile.brake import Brake, nobody
from mailstack.reconcile.dns.zone_file import ZoneFileProvider
from mailstack.reconcile.progress import Event, ZoneVerified, ZoneWritten
from mailstack.reconcile.reconciler import Reconciler
from tests.support.failing_zone_file import FailingZoneFile
from tests.support.memory_state import MemoryState
from tests.support.specs import SpecValue, spec_value

ZONES = ("a.example", "b.example", "c.example", "d.example")


class Meeting(ZoneFileProvider):
    """Writes a zone only together with another one."""

    met = threading.Barrier(2, timeout=60)

    def _apply(self, plan: object) -> None:
        self.met.wait()
        super()._apply(plan)  # type: ignore[arg-type]  # octoDNS's own plan


def reconciler(state: MemoryState) -> Reconciler:
    brake = Brake(holders=nobody)
    return Reconciler(state=state, clock=lambda: Instant(1_790_000_000_000), hash_password=str, brake=brake)


def a_spec(directory: Path, provider: type, *, hostname: str = "mail.elsewhere.example", **domain: object) -> SpecValue:
    name = f"{provider.__module__}.{provider.__qualname__}"
    bare = {"discovery": False, "dkim": {"algorithms": ["ed25519"]}, **domain}
    return spec_value(
        {
            "server": {"hostname": hostname, "addresses": ["192.0.2.1"]},
            "domains": dict.fromkeys(ZONES, bare),
            "dns": {
                "providers": {zone: {"class": name, "directory": zone} for zone in ZONES},
                "zones": {zone: {"provider": zone} for zone in ZONES},
            },
        },
        directory / "mailstack.yaml",
    )


def is_down(directory: Path, *zones: str) -> None:
    for zone in zones:
        (directory / zone).mkdir()
        (directory / zone / "down").touch()


async def applied(state: MemoryState, spec: SpecValue) -> list[Event]:
    events: list[Event] = []
    await reconciler(state).apply(await reconciler(state).plan(spec), events.append)
    return events


async def test_zones_are_written_side_by_side(tmp_path: Path) -> None:
    events = await applied(MemoryState(), a_spec(tmp_path, Meeting))
    assert sorted(event.zone for event in events if isinstance(event, ZoneVerified)) == list(ZONES)


async def test_what_is_counted_is_what_the_spec_asks_for_without_the_marks_beside_it(tmp_path: Path) -> None:
    events = await applied(MemoryState(), a_spec(tmp_path, ZoneFileProvider))
    assert ZoneWritten(zone="a.example", changes=4) in events  # MX, SPF, DKIM, DMARC
    assert (tmp_path / "a.example" / "a.example.zone").read_text().count("heritage=mailstack") == 4


async def test_a_zone_that_fails_leaves_the_others_done_and_all_of_it_is_said(tmp_path: Path) -> None:
    state, spec = MemoryState(), a_spec(tmp_path, FailingZoneFile)
    is_down(tmp_path, "b.example", "d.example")
    with pytest.raises(TryAgainLater) as raised:
        await applied(state, spec)
    for told in ("DNS zone b.example (", "DNS zone d.example (", "written all the same: a.example, c.example"):
        assert told in raised.value.detail
    mx = [change.name for change in (await reconciler(state).plan(spec)).plan.changes if change.name.endswith(" MX")]
    assert mx == ["b.example MX", "d.example MX"]


async def test_a_host_that_is_new_comes_before_the_zones_whose_mail_it_takes(tmp_path: Path) -> None:
    state, spec = MemoryState(), a_spec(tmp_path, FailingZoneFile, hostname="mail.c.example")
    is_down(tmp_path, "c.example")
    with pytest.raises(TryAgainLater, match=r"not begun before that: a\.example, b\.example, d\.example"):
        await applied(state, spec)
    assert not (tmp_path / "a.example" / "a.example.zone").exists()
    (tmp_path / "c.example" / "down").unlink()
    events = await applied(state, spec)
    assert next(event.zone for event in events if isinstance(event, ZoneWritten)) == "c.example"
    # Once the host is there, its zone is one like the others.
    (tmp_path / "c.example" / "down").touch()
    edited = a_spec(tmp_path, FailingZoneFile, hostname="mail.c.example", discovery=True)
    with pytest.raises(TryAgainLater, match=r"written all the same: a\.example, b\.example, d\.example"):
        await applied(state, edited)
