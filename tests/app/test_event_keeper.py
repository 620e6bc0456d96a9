"""Who looks after a node's log: made where the spec wants one, put in order by another process, gone when unwanted."""

import os
from pathlib import Path

import structlog

from mailstack.app.blueprint import Blueprint
from mailstack.app.clock import system_clock
from mailstack.app.event_keeper import EventKeeper, make_log
from mailstack.app.messages import Job
from mailstack.model.ids import Generation
from mailstack.model.instant import HOUR_MS, Instant
from mailstack.model.resource import Kind, LogBody, Resource, ServerBody, fields_of
from mailstack.store.event_log.parts import log_folder
from mailstack.store.event_log.segments import Segments
from tests.support.running import until_seen

JOB = Job(spec="spec.yaml", log_format="json", log_level="info")


def blueprint(log: LogBody | None) -> Blueprint:
    server = ServerBody(
        hostname="mail.example.com",
        addresses=(),
        workers=0,
        message_size_bytes=1,
        recipients=1,
        connections_per_ip=1,
        log=log,
    )
    resource = Resource(kind=Kind.SERVER, name="server", fields=fields_of(server), digests={})
    return Blueprint(generation=Generation(1), postmaster=None, secret_key=bytes(32), resources=(resource,), secrets={})


def write_long_ago(storage: Path) -> None:
    then = Instant(system_clock() - 2 * HOUR_MS)
    made = Segments(log_folder(storage), clock=lambda: then, on_trouble=print, on_end=print)
    made.add(b'{"event": "sent", "at": "2026-11-30T12:00:00Z"}')
    made.write()
    made.begin_anew()


def test_the_folder_is_there_where_the_spec_wants_a_log(tmp_path: Path) -> None:
    make_log(tmp_path, blueprint(None))
    assert not log_folder(tmp_path).exists()
    make_log(tmp_path, blueprint(LogBody()))
    make_log(tmp_path, blueprint(LogBody()))
    assert log_folder(tmp_path).stat().st_mode & 0o777 == 0o700


def test_a_server_starts_also_where_the_folder_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "storage").write_text("a file")
    with structlog.testing.capture_logs() as told:
        make_log(tmp_path / "storage", blueprint(LogBody()))
    assert [line["event"] for line in told] == ["no log is kept"]


async def test_what_is_over_is_put_in_order_by_another_process(tmp_path: Path) -> None:
    make_log(tmp_path, blueprint(LogBody()))
    write_long_ago(tmp_path)
    keeper = EventKeeper(tmp_path, JOB, LogBody)
    keeper.follow()
    await until_seen(lambda: [path.suffix for path in log_folder(tmp_path).glob("2*")] == [".parquet"])
    await keeper.end()


async def test_a_log_that_the_spec_does_not_want_any_more_is_deleted(tmp_path: Path) -> None:
    rules: list[LogBody | None] = [LogBody()]
    make_log(tmp_path, blueprint(LogBody()))
    keeper = EventKeeper(tmp_path, JOB, lambda: rules[0])
    rules[0] = None
    keeper.follow()
    await until_seen(lambda: not log_folder(tmp_path).exists())
    await keeper.end()


async def test_what_cannot_be_put_in_order_is_told_and_tried_again(tmp_path: Path) -> None:
    make_log(tmp_path, blueprint(LogBody()))
    write_long_ago(tmp_path)
    hour = next(log_folder(tmp_path).glob("*.jsonl")).name.partition(".")[0]
    draft = log_folder(tmp_path) / f"{hour}.draft"
    draft.mkdir()
    (draft / "in the way").touch()
    with structlog.testing.capture_logs() as told:
        keeper = EventKeeper(tmp_path, JOB, LogBody)
        keeper.follow()
        await until_seen(lambda: bool(told))
        (draft / "in the way").unlink()
        os.rmdir(draft)  # noqa: PTH106  as its owner would
        keeper.follow()
        await until_seen(lambda: [path.suffix for path in log_folder(tmp_path).glob("2*")] == [".parquet"])
        await keeper.end()
    assert told[0]["event"] == "the log is not looked after"
