"""Zones through octoDNS, several at a time."""

import threading
from pathlib import Path

import pytest

from mailstack.model.errors import TryAgainLater
from mailstack.reconcile.dns.record_set import RecordSet
from mailstack.reconcile.dns.root_ns import note_root_ns, root_ns_of
from mailstack.reconcile.dns.zone_file import NEW_ZONE, ZoneFileProvider
from mailstack.reconcile.dns.zone_plan import ZonePlan, ZoneTarget, plan_zones

OWNER = "0123456789abcdef"
ZONES = ("one.test", "two.test")


class Meeting(ZoneFileProvider):
    """Reads a zone only together with another one."""

    met = threading.Barrier(2, timeout=60)

    def populate(self, zone: object, target: bool = False, lenient: bool = False) -> bool:
        self.met.wait()
        return super().populate(zone, target, lenient)


class Failing(ZoneFileProvider):
    """Of two zones, the second cannot be read."""

    def populate(self, zone: object, target: bool = False, lenient: bool = False) -> bool:
        if getattr(zone, "name", "") == "two.test.":
            raise ConnectionError("the API is down")
        return super().populate(zone, target, lenient)


def plans(provider: ZoneFileProvider) -> tuple[ZonePlan, ...]:
    note_root_ns(provider)
    targets = [
        ZoneTarget(
            zone=zone,
            provider_name="p",
            provider=provider,
            wanted=(RecordSet(name=f"mail.{zone}", type="A", values=("192.0.2.1",)),),
        )
        for zone in ZONES
    ]
    return plan_zones(targets, OWNER)


def test_zones_are_read_side_by_side_and_come_back_in_order(tmp_path: Path) -> None:
    found = plans(Meeting("p", str(tmp_path)))
    assert [plan.zone for plan in found] == list(ZONES)
    assert [plan.changes[0].name for plan in found] == [f"mail.{zone} A" for zone in ZONES]


def test_a_zone_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(TryAgainLater, match=r"two\.test \(provider p\): the API is down"):
        plans(Failing("p", str(tmp_path)))


def test_the_servers_of_each_zone_are_noted_though_octodns_drops_them(tmp_path: Path) -> None:
    (tmp_path / "one.test.zone").write_text(NEW_ZONE)
    provider = ZoneFileProvider("p", str(tmp_path))
    one, two = plans(provider)
    assert (one.nameservers, two.nameservers) == (("ns1.one.test.",), ())
    assert root_ns_of(provider, "never.read.") == ()
    assert [change.name for change in one.changes] == ["mail.one.test A"]


def test_a_provider_that_nobody_notes_says_nothing(tmp_path: Path) -> None:
    assert root_ns_of(ZoneFileProvider("p", str(tmp_path)), "one.test.") == ()
