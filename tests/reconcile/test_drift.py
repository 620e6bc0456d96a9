"""What changed behind the spec's back, told from what an edited spec asks for and from what users own."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from mailstack.model.errors import NotFound
from mailstack.model.instant import DAY_MS, MINUTE_MS
from mailstack.model.resource import Kind
from mailstack.reconcile.drift import Drift, drift_document
from mailstack.reconcile.plan import Change
from mailstack.reconcile.providers.keys import live_keys
from tests.reconcile.test_reconciler import ALICE, NOW, PROVIDERS, apply, plan, reconciler, zone_spec
from tests.support.memory_dns import MemoryDns
from tests.support.memory_state import MemoryState
from tests.support.published import publish_keys
from tests.support.specs import SpecValue, spec_value


async def drift(state: MemoryState, spec: SpecValue) -> Drift:
    return await reconciler(state).drift(spec)


def names(changes: Sequence[Change]) -> list[str]:
    return [f"{change.operation} {change.name}: {change.reason}" for change in changes]


def edit(directory: Path, old: str, new: str) -> None:
    zone = directory / "zones" / "example.com.zone"
    text = zone.read_text()
    assert old in text
    zone.write_text(text.replace(old, new))


async def test_what_was_just_applied_has_not_drifted(tmp_path: Path) -> None:
    state = MemoryState()
    await apply(state, zone_spec(tmp_path))
    assert (await drift(state, zone_spec(tmp_path))).changes == ()


async def test_a_record_changed_by_hand_has_and_the_next_apply_puts_it_right(tmp_path: Path) -> None:
    state = MemoryState()
    await apply(state, zone_spec(tmp_path))
    edit(tmp_path, "192.0.2.1", "192.0.2.9")
    found = await drift(state, zone_spec(tmp_path))
    assert names(found.changes) == ["update mail.example.com A: not as it was applied"]
    assert found.changes == tuple(change for change in (await plan(state, zone_spec(tmp_path))).changes if change.drift)
    await apply(state, zone_spec(tmp_path))
    assert (await drift(state, zone_spec(tmp_path))).changes == ()


async def test_an_edited_spec_is_no_drift_and_hides_none(tmp_path: Path) -> None:
    state = MemoryState()
    await apply(state, zone_spec(tmp_path))
    edited = zone_spec(tmp_path, addresses=["192.0.2.2"])
    found = await drift(state, edited)
    assert (found.changes, found.is_edited) == ((), True)
    edit(tmp_path, "192.0.2.1", "192.0.2.9")
    (change,) = (await drift(state, edited)).changes
    (values,) = change.fields
    assert (values.old, values.new) == (["192.0.2.9"], ["192.0.2.1"])


async def test_a_zone_that_leaves_an_edited_spec_is_still_looked_at(tmp_path: Path) -> None:
    state = MemoryState()
    await apply(state, zone_spec(tmp_path))
    edit(tmp_path, "192.0.2.1", "192.0.2.9")
    leaving = spec_value({"dns": {"providers": PROVIDERS}}, tmp_path / "mailstack.yaml")
    assert names((await drift(state, leaving)).changes) == ["update mail.example.com A: not as it was applied"]
    (warning,) = (await drift(state, spec_value({}))).warnings
    assert (warning.subject, warning.text) == (
        "dns_zone example.com",
        "p is gone from dns.providers and cannot be asked",
    )


async def test_what_left_the_spec_is_forgotten(tmp_path: Path) -> None:
    state = MemoryState()
    await apply(state, zone_spec(tmp_path))
    assert list(await state.published()) == ["example.com"]
    await apply(state, spec_value({"dns": {"providers": PROVIDERS}}, tmp_path / "mailstack.yaml"))
    assert await state.published() == {}


async def test_a_secret_that_is_another_now_has_drifted(tmp_path: Path) -> None:
    secret = tmp_path / "pw"
    secret.write_text("one")
    spec = spec_value({"accounts": {ALICE: {"password": "file/pw"}}}, tmp_path / "mailstack.yaml")
    state = MemoryState()
    reading = reconciler(state)

    def resolve(_reference: str, directory: Path) -> str:
        return (directory / "pw").read_text()

    reading = replace(reading, resolve=resolve)
    await reading.apply(await reading.plan(spec))
    secret.write_text("two")
    assert names((await reading.drift(spec)).changes) == [
        f"update {ALICE}: the file or secret that the spec refers to has changed"
    ]


async def test_what_users_own_is_listed_and_has_not_drifted() -> None:
    state, spec = MemoryState(), spec_value({"accounts": {ALICE: {"password": "env/PW"}}})
    await apply(state, spec)
    await state.write_as_user(Kind.ACCOUNT, ALICE, {"password": "own"})
    found = drift_document(await drift(state, spec))
    assert found["changes"] == []
    assert [(item["name"], item["field"]) for item in found["by_user"]] == [(ALICE, "password")]


async def test_before_the_first_apply_there_is_nothing_to_drift_from() -> None:
    for state in (MemoryState(), None):
        with pytest.raises(NotFound, match="nothing was applied yet"):
            await reconciler(state).drift(spec_value({}))


@pytest.mark.parametrize(("interval", "minutes"), [("15m", 15), ("2h", 120), (None, None)])
async def test_zones_are_looked_at_again_at_the_interval(
    tmp_path: Path, interval: str | None, minutes: int | None
) -> None:
    settings = {
        "dns": {"providers": PROVIDERS, "zones": {"example.com": {"provider": "p"}}},
        "reconcile": {"drift_check": interval},
    }
    state, dns = MemoryState(), MemoryDns()
    spec = spec_value(settings, tmp_path / "mailstack.yaml")
    knowing = replace(reconciler(state), live_dns=dns)
    for _ in range(2):  # keys that are not seen yet would be looked for sooner
        await knowing.apply(await knowing.plan(spec))
        publish_keys(dns, live_keys(await state.snapshot()))
    prepared = await knowing.plan(spec)
    assert prepared.again_at is not None
    if minutes is None:
        assert prepared.again_at > NOW + DAY_MS  # the certificate's renewal
    else:
        assert prepared.again_at == NOW + minutes * MINUTE_MS


def by_hand(**settings: object) -> SpecValue:
    bare = {"discovery": False, "dkim": {"algorithms": ["ed25519"]}}
    zones = {"example.com": {"provider": "manual"}}
    return spec_value({"domains": {"example.com": bare}, "dns": {"zones": zones}, **settings})


async def looked_at(state: MemoryState, dns: MemoryDns, spec: SpecValue) -> Drift:
    return await replace(reconciler(state), live_dns=dns).drift(spec)


async def published_by_hand(state: MemoryState, spec: SpecValue) -> MemoryDns:
    """As somebody does who reads the plan."""
    await apply(state, spec)
    dns = MemoryDns()
    for item in (await state.published())["example.com"]:
        dns.servers["ns1"][item.name, item.type] = item.values
    return dns


async def test_what_people_published_and_still_is_there_has_not_drifted() -> None:
    state, spec = MemoryState(), by_hand()
    dns = await published_by_hand(state, spec)
    found = await looked_at(state, dns, spec)
    assert (found.by_hand, found.is_any) == ((), False)


async def test_a_record_that_somebody_took_out_of_a_zone_that_people_publish_has_drifted() -> None:
    state, spec = MemoryState(), by_hand()
    dns = await published_by_hand(state, spec)
    del dns.servers["ns1"]["example.com", "MX"]
    dns.servers["ns1"]["example.com", "TXT"] = ("v=spf1 +all",)
    found = drift_document(await looked_at(state, dns, spec))
    assert [(item["zone"], item["name"], item["type"], item["standing"]) for item in found["by_hand"]] == [
        ("example.com", "example.com", "MX", "missing"),
        ("example.com", "example.com", "TXT", "differs"),
    ]
    assert found["by_hand"][1]["told"] == "there: v=spf1 +all (ns1)"


async def test_a_zone_that_people_publish_is_held_to_what_was_asked_before_the_spec_was_edited() -> None:
    state = MemoryState()
    dns = await published_by_hand(state, by_hand())
    edited = by_hand(server={"hostname": "other.example.com"})
    assert (await looked_at(state, dns, edited)).by_hand == ()
    del dns.servers["ns1"]["example.com", "MX"]
    found = await looked_at(state, dns, edited)
    assert [(item.name, item.type) for item in found.by_hand] == [("example.com", "MX")]
    assert (found.is_edited, found.changes) == (True, ())


async def test_where_nobody_can_be_asked_nothing_has_drifted_and_that_is_told() -> None:
    state, spec = MemoryState(), by_hand()
    await apply(state, spec)
    found = await looked_at(state, MemoryDns(failure="DNS does not answer"), spec)
    assert (found.by_hand, found.is_any) == ((), False)
    assert [warning.text for warning in found.warnings] == [
        "could not be asked about records to publish by hand, in dns_zone example.com: DNS does not answer;"
        " `mailstack dns check` waits longer"
    ]
