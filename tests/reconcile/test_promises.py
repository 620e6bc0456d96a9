"""What holds of any two specs: users keep what is theirs, the records of others stay, no mail goes without a word."""

import asyncio
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import dns.name
import dns.rdatatype
import dns.zone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from mailstack.app.silence import Silence
from mailstack.model.errors import Forbidden
from mailstack.model.resource import Kind, Operation
from mailstack.reconcile.brake import NOTHING_ALLOWED, Brake
from mailstack.reconcile.dns.targets import NoDns
from mailstack.reconcile.plan import Change
from mailstack.store.sqlite.open import open_store
from tests.reconcile.test_reconciler import NOW, apply, plan, reconciler
from tests.support.memory_issuer import MemoryIssuer, issuing_by
from tests.support.memory_state import MemoryState
from tests.support.random_specs import DOMAINS, spec_settings
from tests.support.specs import spec_value

FEWER = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
OWN = "$2b$12$" + "o" * 53

Settings = Mapping[str, object]


def password_in(spec: Settings, login: str) -> object:
    accounts = spec["accounts"]
    assert isinstance(accounts, Mapping)
    account = accounts.get(login, {})
    assert isinstance(account, Mapping)
    return account.get("password")


async def keeps_what_users_wrote(first: Settings, second: Settings) -> None:
    with tempfile.TemporaryDirectory() as folder:
        state, path = MemoryState(), Path(folder) / "mailstack.yaml"
        await apply(state, spec_value(first, path))
        before = (await state.snapshot()).resources
        logins = [name for kind, name in before if kind is Kind.ACCOUNT]
        for login in logins:
            await state.write_as_user(Kind.ACCOUNT, login, {"password": OWN})
        assert (await plan(state, spec_value(first, path))).changes == ()
        found = await apply(state, spec_value(second, path))
        names = {change.moved_from or change.name: change.name for change in found.changes if change.kind == "account"}
        gone = {change.name for change in found.changes if change.operation is Operation.DESTROY}
        held = await state.secrets(Kind.ACCOUNT)
        for login in logins:
            now = names.get(login, login)
            said_before, said_now = password_in(first, login), password_in(second, now)
            if login not in gone and said_now in (None, said_before):
                assert held[now]["password"] == OWN
        assert (await plan(state, spec_value(second, path))).changes == ()


@given(first=spec_settings(), second=spec_settings())
@FEWER
def test_what_a_user_wrote_stays_until_the_spec_says_something_else(first: Settings, second: Settings) -> None:
    asyncio.run(keeps_what_users_wrote(first, second))


FOREIGN_SETS = (
    ("{0}.", "MX", "10 elsewhere.example."),
    ("{0}.", "TXT", '"v=spf1 include:elsewhere.example -all"'),
    ("_dmarc.{0}.", "TXT", '"v=DMARC1; p=none"'),
    ("mail.{0}.", "A", "198.51.100.1"),
    ("mail.{0}.", "TXT", '"verification=1"'),
    ("_mta-sts.{0}.", "CNAME", "elsewhere.example."),
    ("www.{0}.", "A", "198.51.100.2"),
)
Foreign = tuple[str, str, str]


def zone_text(zone: str, records: Sequence[Foreign]) -> str:
    head = f"$ORIGIN {zone}.\n@ 3600 IN SOA ns1 host 1 3600 600 604800 300\n@ 3600 IN NS ns1\nns1 3600 IN A 127.0.0.1\n"
    return head + "".join(f"{name.format(zone)} 3600 IN {kind} {value}\n" for name, kind, value in records)


def values_at(file: Path, zone: str, record: Foreign) -> set[str]:
    held = dns.zone.from_text(file.read_text(), f"{zone}.", relativize=False)
    name, kind, _ = record
    found = held.get_rdataset(dns.name.from_text(name.format(zone)), dns.rdatatype.from_text(kind))
    return set() if found is None else {rdata.to_text() for rdata in found}


async def leaves_foreign_records(first: Settings, second: Settings, records: Sequence[Foreign]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, state = Path(folder) / "mailstack.yaml", MemoryState()
        (path.parent / "zones").mkdir()
        files = {zone: path.parent / "zones" / f"{zone}.zone" for zone in DOMAINS}
        for zone, file in files.items():
            file.write_text(zone_text(zone, records))
        for spec in (first, second, first):
            await apply(state, spec_value(spec, path))
            for zone, file in files.items():
                for record in records:
                    held = values_at(file, zone, record)
                    # A TXT set may be shared; nothing else may.
                    assert record[2] in held
                    assert record[1] == "TXT" or len(held) == 1


@given(first=spec_settings(), second=spec_settings(), records=st.lists(st.sampled_from(FOREIGN_SETS), unique=True))
@FEWER
def test_a_record_of_another_hand_never_changes(first: Settings, second: Settings, records: Sequence[Foreign]) -> None:
    asyncio.run(leaves_foreign_records(first, second, records))


async def destroys_nothing_unasked(first: Settings, second: Settings) -> None:
    async def everybody(logins: Sequence[str]) -> Mapping[str, int]:
        return dict.fromkeys(logins, 1)

    with tempfile.TemporaryDirectory() as folder:
        state, path = MemoryState(), Path(folder) / "mailstack.yaml"
        await apply(state, spec_value(first, path))
        braked = replace(reconciler(state), brake=Brake(holders=everybody, allowed=NOTHING_ALLOWED))
        prepared = await braked.plan(spec_value(second, path))
        before, writes = (await state.snapshot()).resources, state.writes
        gone = prepared.plan.destroyed(Kind.ACCOUNT)
        try:
            await braked.apply(prepared)
        except Forbidden:
            assert (await state.snapshot()).resources == before
            assert state.writes == writes
        else:
            assert not gone
            assert not prepared.plan.stops


@given(first=spec_settings(), second=spec_settings())
@FEWER
def test_no_account_with_mail_goes_without_a_word(first: Settings, second: Settings) -> None:
    asyncio.run(destroys_nothing_unasked(first, second))


def test_random_specs_ask_for_every_kind_of_resource_in_more_than_one_way(tmp_path: Path) -> None:
    """Else what is promised of any two specs is promised of fewer."""
    seen: dict[str, set[str]] = {kind: set() for kind in Kind}

    @given(spec=spec_settings())
    @settings(max_examples=40, deadline=None, derandomize=True, database=None, phases=[Phase.generate])
    def look(spec: Settings) -> None:
        for change in asyncio.run(planned_with_an_authority(spec, tmp_path)):
            if change.kind in seen:
                seen[change.kind].add(f"{change.name} {change.fields}")

    look()
    assert [kind for kind, ways in seen.items() if len(ways) < 2] == []


async def planned_with_an_authority(spec: Settings, folder: Path) -> Sequence[Change]:
    store = await open_store(folder, clock=lambda: NOW, bus=Silence())
    try:
        issuing = issuing_by(MemoryIssuer(clock=lambda: NOW), store)
        planning = replace(reconciler(store.state, NoDns(may_order=True)), issuing=issuing)
        return (await planning.plan(spec_value(spec))).plan.changes
    finally:
        await store.close()
