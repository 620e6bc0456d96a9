"""From whole specs to plans as people read them: what a spec asks of a new server, or of one that an earlier spec made.

A case is a folder of tests/data/plans: mailstack.yaml, before.yaml where something was applied before, and plan.txt.
MAILSTACK_GOLDEN=write renews the plans. DNS has its own cases (dns/test_golden_records.py).
"""

from pathlib import Path

import pytest

from mailstack.model.errors import Forbidden
from mailstack.model.instant import Instant
from mailstack.reconcile.brake import EVERYTHING_ALLOWED, NOTHING_ALLOWED, Brake, nobody
from mailstack.reconcile.dns.targets import NoDns
from mailstack.reconcile.reconciler import Reconciler
from mailstack.reconcile.render import render
from mailstack.spec.load import load_spec
from tests.support.golden_spec import GOOD, agrees
from tests.support.memory_state import MemoryState

DATA = Path(__file__).parents[1] / "data"
CASES = sorted(path.parent for path in (DATA / "plans").glob("*/mailstack.yaml"))


def reconciler(state: MemoryState, *, released: bool = False) -> Reconciler:
    return Reconciler(
        state=state,
        clock=lambda: Instant(1_790_000_000_000),
        hash_password=lambda plain: f"$2b$12${plain:h<53}",
        brake=Brake(holders=nobody, allowed=EVERYTHING_ALLOWED if released else NOTHING_ALLOWED),
        dns=NoDns(),
        resolve=lambda reference, _directory: f"secret of {reference}",
    )


async def reached(folder: Path) -> MemoryState:
    """A server that has applied what was before."""
    state = MemoryState()
    before = folder / "before.yaml"
    if before.exists():
        await reconciler(state).apply(await reconciler(state).plan(load_spec(before)))
    return state


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
async def test_golden_plan(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    plan = (await reconciler(await reached(folder)).plan(load_spec(Path("mailstack.yaml")))).plan
    assert agrees(folder / "plan.txt", render(plan))


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
async def test_after_each_golden_plan_there_is_nothing_left_to_do(folder: Path) -> None:
    state, spec = await reached(folder), load_spec(folder / "mailstack.yaml")
    applying = reconciler(state, released=True)
    await applying.apply(await applying.plan(spec))
    assert (await applying.plan(spec)).plan.is_empty


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
async def test_a_plan_that_says_that_apply_stops_is_not_applied(folder: Path) -> None:
    state = await reached(folder)
    prepared = await reconciler(state).plan(load_spec(folder / "mailstack.yaml"))
    writes = state.writes
    if prepared.plan.stops:
        with pytest.raises(Forbidden):
            await reconciler(state).apply(prepared)
        assert state.writes == writes


def test_there_are_enough_golden_specs() -> None:
    records = list((DATA / "records").glob("*/spec.yaml"))
    assert len(CASES) + len(records) + len(GOOD) >= 60
