"""`mailstack warmup` as it is typed."""

import asyncio
import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailstack.app.clock import system_clock
from mailstack.app.silence import Silence
from mailstack.cli.main import cli
from mailstack.model.instant import DAY_MS, Instant, as_datetime
from mailstack.model.warm_up import WarmDay, day_of
from mailstack.store.sqlite.open import open_store

HEAD = "server: {hostname: mail.example.com}\nstorage: {path: state}\ndomains: {example.com: }\n"
SHOWN = """\
Mail to *.test, mx *.b.test: direct from DAY on, over 28 days
  the rest goes by ses
  bad.test: 10.0%; all on DAY; bad days: 1
    ▁▁ took 5, 9 put off or refused
  good.test: 13.9%; all on DAY
    ▁ took 7, 2 put off or refused
  any other: 13.9%; all on DAY
Mail to all: direct from DAY on, over 7 days
  the rest goes by ses
  any other: nothing yet; all on DAY
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


def date(day: Instant) -> str:
    return as_datetime(day).strftime("%Y-%m-%d")


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    today = day_of(system_clock())
    sixteen_days_ago, in_a_week = Instant(today - 16 * DAY_MS), Instant(today + 7 * DAY_MS)
    path = tmp_path / "mailstack.yaml"
    path.write_text(
        f"{HEAD}relays: {{ses: {{host: ses.example}}}}\nroutes:\n"
        "  - {to: a.test, via: ses}\n"
        "  - {to: '*.test', mx: '*.b.test', via: direct,"
        f" warmup: {{start: {date(sixteen_days_ago)}, meanwhile: ses}}}}\n"
        f"  - {{via: direct, warmup: {{start: {date(in_a_week)}, over: 7d, meanwhile: ses}}}}\n"
    )
    assert run("apply", "--yes", "--no-dns", str(path)).exit_code == 0

    async def fill() -> None:
        store = await open_store(tmp_path / "state", clock=system_clock, bus=Silence())
        for provider, days_ago, taken, troubles in (
            ("good.test", 1, 7, 2),
            ("good.test", 17, 0, 99),
            ("bad.test", 2, 1, 9),
            ("bad.test", 1, 4, 0),
        ):
            day = WarmDay(provider=provider, day=Instant(today - days_ago * DAY_MS), taken=taken, troubles=troubles)
            await store.warm_days.add(day)
        await store.close()

    asyncio.run(fill())
    return path


def test_each_route_is_told_with_its_providers(spec: Path) -> None:
    found = run("warmup", "status", str(spec))
    assert (re.sub(r"\d{4}-\d\d-\d\d", "DAY", found.stdout), found.exit_code) == (SHOWN, 0)


def test_json_says_the_same(spec: Path) -> None:
    first, second = json.loads(run("warmup", "status", str(spec), "--format", "json").stdout)
    today = day_of(system_clock())
    assert (first["to"], first["mx"], first["meanwhile"], first["days"]) == ("*.test", "*.b.test", "ses", 28)
    assert [provider["provider"] for provider in first["providers"]] == ["bad.test", "good.test"]
    bad, good = first["providers"]
    assert (bad["share"], bad["bad_days"], bad["all_on"]) == (0.1, 1, date(Instant(today + 14 * DAY_MS)))
    assert bad["days"][0] == {
        "day": date(Instant(today - 2 * DAY_MS)),
        "share": 0.0720,
        "taken": 1,
        "troubles": 9,
        "is_bad": True,
    }
    assert (good["share"], good["all_on"]) == (0.1389, date(Instant(today + 12 * DAY_MS)))
    assert second["any_other"]["share"] == 0
    assert second["any_other"]["all_on"] == date(Instant(today + 14 * DAY_MS))


def test_without_a_warm_up_it_says_so(tmp_path: Path) -> None:
    path = tmp_path / "mailstack.yaml"
    path.write_text(HEAD)
    assert run("apply", "--yes", "--no-dns", str(path)).exit_code == 0
    assert run("warmup", "status", str(path)).stdout == "No route warms up.\n"
