"""Where log lines go: one JSON object or one readable line for each event, on standard error.

What is logged is decided where it happens; here lines get their time and process, and lose what no log may hold.
"""

import asyncio
import logging
import os
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from io import TextIOWrapper
from typing import Any, TextIO

import orjson

# structlog loads rich for a renderer that is not used here: a fifth of a second and 7 MB in every process.
_rich = sys.modules.setdefault("rich", None)  # type: ignore[arg-type]  # None is how the import system says "not here"
import structlog  # noqa: E402

if _rich is None:
    del sys.modules["rich"]

# Nobody logs these on purpose; a field added in haste must not become a leak.
SECRET_WORDS = ("password", "secret", "private_key", "token", "credentials")
GATHER_S = 0.02
Event = MutableMapping[str, Any]  # structlog's own type for what a processor is handed


def configure_log(log_format: str, level: str, *, stream: TextIO | None = None) -> None:
    """auto: readable on a terminal, JSON anywhere else."""
    target = stream or sys.stderr
    lines = _Lines(target)
    chosen = log_format if log_format != "auto" else ("console" if target.isatty() else "json")
    structlog.configure(
        processors=[
            _stamp,
            structlog.processors.format_exc_info,
            _as_json if chosen == "json" else _as_line,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=False,
    )


class _Lines:
    """Gathers what is only informative for a moment: a write for each delivery costs as much as the rest of its line.

    Nothing waits across a fork or past the end of a process; who is killed outright loses GATHER_S at most.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._is_due = False
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(line_buffering=False)
            os.register_at_fork(before=self._flush, after_in_child=self._start_anew)

    def info(self, line: str) -> None:
        self._stream.write(f"{line}\n")
        if self._is_due:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # in a thread, or before and after the loop
            self._flush()
        else:
            self._is_due = True
            loop.call_later(GATHER_S, self._flush)

    def warning(self, line: str) -> None:
        self._stream.write(f"{line}\n")
        self._stream.flush()

    debug = info
    error = critical = warning

    def _flush(self) -> None:
        self._is_due = False
        with suppress(ValueError):  # closed: nobody reads it any more
            self._stream.flush()

    def _start_anew(self) -> None:
        """The parent's loop is not the child's."""
        self._is_due = False


def log_loop_fault(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """For loop.set_exception_handler: what asyncio would print is a log line like any other."""
    structlog.get_logger().error(context["message"], exc_info=context.get("exception"))


def _stamp(_logger: object, method: str, event: Event) -> Event:
    """One processor, for each costs a call for each line."""
    event.update(structlog.contextvars.get_contextvars())  # the id of the web request that this is for
    for name in _secret_names(tuple(event)):
        event[name] = "(secret)"
    event["level"] = method
    event["at"] = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    event["pid"] = os.getpid()
    return event


@lru_cache(maxsize=1024)
def _secret_names(names: tuple[str, ...]) -> list[str]:
    """Looked through once for each kind of event, not once for each name of each line."""
    return [name for name in names if any(word in name for word in SECRET_WORDS)]


def _as_json(_logger: object, _method: str, event: Event) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def _as_line(_logger: object, _method: str, event: Event) -> str:
    """Values through repr where they could break the line: peers choose some of them."""
    stamp, level, pid = event.pop("at"), event.pop("level"), event.pop("pid")
    text, trace = event.pop("event"), event.pop("exception", "")
    pairs = " ".join(f"{name}={_plain(value)}" for name, value in event.items())
    line = f"{stamp} {level:<7} [{pid}] {text}" + (f"  {pairs}" if pairs else "")
    return f"{line}\n{trace}" if trace else line


def _plain(value: object) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return text if text.isprintable() and " " not in text and text else repr(text)
