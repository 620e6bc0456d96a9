"""Log lines: time, process, no secrets, and nothing a peer could break them with."""

import io
import json
import os
from collections.abc import Iterator

import pytest
import structlog

from mailstack.app.log import configure_log


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


@pytest.mark.parametrize("name", ["password", "relay_password", "private_key", "token"])
@pytest.mark.parametrize("log_format", ["json", "console"])
def test_secrets_never_reach_a_line(log_format: str, name: str) -> None:
    assert "hunter2" not in logged(log_format, **{name: "hunter2"})


def test_a_line_stays_one_line_whatever_peers_send() -> None:
    text = logged("console", ehlo="x\r\n2026-01-01 forged\x1b[2J")
    assert text.count("\n") == 1
    assert "\x1b" not in text


def test_lower_levels_are_left_out() -> None:
    assert logged("json", "warning", account="alice") == ""


def test_a_list_is_read_as_one() -> None:
    assert logged("console", made=["account a", "domain b"]).endswith("made='account a, domain b'\n")
