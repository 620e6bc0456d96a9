"""Zones that the state forgets."""

from pathlib import Path

import pytest

from mailstack.model.errors import Conflict
from mailstack.model.instant import Instant
from mailstack.model.resource import Kind
from mailstack.reconcile.brake import Brake, nobody
from mailstack.reconcile.dns.forgetting import forget, plan_forgetting
from mailstack.reconcile.reconciler import Reconciler
from tests.reconcile.test_reconciler import PROVIDERS
from tests.support.memory_state import MemoryState
from tests.support.specs import SpecValue, spec_value

SPEC_PATH = Path("mailstack.yaml")


def a_spec(directory: Path, zones: object) -> SpecValue:
    return spec_value({"dns": {"providers": PROVIDERS, "zones": zones}}, directory / "mailstack.yaml")


async def remembering(directory: Path) -> MemoryState:
    """A server that has published a zone."""
    state, spec = MemoryState(), a_spec(directory, {"example.com": {"provider": "p"}})
    brake = Brake(holders=nobody)
    made = Reconciler(state=state, clock=lambda: Instant(1_790_000_000_000), hash_password=str, brake=brake)
    await made.apply(await made.plan(spec))
    return state


async def test_the_plan_says_what_stays_and_forgetting_writes_nothing_else(tmp_path: Path) -> None:
    state = await remembering(tmp_path)
    before, text = await state.snapshot(), (tmp_path / "zones" / "example.com.zone").read_text()
    plan = await plan_forgetting(state, a_spec(tmp_path, {}).spec, SPEC_PATH, "example.com")
    (change,) = plan.changes
    assert change.reason == "forgotten, without asking its provider, where its records stay"
    assert "example.com MX" in plan.warnings[0].text
    await forget(state, plan)
    after = await state.snapshot()
    assert before.resources.keys() - after.resources.keys() == {(Kind.DNS_ZONE, "example.com")}
    assert (after.spec_hash, await state.published()) == (before.spec_hash, {})
    assert (tmp_path / "zones" / "example.com.zone").read_text() == text


async def test_a_plan_that_the_server_has_left_behind_forgets_nothing(tmp_path: Path) -> None:
    state = await remembering(tmp_path)
    plan = await plan_forgetting(state, a_spec(tmp_path, {}).spec, SPEC_PATH, "example.com")
    await state.commit([], base=plan.generation, spec_hash="another")
    with pytest.raises(Conflict, match="plan again"):
        await forget(state, plan)
    assert (Kind.DNS_ZONE, "example.com") in (await state.snapshot()).resources
