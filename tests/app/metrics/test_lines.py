"""Lines of the log are counted by their words, whatever level is written."""

import ast
import asyncio
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

import mailstack
from mailstack.app.log import configure_log, hear
from mailstack.app.metrics.lines import LINES, LineCounts
from mailstack.app.metrics.shared import SharedMetrics
from mailstack.model import metrics
from mailstack.model.metric import Metric

SOURCE = Path(mailstack.__file__).parent
LOGIN: dict[str, object] = {"service": "imap", "peer": "192.0.2.1", "proof": "scram", "account": "alice@example.com"}
LINE_FIELDS: dict[str, dict[str, object]] = {
    "logged in": LOGIN,
    "login failed": LOGIN,
    "login refused": LOGIN,
    "scored": {"result": "junk", "score": 6.5},
    "sent": {"ms": 120, "tls_policy": "dane", "tls_version": "TLSv1.3"},
    "deferred": {"ms": 5_000},
}


class Heard:
    """What was counted of what was said. level: that is written."""

    def __init__(self, level: str) -> None:
        self.shared = SharedMetrics(1)
        self.stream = io.StringIO()
        configure_log("json", level, stream=self.stream)
        hear(LineCounts(self.shared.of(0)))

    def all(self) -> dict[tuple[str, ...], float]:
        """By name and labels, without what is zero."""
        cells = ((cell, sum(cell.figures[:-1] or cell.figures)) for cell in self.shared.cells())
        return {(cell.metric.name, *cell.labels): count for cell, count in cells if count}

    def of(self, metric: Metric, *labels: str) -> float:
        return self.all().get((metric.name, *labels), 0)


@pytest.fixture(autouse=True)
def _unconfigured() -> Iterator[None]:
    yield
    structlog.reset_defaults()


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
async def test_a_line_counts_whether_it_is_written_or_not(level: str) -> None:
    heard = Heard(level)
    structlog.get_logger().info("delivered", trace="x", account="alice@example.com")
    assert heard.of(metrics.DELIVERIES, "delivered") == 1
    assert heard.of(metrics.LOG_LINES, "info") == 1
    assert bool(heard.stream.getvalue()) is (level in ("debug", "info"))


@pytest.mark.parametrize("words", list(LINES))
async def test_every_line_comes_to_a_figure(words: str) -> None:
    heard = Heard("info")
    structlog.get_logger().warning(words, **LINE_FIELDS.get(words, {}))
    counted = {name: count for (name, *_), count in heard.all().items() if name != metrics.LOG_LINES.name}
    assert counted
    assert set(counted.values()) == {1}


@pytest.mark.parametrize("words", list(LINES))
async def test_a_line_that_lacks_something_stops_nobody(words: str) -> None:
    heard = Heard("info")
    structlog.get_logger().info(words)
    assert heard.of(metrics.LOG_LINES, "info") == 1


async def test_an_attempt_is_counted_with_its_tls_and_its_time() -> None:
    heard = Heard("info")
    structlog.get_logger().info("sent", **LINE_FIELDS["sent"])
    structlog.get_logger().info("deferred", host="", reply="451 later")
    assert heard.of(metrics.ATTEMPTS, "sent", "dane", "yes") == 1
    assert heard.of(metrics.ATTEMPTS, "deferred", "none", "no") == 1
    assert heard.of(metrics.ATTEMPT_SECONDS, "sent") == 1
    assert heard.of(metrics.ATTEMPT_SECONDS, "deferred") == 0


async def test_a_fault_with_a_stack_is_an_error() -> None:
    heard = Heard("info")
    try:
        raise ValueError
    except ValueError:
        structlog.get_logger().exception("bug")
    assert heard.of(metrics.LOG_LINES, "error") == 1


async def test_a_line_of_a_thread_counts_on_the_loop() -> None:
    heard = Heard("info")
    await asyncio.to_thread(structlog.get_logger().error, "rollback failed")
    await asyncio.sleep(0)
    assert heard.of(metrics.LOG_LINES, "error") == 1


def test_every_line_is_said_somewhere() -> None:
    """Words that are changed there must be changed here, or nothing is counted any more."""
    said: set[str] = set()
    for file in SOURCE.rglob("*.py"):
        if file.name != "lines.py" or file.parent.name != "metrics":
            tree = ast.parse(file.read_text(encoding="utf-8"))
            said |= {
                node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
            }
    assert set(LINES) <= said
