"""What the API's processes that plan and apply share: a store, the steps that they tell, and what they refuse first."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict

from mailstack.app.answer_line import Line
from mailstack.app.api_models import ExpectedModel
from mailstack.app.api_process import Order
from mailstack.app.blueprint import read_blueprint
from mailstack.app.faults import CannotServe
from mailstack.app.shared_clock import open_store_in_step
from mailstack.app.sockets import bind, endpoints_of, give_up
from mailstack.app.spec_loaded import endpoints_in
from mailstack.model.errors import Conflict
from mailstack.ports.bus import Bus
from mailstack.ports.store import Store
from mailstack.reconcile.plan import Plan
from mailstack.reconcile.progress import Event, StateCommitted
from mailstack.spec.load import LoadedSpec


class Steps:
    """What an apply has done so far, as app.api_models has the steps."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self.is_committed = False

    def tell(self, event: Event, **more: str) -> None:
        self.is_committed |= isinstance(event, StateCommitted)
        self._line.tell(step=type(event).__name__, **more, **asdict(event))


@asynccontextmanager
async def opened_store(order: Order, bus: Bus, *, read_only: bool) -> AsyncIterator[Store]:
    store = await open_store_in_step(order.store, bus=bus, read_only=read_only)
    try:
        yield store
    finally:
        await store.close()


def refuse_stale(plan: Plan, expected: ExpectedModel) -> None:
    if plan.spec_hash != expected.spec_hash:
        raise Conflict("the spec has changed since the plan was made; nothing was changed, plan again")
    if plan.live_hash != expected.live_hash:
        raise Conflict("the server or its DNS has changed since the plan was made; nothing was changed, plan again")
    if plan.plan_hash != expected.plan_hash:
        raise Conflict("apply would do something else than the plan says now; nothing was changed, plan again")


async def refuse_unbindable(store: Store, loaded: LoadedSpec) -> None:
    """As for a spec that is saved: with a state that nothing can listen for, the next start would serve nothing."""
    held = endpoints_of((await read_blueprint(store.state)).listeners)
    try:
        give_up(bind((endpoint for endpoint in endpoints_in(loaded.spec) if endpoint not in held), {}))
    except (CannotServe, OSError) as fault:
        raise Conflict(f"{fault}; nothing was changed") from None
