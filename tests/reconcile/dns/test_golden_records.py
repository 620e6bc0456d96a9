"""From whole specs to zone files: every record that a spec asks for, in the words that name servers read.

A case is a folder of tests/data/records; keys that apply makes have stand-ins.
"""

from pathlib import Path

import dns.zone
import pytest

from mailstack.reconcile.dns.overview import every_record
from mailstack.reconcile.dns.record_set import RecordSet, zone_file_lines
from mailstack.spec.load import load_spec
from tests.support.golden_spec import agrees

CASES = sorted(path.parent for path in (Path(__file__).parents[2] / "data" / "records").glob("*/spec.yaml"))


async def zones_of(folder: Path) -> dict[str, list[RecordSet]]:
    found: dict[str, list[RecordSet]] = {}
    for item in await every_record(load_spec(folder / "spec.yaml").spec, None):
        found.setdefault(item.zone, []).append(item.record)
    return found


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
async def test_golden_records(folder: Path) -> None:
    blocks = [
        "\n".join((f"; zone {zone or '(none)'}", *zone_file_lines(records)))
        for zone, records in (await zones_of(folder)).items()
    ]
    assert agrees(folder / "records.zone", "\n\n".join(blocks) + "\n")


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
async def test_every_golden_zone_is_one_that_name_servers_load(folder: Path) -> None:
    """No CNAME beside other data, no value that cannot be parsed."""
    for zone, records in (await zones_of(folder)).items():
        lines = zone_file_lines(records)
        head = [". 300 IN SOA ns. host. 1 2 3 4 5", ". 300 IN NS ns."]
        loaded = dns.zone.from_text("\n".join((*head, *lines)), ".", relativize=False)
        assert len(loaded.nodes) > 1, zone


def test_there_are_enough_golden_records() -> None:
    assert len(CASES) >= 16
