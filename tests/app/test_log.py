"""Log lines: time, process, no secrets, and nothing a peer could break them with."""

import io
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from mailstack.app.clock import system_clock
from mailstack.app.log import configure_log, flush_log, keep_events
from mailstack.model.event_log import EventFilter
from mailstack.model.instant import MINUTE_MS, Instant
from mailstack.store.event_log.parts import all_parts, log_folder
from mailstack.store.event_log.reading import EventLog
from tests.support.running import until_seen


@pytest.fixture(autouse=True)
def _unconfigured() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def logged(log_format: str, level: str = "info", **fields: object) -> str:
    stream = io.StringIO()
    configure_log(log_format, level, stream=stream)
    structlog.get_logger().info("delivered", **fields)
    return stream.getvalue()


def test_json_lines_have_time_level_and_process() -> None:
    line = json.loads(logged("auto", account="alice@example.com"))
    assert line.pop("at").endswith("Z")
    assert line == {"event": "delivered", "level": "info", "pid": os.getpid(), "account": "alice@example.com"}


def test_a_line_names_the_web_request_that_it_belongs_to() -> None:
    with structlog.contextvars.bound_contextvars(request="r-1"):
        assert json.loads(logged("json"))["request"] == "r-1"
    assert "request" not in json.loads(logged("json"))


@pytest.mark.parametrize("name", ["password", "relay_password", "private_key", "token"])
@pytest.mark.parametrize("log_format", ["json", "console"])
def test_secrets_never_reach_a_line(log_format: str, name: str) -> None:
    assert "hunter2" not in logged(log_format, **{name: "hunter2"})


def test_a_line_stays_one_line_whatever_peers_send() -> None:
    text = logged("console", ehlo="x\r\n2026-01-01 forged\x1b[2J")
    assert text.count("\n") == 1
    assert "\x1b" not in text


async def test_lines_of_one_moment_are_written_together_and_a_warning_at_once(file: Path) -> None:
    log = structlog.get_logger()
    log.info("one")
    log.info("two")
    assert events(file) == []
    log.warning("three")
    assert events(file) == ["one", "two", "three"]
    log.info("four")
    await until_seen(lambda: events(file)[3:] == ["four"])


def test_without_a_loop_a_line_is_written_at_once(file: Path) -> None:
    structlog.get_logger().info("one")
    assert events(file) == ["one"]


async def test_a_fork_leaves_nothing_to_be_written_twice(file: Path) -> None:
    structlog.get_logger().info("one")
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)  # noqa: ASYNC222 - it has ended already
    assert events(file) == ["one"]


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    """What stands for standard error."""
    with (tmp_path / "log").open("w", buffering=1) as stream:
        configure_log("json", "info", stream=stream)
        yield tmp_path / "log"


def events(file: Path) -> list[str]:
    return [json.loads(line)["event"] for line in file.read_text().splitlines()]


def test_lower_levels_are_left_out() -> None:
    assert logged("json", "warning", account="alice") == ""


def test_a_list_is_read_as_one() -> None:
    assert logged("console", made=["account a", "domain b"]).endswith("made='account a, domain b'\n")


async def test_what_is_told_is_kept_as_json_whatever_is_shown(tmp_path: Path) -> None:
    folder = log_folder(tmp_path)
    folder.mkdir()
    with (tmp_path / "shown").open("w") as stream:
        configure_log("console", "info", stream=stream)
        keep_events(tmp_path)
        structlog.get_logger().info("sent", host="mx.example", password="hunter2")
        assert kept(folder) == []
        await until_seen(lambda: kept(folder) == [("sent", "mx.example", "(secret)")])
        structlog.get_logger().debug("not at this level")
        structlog.get_logger().warning("last", host="", password="")
        flush_log()
    assert kept(folder)[1:] == [("last", "", "(secret)")]
    assert " sent  host=mx.example " in (tmp_path / "shown").read_text()


def test_where_no_log_is_kept_only_standard_error_has_it(tmp_path: Path, file: Path) -> None:
    storage = tmp_path / "storage"
    storage.mkdir()
    keep_events(storage)
    structlog.get_logger().info("one")
    assert (events(file), list(storage.iterdir())) == (["one"], [])


def test_what_no_json_can_hold_is_told_in_escapes(tmp_path: Path) -> None:
    folder = log_folder(tmp_path)
    folder.mkdir()
    configure_log("json", "info", stream=io.StringIO())
    keep_events(tmp_path)
    structlog.get_logger().info("sent", host="half \ud800", password=1 << 80)
    assert kept(folder) == [("sent", r"'half \ud800'", "(secret)")]
    wanted = EventFilter(since=Instant(0), until=Instant(system_clock() + MINUTE_MS), names=("sent",), level="info")
    assert len(EventLog(folder).last_lines(wanted, 10)) == 1, "it is found as if it were whole"


async def test_a_forked_child_keeps_what_it_tells_in_a_segment_of_its_own(tmp_path: Path) -> None:
    folder = log_folder(tmp_path)
    folder.mkdir()
    configure_log("json", "info", stream=io.StringIO())
    keep_events(tmp_path)
    structlog.get_logger().info("parent", host="", password="")
    child = os.fork()
    if child == 0:
        structlog.get_logger().info("child", host="", password="")
        flush_log()
        os._exit(0)
    os.waitpid(child, 0)  # noqa: ASYNC222 - it has ended already
    assert sorted(name for name, _, _ in kept(folder)) == ["child", "parent"]
    assert len(all_parts(folder)) == 2


def kept(folder: Path) -> list[tuple[str, str, str]]:
    lines = [json.loads(line) for part in all_parts(folder) for line in part.path.read_text().splitlines()]
    return [(line["event"], line["host"], line["password"]) for line in lines]
