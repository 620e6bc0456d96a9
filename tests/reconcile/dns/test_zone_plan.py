"""Zones through octoDNS, several at a time."""

import threading
import warnings
from pathlib import Path
from typing import ClassVar

import pytest

from mailstack.model.errors import TryAgainLater
from mailstack.model.resource import Operation
from mailstack.reconcile.dns.ownership import MARK_RENEWED
from mailstack.reconcile.dns.record_set import RecordSet
from mailstack.reconcile.dns.root_ns import note_root_ns, root_ns_of
from mailstack.reconcile.dns.zone_file import NEW_ZONE, ZoneFileProvider
from mailstack.reconcile.dns.zone_plan import ZonePlan, ZoneTarget, plan_zones, write_zone
from mailstack.reconcile.drift import drifted_records

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


class Watching(ZoneFileProvider):
    """Notes which filters of warnings hold while a zone is read and written."""

    seen: ClassVar[list[object]] = []

    def populate(self, zone: object, target: bool = False, lenient: bool = False) -> bool:
        self.seen.append(warnings.filters)
        return super().populate(zone, target, lenient)


def test_the_processs_filters_of_warnings_are_left_alone(tmp_path: Path) -> None:
    # They are one list for all threads: whoever swaps them for a while undoes what another thread has swapped.
    before = warnings.filters
    plans(Watching("p", str(tmp_path)))
    assert all(filters is before for filters in Watching.seen)
    assert len(Watching.seen) == len(ZONES)


def planned(directory: Path, *wanted: RecordSet, live: str = "") -> ZonePlan:
    directory.mkdir(exist_ok=True)
    (directory / "one.test.zone").write_text(NEW_ZONE + live)
    provider = ZoneFileProvider("p", str(directory))
    (found,) = plan_zones([ZoneTarget(zone="one.test", provider_name="p", provider=provider, wanted=wanted)], OWNER)
    return found


HOST = RecordSet(name="mail.one.test", type="A", values=("192.0.2.1",), ttl_s=300)
LIVE_HOST = "mail 300 IN A 192.0.2.1\n"
MARK = "_mailstack-owner.a.mail 300 IN TXT"


@pytest.mark.parametrize(
    ("live", "wanted", "reason"),
    [
        (f'{LIVE_HOST}{MARK} "heritage=mailstack,owner={OWNER}"\n', (HOST,), MARK_RENEWED),
        (
            f'{LIVE_HOST}{MARK} "heritage=mailstack,owner={OWNER},values=00"\n',
            (HOST,),
            "says which values of mail.one.test A are mailstack's",
        ),
        (
            f'{MARK} "heritage=mailstack,owner={OWNER},values=00"\n',
            (),
            "mail.one.test A is gone, or somebody else's by now",
        ),
    ],
)
def test_a_mark_that_changes_alone_says_why(
    tmp_path: Path, live: str, wanted: tuple[RecordSet, ...], reason: str
) -> None:
    (change,) = planned(tmp_path, *wanted, live=live).changes
    assert (change.name, change.reason) == ("_mailstack-owner.a.mail.one.test TXT", reason)


def test_a_mark_of_an_earlier_version_is_no_drift(tmp_path: Path) -> None:
    live = f'{LIVE_HOST}{MARK} "heritage=mailstack,owner={OWNER}"\n'
    (renewed,) = drifted_records(planned(tmp_path, HOST, live=live).changes)
    assert (renewed.drift, renewed.reason) == (False, MARK_RENEWED)
    (repaired,) = drifted_records(planned(tmp_path, HOST).changes)
    assert repaired.drift


POLICY_HOST = RecordSet(name="mta-sts.one.test", type="CNAME", values=("mail.one.test.",), ttl_s=300)
MAIL_HERE = RecordSet(name="mta-sts.one.test", type="MX", values=("10 mail.one.test.",), ttl_s=300)


@pytest.mark.parametrize(("before", "after"), [(POLICY_HOST, MAIL_HERE), (MAIL_HERE, POLICY_HOST)])
def test_an_alias_of_ours_and_other_records_of_ours_take_each_others_place_at_once(
    tmp_path: Path, before: RecordSet, after: RecordSet
) -> None:
    provider = ZoneFileProvider("p", str(tmp_path))

    def target(wanted: RecordSet) -> ZoneTarget:
        return ZoneTarget(zone="one.test", provider_name="p", provider=provider, wanted=(wanted,))

    for wanted in (before, after):
        (found,) = plan_zones([target(wanted)], OWNER)
        assert found.warnings == ()
        write_zone(target(wanted), found)
        (again,) = plan_zones([target(wanted)], OWNER)
        assert again.changes == ()
    assert [change.operation for change in found.changes] == [Operation.DESTROY, Operation.CREATE]
    text = (tmp_path / "one.test.zone").read_text()
    assert (f" {after.type} " in text, f" {before.type} " in text) == (True, False)
