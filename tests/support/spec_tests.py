"""Tests of specs, run from a text or a file, for tests of how they run."""

from itertools import count
from pathlib import Path

from mailstack.app.spec_tests.result import Result
from mailstack.app.spec_tests.run import cases_of, run
from mailstack.spec.load import load_spec

DELIVERY = sorted((Path(__file__).parent.parent / "data" / "delivery").glob("*.yaml"))
FAILURES = Path(__file__).parent.parent / "data" / "spec_tests" / "failures.yaml"

HEAD = """\
server: {hostname: mail.example.com}
domains: {example.com: }
accounts: {alice@example.com: {password: env/NOT_SET}, bob@example.com: }
aliases: {both@example.com: [alice@example.com, bob@example.com]}
"""


async def results_of(path: Path, filter_text: str = "") -> list[Result]:
    """Each took a second, by the timer that they get."""
    loaded = load_spec(path)
    seconds = count()
    return [result async for result in run(loaded, cases_of(loaded, filter_text), lambda: float(next(seconds)))]


def write_spec(folder: Path, tests: str, head: str = HEAD) -> Path:
    path = folder / "spec.yaml"
    path.write_text(f"{head}tests:\n{tests}", encoding="utf-8")
    return path
