"""A worker of the queue is killed at each step of an attempt: no mail and no notice is lost, and what was under way is
sent once more at most."""

import asyncio
import itertools
import re
import signal
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mailstack.model.delivery import OutgoingMail, Priority
from mailstack.ports.store import Store
from tests.support.doomed import Step
from tests.support.engines import open_store
from tests.support.queue_worker import now, running_worker
from tests.support.recording_bus import RecordingBus
from tests.support.running import until
from tests.support.sink import Sink

pytestmark = pytest.mark.slow

KILLS, KILL_MAILS = 3, 120
DIES_WITHIN_S = 60
SENDER = "sender@elsewhere.test"
NUMBER = re.compile(rb"^X-Number: (\d+)", re.MULTILINE)
HERE, THERE = ("a@them.test", "b@them.test"), ("c@other.test", "nobody@other.test")
TAKEN = (*HERE, "c@other.test")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(tmp_path / "store", clock=now, bus=RecordingBus())
    yield opened
    await opened.close()


def mail(number: int, *recipients: str) -> OutgoingMail:
    return OutgoingMail(
        reverse_path=SENDER,
        recipients=recipients,
        raw=b"From: s@elsewhere.test\r\nX-Number: %d\r\nSubject: hi\r\n\r\nbody\r\n" % number,
        queued_at=now(),
        is_8bit=False,
        smtp_utf8=False,
        trace_id=str(number),
        priority=Priority.SUBMISSION,
    )


def copies(sink: Sink) -> Counter[str]:
    """By recipient, of mail that is no notice."""
    return Counter(each for taken in sink.taken for each in taken.recipients if each != SENDER)


def notices(sink: Sink) -> Counter[bytes]:
    """By the number of the mail that came back."""
    return Counter(NUMBER.findall(taken.content)[0] for taken in sink.taken if taken.recipients == (SENDER,))


async def all_leaves(store: Store) -> None:
    async def is_empty() -> bool:
        return not await store.queue.items()

    await until(is_empty)


# Of one mail in two attempts, the second of which comes to a notice as well.
@pytest.mark.parametrize(
    ("step", "doubled"),
    [
        (Step.CONNECTING, {()}),
        (Step.ANSWERED, {HERE, ("c@other.test",)}),
        (Step.COMMITTING, {HERE, ("c@other.test",)}),
        (Step.SETTLED, {()}),
        (Step.SECOND, {HERE, ("c@other.test",)}),
    ],
)
async def test_one_that_ends_at_a_step_loses_nothing_and_doubles_one_attempt_at_most(
    tmp_path: Path, store: Store, sink: Sink, step: Step, doubled: set[tuple[str, ...]]
) -> None:
    await store.queue.enqueue([mail(1, *HERE, *THERE)], next_at=now())
    await killed(tmp_path, sink, step)
    with running_worker(tmp_path / "store", sink.port, "steady"):
        await all_leaves(store)
    found = copies(sink)
    assert {each: min(count, 1) for each, count in found.items()} == dict.fromkeys(TAKEN, 1)
    assert max(found.values()) <= 2
    assert tuple(each for each in TAKEN if found[each] == 2) in doubled
    assert notices(sink) == {b"1": 1}


@pytest.mark.parametrize("step", [Step.ANSWERED, Step.COMMITTING, Step.SETTLED])
async def test_one_that_ends_while_a_notice_is_queued_leaves_one_notice(
    tmp_path: Path, store: Store, sink: Sink, step: Step
) -> None:
    await store.queue.enqueue([mail(1, *THERE)], next_at=now())
    await killed(tmp_path, sink, step)
    left = [item.recipient for item in await store.queue.items()]
    assert left == ([SENDER] if step is Step.SETTLED else [*THERE])
    with running_worker(tmp_path / "store", sink.port, "steady"):
        await all_leaves(store)
    assert copies(sink) == {"c@other.test": 1 if step is Step.SETTLED else 2}
    assert notices(sink) == {b"1": 1}


async def test_one_that_ends_after_the_last_dot_and_before_the_reply_doubles_that_mail(
    tmp_path: Path, store: Store, sink: Sink
) -> None:
    await store.queue.enqueue([mail(1, *HERE)], next_at=now())
    with running_worker(tmp_path / "store", sink.port, "doomed") as doomed:
        sink.when_taken = doomed.kill
        assert await asyncio.to_thread(doomed.wait, DIES_WITHIN_S) == -signal.SIGKILL
    with running_worker(tmp_path / "store", sink.port, "steady"):
        await all_leaves(store)
    assert copies(sink) == dict.fromkeys(HERE, 2)


async def test_of_two_workers_one_is_killed_again_and_again_and_all_mail_leaves(
    tmp_path: Path, store: Store, sink: Sink
) -> None:
    mails = [mail(number, f"u{number}@them{number % 7}.test", "nobody@them.test") for number in range(KILL_MAILS)]
    await store.queue.enqueue(mails, next_at=now())

    async def wait_for_mails(count: int) -> None:
        async def are_there() -> bool:
            return len(sink.taken) >= count

        await until(are_there)

    kills = 0
    with running_worker(tmp_path / "store", sink.port, "steady"):
        for number in itertools.count():
            with running_worker(tmp_path / "store", sink.port, f"doomed{number}"):
                if number == KILLS:
                    await all_leaves(store)
                    break
                await wait_for_mails((number + 1) * KILL_MAILS // (KILLS + 2))
                kills += 1
    found, told = copies(sink), notices(sink)
    assert set(found) == {f"u{number}@them{number % 7}.test" for number in range(KILL_MAILS)}
    assert set(told) == {b"%d" % number for number in range(KILL_MAILS)}
    # Those that were under way when one was killed are sent again, at most once a kill: 16 leases at most.
    for counted in (found, told):
        assert max(counted.values()) <= 1 + kills
    assert found.total() + told.total() <= 2 * KILL_MAILS + 16 * kills


async def killed(folder: Path, sink: Sink, step: Step) -> None:
    with running_worker(folder / "store", sink.port, "doomed", step) as doomed:
        assert await asyncio.to_thread(doomed.wait, DIES_WITHIN_S) == -signal.SIGKILL
