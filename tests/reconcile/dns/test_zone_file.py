"""Zones in files: planned, written, read back, and the rest of the file left alone."""

from dataclasses import replace
from pathlib import Path

import pytest

from mailstack.model.errors import Damaged
from mailstack.reconcile.dns.record_set import RecordSet
from mailstack.reconcile.dns.zone_file import ZoneFileProvider
from mailstack.reconcile.dns.zone_plan import ZonePlan, ZoneTarget, plan_zones, write_zone

OWNER = "0123456789abcdef"
RECORDS = (
    RecordSet(name="example.test", type="MX", values=("10 mail.example.test.",), ttl_s=60),
    RecordSet(name="example.test", type="TXT", values=("v=spf1 a -all",), ttl_s=60),
    RecordSet(name="s._domainkey.example.test", type="TXT", values=("v=DKIM1; k=rsa; p=" + "A" * 400,), ttl_s=60),
)


def target(folder: Path, *records: RecordSet) -> ZoneTarget:
    provider = ZoneFileProvider("files", str(folder / "zones"))
    return ZoneTarget(zone="example.test", provider_name="files", provider=provider, wanted=records)


def plan(folder: Path, *records: RecordSet) -> ZonePlan:
    (found,) = plan_zones((target(folder, *records),), OWNER)
    return found


def publish(folder: Path, *records: RecordSet) -> str:
    write_zone(target(folder, *records), plan(folder, *records))
    return (folder / "zones" / "example.test.zone").read_text()


def test_a_plan_writes_nothing(tmp_path: Path) -> None:
    assert plan(tmp_path, *RECORDS).changes
    assert not (tmp_path / "zones").exists()


def test_what_was_written_is_read_back_as_written(tmp_path: Path) -> None:
    publish(tmp_path, *RECORDS)
    assert plan(tmp_path, *RECORDS).octo_plan is None


def test_records_of_any_type_by_other_hands_stay(tmp_path: Path) -> None:
    before = publish(tmp_path, *RECORDS)
    path = tmp_path / "zones" / "example.test.zone"
    foreign = 'odd.example.test. 77 IN TYPE65534 \\# 2 0102\nother.example.test. 78 IN TXT "keep; me"\n'
    path.write_text(before + foreign)
    after = publish(tmp_path, replace(RECORDS[0], ttl_s=90))
    assert "TYPE65534 \\# 2 0102" in after
    assert 'other.example.test. 78 IN TXT "keep; me"' in after
    assert "example.test. 90 IN MX 10 mail.example.test." in after
    assert "spf1" not in after


def test_each_write_raises_the_serial(tmp_path: Path) -> None:
    assert "hostmaster.example.test. 2 3600" in publish(tmp_path, *RECORDS)
    assert "hostmaster.example.test. 3 3600" in publish(tmp_path)


def test_removal_leaves_a_zone_without_us(tmp_path: Path) -> None:
    publish(tmp_path, *RECORDS)
    assert {line.split()[3] for line in publish(tmp_path).splitlines()[1:]} == {"SOA", "NS", "A"}


def test_a_file_that_is_no_zone_is_named(tmp_path: Path) -> None:
    (tmp_path / "zones").mkdir()
    (tmp_path / "zones" / "example.test.zone").write_text("this is no zone\n")
    with pytest.raises(Damaged, match=r"example\.test\.zone is no zone file"):
        plan(tmp_path, *RECORDS)


@pytest.mark.parametrize(
    "record",
    [
        RecordSet(name="example.test", type="A", values=("not an address",)),
        RecordSet(name="example.test", type="MX", values=("10 192.0.2.1.",)),
        RecordSet(name=f"{'x' * 64}.example.test", type="TXT", values=("x",)),
    ],
)
def test_a_record_that_no_name_server_should_serve_is_refused(tmp_path: Path, record: RecordSet) -> None:
    with pytest.raises(Exception, match=r"DNS zone example\.test \(provider files\)"):
        plan(tmp_path, record)
