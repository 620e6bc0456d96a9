"""Questions to a node's log, asked as a worker asks them: of a process that ends with its answer."""

import asyncio
import fcntl
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from mailstack.app.api_process import AT_ONCE, ApiProcesses
from mailstack.app.messages import Job
from mailstack.app.runfiles import run_folder
from mailstack.app.store_address import StoreAddress
from mailstack.model.errors import TryAgainLater
from mailstack.model.ids import TokenId
from mailstack.servers.calls import Call, CallKind
from mailstack.store.event_log.parts import log_folder
from tests.store.event_log.world import AFTERWARDS, NOON, World, transaction
from tests.support.running import until

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("forked_programs")]

JOB = Job(spec="spec.yaml", log_format="json", log_level="warning")
WHENEVER = {"since": NOON, "until": AFTERWARDS}


@pytest.fixture
def processes(tmp_path: Path) -> ApiProcesses:
    run_folder(tmp_path).mkdir()
    log_folder(tmp_path).mkdir()
    made = World(log_folder(tmp_path)).segments()
    made.add(transaction(NOON, "t1"))
    made.write()
    made.begin_anew()
    return ApiProcesses(StoreAddress(folder=tmp_path), JOB, same_token_s=0)


async def ask(processes: ApiProcesses, kind: CallKind, request: object) -> tuple[int, dict[str, Any]]:
    call = Call(kind=kind, caller=TokenId("an-admin"), may_apply=True)
    answer = await processes.carry_out(call, orjson.dumps(request))
    told = b"".join([chunk async for chunk in answer.chunks])
    await answer.close()
    await ended(processes)
    return answer.status, orjson.loads(told)


async def ended(processes: ApiProcesses) -> None:
    async def is_over() -> bool:
        return not processes.running

    await until(is_over)


@contextmanager
def held(storage: Path, name: str) -> Iterator[None]:
    """All slots."""
    with ExitStack() as files:
        for number in range(AT_ONCE):
            file = files.enter_context((run_folder(storage) / f"{name}-{number}.lock").open("w"))
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


async def test_a_mail_is_found(processes: ApiProcesses) -> None:
    status, found = await ask(processes, CallKind.MAILS, {"what": "bob@else.example", **WHENEVER})
    assert (status, found["node"]) == (200, socket.gethostname())
    assert [story["trace"] for story in found["stories"]] == ["t1"]


async def test_mail_is_counted(processes: ApiProcesses) -> None:
    status, found = await ask(processes, CallKind.MAIL_FIGURES, {"since": NOON, "until": NOON + 1})
    assert (status, found["sums"]["received"]) == (200, 1)


async def test_a_fault_is_told_without_what_is_nobody_elses(processes: ApiProcesses) -> None:
    status, found = await ask(processes, CallKind.MAILS, {"what": "x"})
    assert (status, found["detail"]) == (500, "an internal error; the server's log says more")


async def test_plans_leave_room_for_questions_and_questions_for_plans(processes: ApiProcesses, tmp_path: Path) -> None:
    with held(tmp_path, "api"):
        assert (await ask(processes, CallKind.MAILS, {"what": "x", **WHENEVER}))[0] == 200


async def test_so_many_are_asked_at_a_time(processes: ApiProcesses, tmp_path: Path) -> None:
    with held(tmp_path, "log"), pytest.raises(TryAgainLater, match="questions to the log"):
        await ask(processes, CallKind.MAILS, {"what": "x", **WHENEVER})


async def test_who_does_not_wait_ends_the_question(processes: ApiProcesses) -> None:
    call = Call(kind=CallKind.MAILS, caller=TokenId("an-admin"), may_apply=True)
    asking = asyncio.create_task(processes.carry_out(call, orjson.dumps({"what": "x", **WHENEVER})))

    async def runs() -> bool:
        return bool(processes.running)

    await until(runs)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    await ended(processes)
