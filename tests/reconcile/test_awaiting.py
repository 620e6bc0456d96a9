"""What an apply waits for, and for how long. With a real name server: tests/scenarios/test_dkim_life.py."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from mailstack.model.resource import Kind
from mailstack.reconcile.awaiting import CarriedOut, carry_out, until_seen
from mailstack.reconcile.dns.live import Seen
from mailstack.reconcile.dns.targets import NoDns
from mailstack.reconcile.progress import Event, RecordsAwaited
from mailstack.reconcile.providers.keys import live_keys
from mailstack.reconcile.reconciler import Reconciler
from tests.reconcile.test_reconciler import PROVIDERS, reconciler
from tests.support.memory_dns import MemoryDns
from tests.support.memory_state import MemoryState
from tests.support.published import publish_keys
from tests.support.specs import SpecValue, spec_value

NAME = "ed25519-1._domainkey.example.com"
LOOKS = 4


@dataclass
class LateDns(MemoryDns):
    """Shows the keys of the state from this look at one of them on. looks: so many there were."""

    state: MemoryState = field(default_factory=MemoryState)
    from_look: int = 1
    looks: int = 0

    async def seen(self, zone: str, name: str, record_type: str) -> Seen:
        if name == NAME:
            self.looks += 1
            if self.looks >= self.from_look:
                publish_keys(self, live_keys(await self.state.snapshot()))
        return await MemoryDns.seen(self, zone, name, record_type)


def a_spec(folder: Path, provider: str = "p", **domain: object) -> SpecValue:
    dns = {"providers": PROVIDERS, "zones": {"example.com": {"provider": provider}}}
    domains = {"example.com": {"dkim": {"algorithms": ["ed25519"]}, **domain}}
    return spec_value({"domains": domains, "dns": dns}, folder / "mailstack.yaml")


def knowing(dns: LateDns) -> Reconciler:
    return replace(reconciler(dns.state), live_dns=dns)


async def carried_out(dns: LateDns, spec: SpecValue, events: list[Event]) -> CarriedOut:
    prepared = await knowing(dns).plan(spec)
    return await carry_out(knowing(dns), spec, prepared, events.append, (0.0,) * LOOKS)


@pytest.mark.parametrize(("from_look", "looks", "waiting"), [(1, 1, ()), (3, 3, ()), (99, LOOKS, (NAME,))])
async def test_a_record_is_looked_for_again_and_no_longer_than_a_while(
    tmp_path: Path, from_look: int, looks: int, waiting: tuple[str, ...]
) -> None:
    dns, events = LateDns(from_look=from_look), list[Event]()
    done = await carried_out(dns, a_spec(tmp_path), events)
    assert done.waiting == waiting
    awaited = [event for event in events if isinstance(event, RecordsAwaited)]
    assert awaited == [RecordsAwaited(seen=int(at >= from_look), total=1) for at in range(1, looks + 1)]
    (key,) = live_keys(await dns.state.snapshot())
    assert key.state == ("published" if waiting else "signs")


async def test_where_nobody_can_be_asked_nobody_waits(tmp_path: Path) -> None:
    dns, events = LateDns(failure="DNS does not answer"), list[Event]()
    assert (await carried_out(dns, a_spec(tmp_path), events)).waiting == (NAME,)
    assert len([event for event in events if isinstance(event, RecordsAwaited)]) == 1


async def test_what_people_publish_is_not_waited_for(tmp_path: Path) -> None:
    dns, events = LateDns(), list[Event]()
    done = await carried_out(dns, a_spec(tmp_path, "manual"), events)
    assert (done.waiting, dns.looks) == ((NAME,), 0)
    assert any(NAME in line for item in done.by_hand for line in item.records)


async def test_without_dns_nothing_is_looked_at(tmp_path: Path) -> None:
    dns = LateDns()
    spec = a_spec(tmp_path)
    without = replace(knowing(dns), dns=NoDns())
    await without.apply(await without.plan(spec))
    assert not await until_seen(without, spec)
    assert dns.looks == 0


async def test_what_changed_meanwhile_is_left_to_the_next_plan(tmp_path: Path) -> None:
    dns, zone = LateDns(from_look=2), tmp_path / "zones" / "example.com.zone"

    def edit(event: Event) -> None:
        if isinstance(event, RecordsAwaited):
            zone.write_text(zone.read_text().replace("MX 10 mail.", "MX 10 other."))

    spec = a_spec(tmp_path)
    prepared = await knowing(dns).plan(spec)
    done = await carry_out(knowing(dns), spec, prepared, edit, (0.0,) * LOOKS)
    assert done.waiting == (NAME,)
    assert "MX 10 other." in zone.read_text()


async def test_the_time_of_a_dmarc_stage_begins_in_the_same_apply_once_its_record_is_seen(tmp_path: Path) -> None:
    dns, events = LateDns(), list[Event]()
    dns.servers["ns1"]["_dmarc.example.com", "TXT"] = ("v=DMARC1; p=none",)
    spec = a_spec(tmp_path, dmarc={"policy": "auto"})
    done = await carried_out(dns, spec, events)
    assert RecordsAwaited(seen=2, total=2) in events
    stage = (await dns.state.snapshot()).resources[Kind.DMARC, "example.com"]
    assert (done.waiting, bool(stage.fields["since"])) == ((), True)
    assert (await knowing(dns).plan(spec)).plan.is_empty
