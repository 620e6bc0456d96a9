"""Where log lines go: one JSON object or one readable line for each event, on standard error; and as JSON into the log
of the storage (store.event_log), in processes that say so.

What is logged is decided where it happens; here lines get their time and process, and lose what no log may hold.
"""

import asyncio
import atexit
import os
import sys
from collections.abc import Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from io import TextIOWrapper
from pathlib import Path
from typing import Any, TextIO

import orjson

# structlog loads rich for a renderer that is not used here: a fifth of a second and 7 MB in every process.
_rich = sys.modules.setdefault("rich", None)  # type: ignore[arg-type]  # None is how the import system says "not here"
import structlog  # noqa: E402

if _rich is None:
    del sys.modules["rich"]

from mailstack.app.clock import system_clock  # noqa: E402
from mailstack.model.instant import SECOND_MS  # noqa: E402
from mailstack.store.event_log.parts import end_of_hour, log_folder  # noqa: E402
from mailstack.store.event_log.segments import Segments  # noqa: E402

log = structlog.get_logger()

# Nobody logs these on purpose; a field added in haste must not become a leak.
SECRET_WORDS = ("password", "secret", "private_key", "token", "credentials")
GATHER_S = 0.02
KEEP_S = 0.25
Event = MutableMapping[str, Any]  # structlog's own type for what a processor is handed
Hear = Callable[[str, Event], None]
"""Of a line: its level, and what is in it, which stays as it is."""
LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "exception": 40, "critical": 50}


def configure_log(log_format: str, level: str, *, stream: TextIO | None = None) -> None:
    """auto: readable on a terminal, JSON anywhere else."""
    target = stream or sys.stderr
    chosen = log_format if log_format != "auto" else ("console" if target.isatty() else "json")
    output = _Output(target, is_json=chosen == "json", level=LEVELS[level])
    structlog.configure(
        processors=[
            output.heard,
            _stamp,
            structlog.processors.format_exc_info,
            output.written,
        ],
        # What is for debugging costs nothing where it is not asked for; the rest is heard.
        wrapper_class=structlog.make_filtering_bound_logger(min(LEVELS[level], LEVELS["info"])),
        logger_factory=output,
        cache_logger_on_first_use=False,
    )


def keep_events(storage: Path) -> None:
    """What this process tells from here on goes into the log of that storage too, where it has one."""
    output = structlog.get_config()["logger_factory"]
    if isinstance(output, _Output):
        output.keep(log_folder(storage))


def hear(listener: Hear) -> None:
    """From here on, in this process, of every line but those for debugging, whatever level is written; in place of whom
    heard it before."""
    output = structlog.get_config()["logger_factory"]
    if isinstance(output, _Output):
        output.listener = listener


def flush_log() -> None:
    """Nothing waits behind it: for who may be ended without a word."""
    output = structlog.get_config()["logger_factory"]
    if isinstance(output, _Output):
        output.flush()


class _Output:
    """structlog's factory of loggers, and the first and the last of its processors."""

    def __init__(self, stream: TextIO, *, is_json: bool, level: int) -> None:
        self.listener: Hear | None = None
        self._lines = _Lines(stream)
        self._is_json = is_json
        self._level = level
        self._kept: _Kept | None = None

    def __call__(self, *_: object) -> "_Lines":
        return self._lines

    def keep(self, folder: Path) -> None:
        self._kept = _Kept(folder)

    def flush(self) -> None:
        self._lines.flush()
        if self._kept is not None:
            self._kept.flush()

    def heard(self, _logger: object, method: str, event: Event) -> Event:
        if self.listener is not None:
            self.listener(method, event)
        if LEVELS[method] < self._level:
            raise structlog.DropEvent
        return event

    def written(self, _logger: object, _method: str, event: Event) -> str:
        if self._kept is None:
            return _as_json(event).decode() if self._is_json else as_line(event)
        line = _as_json(event)
        self._kept.add(line)
        return line.decode() if self._is_json else as_line(event)


