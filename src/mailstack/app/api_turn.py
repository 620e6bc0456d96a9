"""What every apply of the API has in common: its turn and its store, what stops it, and what it says at its end."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from mailstack.app.answer_line import Line
from mailstack.app.api_line import opened_store, refuse_stale, refuse_unbindable
from mailstack.app.api_models import AllowModel, ExpectedModel
from mailstack.app.api_process import Order
from mailstack.app.stores import open_bus
from mailstack.app.turn import LeaveTurn, apply_turn
from mailstack.ports.store import Store
from mailstack.reconcile.awaiting import CarriedOut
from mailstack.reconcile.brake import allowed_name, refuse, refuse_unknown
from mailstack.reconcile.plan import Plan, by_hand_document
from mailstack.spec.load import LoadedSpec

TURN_WAIT_S = 15.0


@asynccontextmanager
async def turn_to_apply(order: Order, who: str) -> AsyncIterator[tuple[Store, LeaveTurn]]:
    """who: for those who wait for their turn."""
    bus = open_bus(order.store)
    async with AsyncExitStack() as turn:
        await turn.enter_async_context(apply_turn(order.store, who, wait_s=TURN_WAIT_S))
        async with opened_store(order, bus, read_only=False) as store:
            await bus.start()
            try:
                yield store, turn.aclose
            finally:
                await bus.close()


async def refuse_unfit(
    store: Store, loaded: LoadedSpec, plan: Plan, *, expected: ExpectedModel, allow: AllowModel
) -> None:
    """What was shown has changed, releases nobody, is stopped by a brake, or cannot be served. Raises DomainError."""
    refuse_stale(plan, expected)
    refuse_unknown(tuple(map(allowed_name, allow.destroy)), plan, {*loaded.spec.accounts, *loaded.spec.domains})
    refuse(plan.stops, plan.spec_arguments)
    await refuse_unbindable(store, loaded)


def tell_applied(line: Line, done: CarriedOut) -> None:
    line.tell(
        step="Applied",
        generation=int(done.generation),
        by_hand=by_hand_document(done.by_hand),
        waiting_for_dns=list(done.waiting),
    )
