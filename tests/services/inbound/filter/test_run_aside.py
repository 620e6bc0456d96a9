"""Where a script is run: on the event loop for as long as nobody notices, else in a thread."""

import threading

import pytest

from mailstack.services.inbound.filter.decide import AT_ONCE_LIMITS, AT_ONCE_OCTETS, DELIVERY_LIMITS, run_aside
from mailstack.sieve.run import Mail, Outcome, Run, Script
from tests.support.filter_world import mail_of

LARGE = mail_of(body="x" * AT_ONCE_OCTETS)
LONG = AT_ONCE_LIMITS.steps + 1


@pytest.mark.parametrize(
    ("raw", "steps", "is_aside"), [(mail_of(), 1, False), (LARGE, 1, True), (mail_of(), LONG, True)]
)
async def test_what_takes_long_is_run_in_a_thread(raw: bytes, steps: int, *, is_aside: bool) -> None:
    threads: list[int] = []

    def step(run: Run) -> None:
        threads.append(threading.get_ident())
        run.spend(steps)

    script = Script(text="", required=frozenset(), steps=(step,))
    found = await run_aside(script, Mail(raw=raw), {})
    assert isinstance(found, Outcome)
    assert not found.fault
    assert (threads[-1] != threading.get_ident()) is is_aside


async def test_too_many_steps_are_too_many_in_a_thread_as_well() -> None:
    script = Script(text="", required=frozenset(), steps=(lambda run: run.spend(DELIVERY_LIMITS.steps),))
    found = await run_aside(script, Mail(raw=mail_of()), {})
    assert isinstance(found, Outcome)
    assert found.is_out_of_steps
    assert found.fault == "it took more than 100000 steps"