class _Lines:
    """Gathers what is only informative for a moment: a write for each delivery costs as much as the rest of its line.

    Nothing waits across a fork or past the end of a process; who is killed outright loses GATHER_S at most.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._is_due = False
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(line_buffering=False)
            os.register_at_fork(before=self.flush, after_in_child=self._start_anew)

    def info(self, line: str) -> None:
        self._stream.write(f"{line}\n")
        if self._is_due:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # in a thread, or before and after the loop
            self.flush()
        else:
            self._is_due = True
            loop.call_later(GATHER_S, self.flush)

    def warning(self, line: str) -> None:
        self._stream.write(f"{line}\n")
        self._stream.flush()

    debug = info
    error = critical = warning

    def flush(self) -> None:
        self._is_due = False
        with suppress(ValueError):  # closed: nobody reads it any more
            self._stream.flush()

    def _start_anew(self) -> None:
        """The parent's loop is not the child's."""
        self._is_due = False


class _Kept:
    """The log's segments, written by a thread of their own, so that a disk which hangs holds up nobody.

    Who is killed outright loses KEEP_S at most. A fork meets no such thread, and its child begins a segment of its own.
    """

    def __init__(self, folder: Path) -> None:
        self._segments = Segments(folder, clock=system_clock, on_trouble=_tell_trouble, on_end=_tell_end)
        self._thread: ThreadPoolExecutor | None = None
        self._is_due = self._is_roll_due = False
        os.register_at_fork(before=self.flush, after_in_child=self._start_anew)
        atexit.register(self.flush)

    def add(self, line: bytes) -> None:
        self._segments.add(line)
        if self._is_due:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # as above
            self._segments.write()
            return
        self._is_due = True
        loop.call_later(KEEP_S, self._hand_over)
        if not self._is_roll_due:
            self._is_roll_due = True
            now = system_clock()
            loop.call_later((end_of_hour(now) - now) / SECOND_MS + 1, self._roll)

    def flush(self) -> None:
        if self._thread is not None:
            self._thread.shutdown()
            self._thread = None
        self._segments.write()

    def _hand_over(self) -> None:
        self._is_due = False
        self._in_thread(self._segments.write)

    def _roll(self) -> None:
        self._is_roll_due = False
        self._in_thread(self._segments.roll)

    def _in_thread(self, work: Callable[[], None]) -> None:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="log")
        self._thread.submit(work)

    def _start_anew(self) -> None:
        self._is_due = self._is_roll_due = False
        self._segments.begin_anew()


def _tell_trouble(reason: str) -> None:
    log.warning("events are not kept: told here alone until they can be written", reason=reason)


def _tell_end(dropped: int) -> None:
    log.warning("events are kept again", dropped=dropped)


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


def _as_json(event: Event) -> bytes:
    try:
        return _dumped(event)
    except TypeError:  # what no JSON can hold, half of a character perhaps
        return orjson.dumps({str(name): _told(value) for name, value in event.items()})


def _told(value: object) -> object:
    """In escapes where it must be, and nothing else of its line: one value that a peer chose must not hide the rest."""
    try:
        return orjson.Fragment(_dumped(value))
    except TypeError:
        return ascii(value)


def _dumped(value: object) -> bytes:
    return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS)


def as_line(event: Event) -> str:
    """The event is empty afterwards. Values through repr where they could break the line: peers choose some of them."""
    stamp, level, pid = event.pop("at"), event.pop("level"), event.pop("pid")
    text, trace = event.pop("event"), event.pop("exception", "")
    pairs = " ".join(f"{name}={_plain(value)}" for name, value in event.items())
    line = f"{stamp} {level:<7} [{pid}] {text}" + (f"  {pairs}" if pairs else "")
    return f"{line}\n{trace}" if trace else line


def _plain(value: object) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return text if text.isprintable() and " " not in text and text else repr(text)
