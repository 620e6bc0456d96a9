"""Zone files as a sandbox's only name server."""

from pathlib import Path

import pytest

from mailstack.model.errors import Damaged
from mailstack.reconcile.dns.live import NOT_ASKED, Seen, Sight
from mailstack.reconcile.dns.zone_text import SERVER, ZoneFileDns, read_zone

ZONE = """$TTL 300
@ IN SOA ns1 host 1 3600 600 604800 300
@ IN NS ns1
@ IN TXT "v=spf1 " "-all"
alias IN CNAME mail
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "example.test.zone").write_text(ZONE)
    return tmp_path


@pytest.mark.parametrize("zone", ["example.test", ""])
async def test_what_a_file_holds_is_seen_at_once(directory: Path, zone: str) -> None:
    live = ZoneFileDns(directory)
    assert await live.seen(zone, "example.test", "TXT") == Seen(
        sights=(Sight(server=SERVER, values=("v=spf1 -all",), ttl_s=300),)
    )
    assert await live.seen(zone, "alias.example.test", "A") == Seen(
        sights=(Sight(server=SERVER, alias="mail.example.test."),)
    )
    assert await live.seen(zone, "gone.example.test", "A") == Seen(sights=(Sight(server=SERVER),))


async def test_a_zone_without_a_file_is_empty(tmp_path: Path) -> None:
    assert await ZoneFileDns(tmp_path).seen("a.test", "a.test", "MX") == Seen(sights=(Sight(server=SERVER),))


async def test_a_damaged_file_is_a_failure_and_no_exception(tmp_path: Path) -> None:
    (tmp_path / "a.test.zone").write_text("nonsense (")
    assert "is no zone file" in (await ZoneFileDns(tmp_path).seen("a.test", "a.test", "MX")).failure
    with pytest.raises(Damaged):
        read_zone(tmp_path, "a.test.")


async def test_nothing_outside_the_sandbox_is_asked(directory: Path) -> None:
    assert (await ZoneFileDns(directory).resolved("example.test", "MX")).failure == NOT_ASKED
