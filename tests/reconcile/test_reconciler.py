"""Plan and apply as their callers see them."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from mailstack.app.silence import Silence
from mailstack.model.errors import Conflict, NotFound, TryAgainLater
from mailstack.model.instant import Instant
from mailstack.model.resource import Kind, Operation
from mailstack.ports.state import State
from mailstack.reconcile.brake import EVERYTHING_ALLOWED, Brake, nobody
from mailstack.reconcile.dns.targets import DnsMode, FromSpec, NoDns, ZoneFiles
from mailstack.reconcile.dns.zone_file import NEW_ZONE
from mailstack.reconcile.dns.zone_text import ZoneFileDns
from mailstack.reconcile.plan import Plan
from mailstack.reconcile.progress import Event, Made, StateCommitted, ZoneVerified, ZoneWritten
from mailstack.reconcile.reconciler import Reconciler
from mailstack.spec.faults import SpecInvalid
from mailstack.store.sqlite.open import open_store
from tests.support.memory_dns import MemoryDns
from tests.support.memory_issuer import MemoryIssuer, issuing_by
from tests.support.memory_state import MemoryState
from tests.support.random_specs import spec_settings
from tests.support.specs import SpecValue, spec_value

NOW = Instant(1_790_000_000_000)
ALICE = "alice@example.com"


def reconciler(state: State | None, dns: DnsMode | None = None) -> Reconciler:
    return Reconciler(
        state=state,
        clock=lambda: NOW,
        hash_password=lambda plain: f"$2b$12${plain:a<53}",
        brake=Brake(holders=nobody, allowed=EVERYTHING_ALLOWED),
        dns=dns or FromSpec(),
        resolve=lambda reference, _: f"secret of {reference}",
    )


async def apply(state: State, spec: SpecValue, dns: DnsMode | None = None) -> Plan:
    prepared = await reconciler(state, dns).plan(spec)
    await reconciler(state, dns).apply(prepared)
    return prepared.plan


async def plan(state: State | None, spec: SpecValue, dns: DnsMode | None = None) -> Plan:
    return (await reconciler(state, dns).plan(spec)).plan


async def test_a_second_plan_is_empty_and_a_second_apply_writes_nothing() -> None:
    state, spec = MemoryState(), spec_value({"accounts": {ALICE: {"password": "env/PW"}}})
    await apply(state, spec)
    again = await apply(state, spec)
    assert again.is_empty
    assert state.writes == 1


async def test_an_unchanged_password_is_not_hashed_again() -> None:
    state, spec = MemoryState(), spec_value({"accounts": {ALICE: {"password": "env/PW"}}})
    await apply(state, spec)

    def never(plain: str) -> str:
        raise AssertionError(f"hashed {plain}")

    renamed = spec_value({"accounts": {ALICE: {"password": "env/PW", "name": "Alice"}}})
    prepared = await replace(reconciler(state), hash_password=never).plan(renamed)
    await replace(reconciler(state), hash_password=never).apply(prepared)
    assert [field.name for change in prepared.plan.changes for field in change.fields] == ["name"]


async def test_a_comment_in_the_spec_is_an_empty_plan_and_remembered() -> None:
    state, spec = MemoryState(), spec_value({})
    await apply(state, spec)
    commented = replace(spec, digest="another")
    prepared = await reconciler(state).plan(commented)
    assert (prepared.plan.is_empty, prepared.is_done) == (True, False)
    await reconciler(state).apply(prepared)
    assert (await reconciler(state).plan(commented)).is_done


async def test_without_a_store_there_is_a_plan_and_no_apply() -> None:
    prepared = await reconciler(None).plan(spec_value({}))
    assert prepared.plan.count(Operation.CREATE) == len(prepared.plan.changes) > 0
    with pytest.raises(NotFound):
        await reconciler(None).apply(prepared)


async def test_a_plan_made_without_a_store_is_the_plan_of_an_empty_one_and_can_be_applied() -> None:
    spec = spec_value({"accounts": {ALICE: {"password": "env/PW"}}})
    prepared = await reconciler(None).plan(spec)
    state = MemoryState()
    assert (await plan(state, spec)).plan_hash == prepared.plan.plan_hash
    await reconciler(state).apply(prepared)
    assert (await plan(state, spec)).is_empty


async def test_a_plan_is_refused_when_the_server_has_moved() -> None:
    state = MemoryState()
    prepared = await reconciler(state).plan(spec_value({}))
    await apply(state, spec_value({"accounts": {ALICE: {}}}))
    with pytest.raises(Conflict, match="plan again"):
        await reconciler(state).apply(prepared)


async def test_destroyed_accounts_and_domains_can_be_asked_for() -> None:
    state = MemoryState()
    await apply(state, spec_value({"accounts": {ALICE: {}}, "domains": {"example.com": {}, "old.example": {}}}))
    found = await plan(state, spec_value({}))
    assert found.destroyed(Kind.ACCOUNT) == (ALICE,)
    assert found.destroyed(Kind.DOMAIN) == ("old.example",)


async def test_the_plan_holds_no_secret() -> None:
    settings = {
        "accounts": {ALICE: {"password": "env/PW"}},
        "relays": {"r": {"host": "relay.example", "username": "env/U", "password": "env/P"}},
    }
    prepared = await reconciler(MemoryState()).plan(spec_value(settings))
    assert "secret of" not in repr(prepared)


PROVIDERS = {"p": {"class": "mailstack.reconcile.dns.zone_file.ZoneFileProvider", "directory": "zones"}}


def zone_spec(directory: Path, **server: object) -> SpecValue:
    settings = {
        "server": {"hostname": "mail.example.com", "addresses": ["192.0.2.1"], **server},
        "dns": {"providers": PROVIDERS, "zones": {"example.com": {"provider": "p"}}},
    }
    return spec_value(settings, directory / "mailstack.yaml")


async def test_the_state_is_told_before_any_zone(tmp_path: Path) -> None:
    state, events = MemoryState(), list[Event]()
    prepared = await reconciler(state).plan(zone_spec(tmp_path))
    await reconciler(state).apply(prepared, events.append)
    assert [type(event) for event in events if not isinstance(event, Made)] == [
        StateCommitted,
        ZoneWritten,
        ZoneVerified,
    ]


async def test_a_zone_that_moved_since_the_plan_is_not_written(tmp_path: Path) -> None:
    state = MemoryState()
    await apply(state, zone_spec(tmp_path))
    prepared = await reconciler(state).plan(zone_spec(tmp_path, addresses=["192.0.2.2"]))
    zone = tmp_path / "zones" / "example.com.zone"
    zone.write_text(zone.read_text().replace("192.0.2.1", "192.0.2.9"))
    with pytest.raises(Conflict, match=r"DNS zone example\.com changed since"):
        await reconciler(state).apply(prepared)


async def test_a_name_that_became_free_since_the_plan_is_not_written(tmp_path: Path) -> None:
    state = MemoryState()
    (tmp_path / "zones").mkdir()
    zone = tmp_path / "zones" / "example.com.zone"
    zone.write_text(NEW_ZONE + "mail IN A 203.0.113.7\n")
    prepared = await reconciler(state).plan(zone_spec(tmp_path))
    assert "mail.example.com A" not in {change.name for change in prepared.plan.changes}
    zone.write_text(NEW_ZONE)
    with pytest.raises(Conflict, match=r"DNS zone example\.com changed since"):
        await reconciler(state).apply(prepared)
    assert "mail" not in zone.read_text().replace(NEW_ZONE, "")


async def test_without_dns_no_zone_is_read_and_none_forgotten(tmp_path: Path) -> None:
    state = MemoryState()
    await apply(state, zone_spec(tmp_path), NoDns())
    assert not (tmp_path / "zones").exists()
    changes = (await plan(state, zone_spec(tmp_path))).changes
    assert {change.kind for change in changes} == {"dns_record"}
    await apply(state, zone_spec(tmp_path))
    assert (await plan(state, spec_value({}), NoDns())).destroyed(Kind.DNS_ZONE) == ()


async def test_zone_files_take_the_place_of_every_provider(tmp_path: Path) -> None:
    spec = spec_value(
        {
            "domains": {"example.com": {}, "sub.example.com": {}, "other.example": {}},
            "dns": {
                "providers": {"p": {"class": "not.Installed", "token": "env/T"}},
                "zones": {"example.com": {"provider": "p", "ttl": 60}, "hand.example": {"provider": "manual"}},
            },
        }
    )
    found = await apply(MemoryState(), spec, ZoneFiles(directory=tmp_path))
    # hand.example holds no name of this spec; sub.example.com is in example.com.
    assert set(os.listdir(tmp_path)) == {"example.com.zone", "other.example.zone"}  # noqa: PTH208  async
    assert "60 IN MX 10 mail.example.com." in (tmp_path / "example.com.zone").read_text()
    assert found.by_hand == ()


async def test_a_provider_that_cannot_be_reached_is_named(tmp_path: Path) -> None:
    provider = {"class": "octodns_bind.Rfc2136Provider", "host": "127.0.0.1", "port": 1, "timeout": 1}
    spec = spec_value({"dns": {"providers": {"b": provider}, "zones": {"example.com": {"provider": "b"}}}})
    with pytest.raises(
        TryAgainLater,
        match=r"DNS zone example\.com \(provider b at 127\.0\.0\.1 port 1\): .*refused.* \(--no-dns leaves",
    ):
        await plan(MemoryState(), spec)


async def test_a_zone_that_leaves_is_emptied_before_it_is_forgotten(tmp_path: Path) -> None:
    state = MemoryState()
    await apply(state, zone_spec(tmp_path))
    leaving = spec_value({"dns": {"providers": PROVIDERS}}, tmp_path / "mailstack.yaml")

    def killed(event: Event) -> None:
        if isinstance(event, ZoneVerified):
            raise BrokenPipeError

    prepared = await reconciler(state).plan(leaving)
    with pytest.raises(BrokenPipeError):
        await reconciler(state).apply(prepared, killed)
    finished = await apply(state, leaving)
    assert [change.name for change in finished.changes if change.kind.startswith("dns")] == ["example.com"]
    assert "MX" not in (tmp_path / "zones" / "example.com.zone").read_text()


async def test_a_zone_whose_provider_is_gone_leaves_a_warning(tmp_path: Path) -> None:
    state = MemoryState()
    await apply(state, zone_spec(tmp_path))
    warning = (await plan(state, spec_value({}))).warnings[-1]
    assert warning.subject == "dns_zone example.com"
    assert "delete them by hand" in warning.text


async def test_zone_files_in_the_place_of_a_provider_are_no_reason_to_clean_up_by_hand(tmp_path: Path) -> None:
    state, spec = MemoryState(), zone_spec(tmp_path)
    await apply(state, spec, NoDns())
    for asked in (spec, spec_value({})):
        warnings = (await plan(state, asked, ZoneFiles(directory=tmp_path / "files"))).warnings
        assert not [warning for warning in warnings if warning.subject.startswith("dns_zone")]


async def test_a_provider_that_hangs_up_is_named_with_the_kind_of_failure(tmp_path: Path) -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        provider = {"class": "octodns_bind.Rfc2136Provider", "host": "127.0.0.1", "port": port, "timeout": 5}
        spec = spec_value({"dns": {"providers": {"b": provider}, "zones": {"example.com": {"provider": "b"}}}})
        told = rf"\(provider b at 127\.0\.0\.1 port {port}\): (EOFError: EOF|.*reset by peer)"
        with pytest.raises(TryAgainLater, match=told):
            await plan(MemoryState(), spec)


async def test_a_policy_is_asked_for_where_this_server_does_not_show_it() -> None:
    domains: dict[str, object] = {"example.com": {"mta_sts": {}}}
    assert (await plan(None, spec_value({"domains": domains}))).warnings == ()
    server = {"hostname": "mail.example.com", "listeners": {"https": []}}
    (warning,) = (await plan(None, spec_value({"server": server, "domains": domains}))).warnings
    assert "https://mta-sts.example.com/.well-known/mta-sts.txt" in warning.text


@asynccontextmanager
async def reconciler_named(name: str, directory: Path) -> AsyncIterator[Reconciler]:
    """With SQLite, there is an authority to order certificates from."""
    if name == "memory":
        yield reconciler(MemoryState())
        return
    store = await open_store(directory / "state", clock=lambda: NOW, bus=Silence())
    try:
        issuing = issuing_by(MemoryIssuer(clock=lambda: NOW), store)
        yield replace(reconciler(store.state), issuing=issuing)
    finally:
        await store.close()


async def reach(name: str, first: Mapping[str, object], second: Mapping[str, object]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mailstack.yaml"
        async with reconciler_named(name, Path(folder)) as applying:
            for spec in (spec_value(first, path), spec_value(second, path)):
                prepared = await applying.plan(spec)
                await applying.apply(prepared)
                await applying.order(prepared)
                assert (await applying.plan(spec)).plan.changes == ()


@given(first=spec_settings(), second=spec_settings())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_after_any_spec_and_any_other_the_plan_is_empty(
    first: Mapping[str, object], second: Mapping[str, object]
) -> None:
    asyncio.run(reach("memory", first, second))


@given(first=spec_settings(), second=spec_settings())
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_after_any_spec_and_any_other_the_plan_is_empty_on_sqlite(
    first: Mapping[str, object], second: Mapping[str, object]
) -> None:
    asyncio.run(reach("sqlite", first, second))


async def test_what_was_planned_is_applied_though_the_spec_is_edited_meanwhile() -> None:
    state, first = MemoryState(), spec_value({"accounts": {ALICE: {"name": "Alice"}}})
    edited = spec_value({"accounts": {ALICE: {"name": "Alicia"}}})
    prepared = await reconciler(state).plan(first)
    await reconciler(state).apply(prepared)
    assert (await state.snapshot()).spec_hash == first.digest
    (change,) = (await plan(state, edited)).changes
    assert [(field.old, field.new) for field in change.fields] == [("Alice", "Alicia")]


async def test_a_provider_that_breaks_down_in_the_middle_is_named_and_the_next_plan_has_the_rest(
    tmp_path: Path,
) -> None:
    zones = ("a.example", "b.example")
    classes = ("mailstack.reconcile.dns.zone_file.ZoneFileProvider", "tests.support.failing_zone_file.FailingZoneFile")
    settings = {
        "domains": {zone: {"dkim": {"algorithms": ["ed25519"]}} for zone in zones},
        "server": {"hostname": "mail.a.example"},
        "dns": {
            "providers": {zone: {"class": name, "directory": zone} for zone, name in zip(zones, classes, strict=True)},
            "zones": {zone: {"provider": zone} for zone in zones},
        },
    }
    state, spec = MemoryState(), spec_value(settings, tmp_path / "mailstack.yaml")
    (tmp_path / "b.example").mkdir()
    (tmp_path / "b.example" / "down").touch()
    events: list[Event] = []
    with pytest.raises(TryAgainLater, match=r"DNS zone b\.example \(provider b\.example\): 503 Service Unavailable"):
        await reconciler(state).apply(await reconciler(state).plan(spec), events.append)
    assert [event.zone for event in events if isinstance(event, ZoneVerified)] == ["a.example"]
    rest = await plan(state, spec)
    assert {change.kind for change in rest.changes} == {"dns_record"}
    assert not any("a.example" in change.name and "b.example" not in change.name for change in rest.changes)
    (tmp_path / "b.example" / "down").unlink()
    await apply(state, spec)
    assert (await plan(state, spec)).changes == ()


async def test_a_missing_secret_is_one_of_all_that_are_missing() -> None:
    spec = spec_value({"accounts": {ALICE: {"password": "env/NOT_SET_ANYWHERE"}}})
    with pytest.raises(SpecInvalid, match="NOT_SET_ANYWHERE"):
        await Reconciler(state=None, clock=lambda: NOW, hash_password=str, brake=Brake(holders=nobody)).plan(spec)


async def test_the_faults_of_all_providers_are_told_at_once() -> None:
    gone = {"class": "nowhere_at_all.Provider"}
    zones = {"example.com": {"provider": "p"}, "example.org": {"provider": "q"}}
    spec = spec_value({"dns": {"providers": {"p": gone, "q": gone}, "zones": zones}})
    with pytest.raises(SpecInvalid) as raised:
        await reconciler(None).plan(spec)
    assert [fault.path for fault in raised.value.faults] == ["dns.providers.p.class", "dns.providers.q.class"]


MANUAL = spec_value({"dns": {"zones": {"example.com": {"provider": "manual"}}}})


async def test_records_that_people_publish_are_looked_for() -> None:
    live_dns = MemoryDns()
    found = (await replace(reconciler(MemoryState()), live_dns=live_dns).plan(MANUAL)).plan
    (warning,) = [warning for warning in found.warnings if warning.subject == "dns_zone example.com"]
    assert "example.com MX" in warning.text
    assert "_domainkey" not in warning.text
    assert all("_domainkey" not in question for question in live_dns.asked)


async def test_a_plan_that_is_kept_stays_good_while_dns_fills(tmp_path: Path) -> None:
    empty, full = MemoryDns(), MemoryDns(failure="DNS does not answer")
    plans = [await replace(reconciler(MemoryState()), live_dns=live_dns).plan(MANUAL) for live_dns in (empty, full)]
    assert plans[0].plan.warnings != plans[1].plan.warnings
    assert plans[0].plan.plan_hash == plans[1].plan.plan_hash


async def test_with_dns_left_out_nobody_is_asked() -> None:
    live_dns = MemoryDns()
    await replace(reconciler(MemoryState(), NoDns()), live_dns=live_dns).plan(MANUAL)
    assert live_dns.asked == []


async def test_zone_files_hold_every_kind_and_nothing_is_missed_elsewhere(tmp_path: Path) -> None:
    settings = {
        "domains": {"example.com": {"dmarc": {"reports_to": "d@reports.example"}}},
        "dns": {"no_mail": ["www.example.com", "parked.example"], "caa": ["ca.example"]},
    }
    live_dns = ZoneFileDns(tmp_path)
    found = replace(reconciler(MemoryState(), ZoneFiles(directory=tmp_path)), live_dns=live_dns)
    prepared = await found.plan(spec_value(settings))
    await found.apply(prepared)
    assert [warning for warning in prepared.plan.warnings if "by hand" in warning.text] == []
    assert (await live_dns.seen("", "parked.example", "MX")).sights[0].values == ("0 .",)
    assert (await live_dns.seen("", "www.example.com", "TXT")).sights[0].values == ("v=spf1 -all",)
    assert '0 issue "ca.example"' in (await live_dns.seen("", "mail.example.com", "CAA")).sights[0].values
