"""`mailstack suppress` as it is typed."""

import asyncio
import getpass
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailstack.app.clock import system_clock
from mailstack.app.silence import Silence
from mailstack.cli.main import cli
from mailstack.model.bad_address import SuppressRule
from mailstack.model.delivery import OutgoingMail, QueueItem, SmtpReply
from mailstack.model.instant import DAY_MS, Instant
from mailstack.ports.store import Store
from mailstack.store.sqlite.open import open_store

SPEC = "server: {hostname: mail.example.com}\nstorage: {path: state}\ndomains: {example.com: }\n"
GONE = SmtpReply(code=550, status="5.1.1", text="no such\x1b[31m mailbox")
RULE = SuppressRule(after=2, for_ms=30 * DAY_MS)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


def in_store(spec: Path, work: Callable[[Store], Awaitable[None]]) -> None:
    async def opened() -> None:
        store = await open_store(spec.parent / "state", clock=system_clock, bus=Silence())
        try:
            await work(store)
        finally:
            await store.close()

    asyncio.run(opened())


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """gone@ and lost@ are suppressed, once@ refused once, long@ is over."""
    path = tmp_path / "mailstack.yaml"
    path.write_text(SPEC)
    assert run("apply", "--yes", str(path)).exit_code == 0
    in_store(path, _fill)
    return path


async def _fill(store: Store) -> None:
    now = system_clock()
    for address, ages in {
        "gone@them.test": (3, 2),
        "lost@others.test": (2, 1),
        "once@them.test": (5,),
        "long@them.test": (62, 60),
    }.items():
        for age in ages:
            await store.bad_addresses.refused(address, GONE, now=Instant(now - age * DAY_MS), rule=RULE)


def listed(spec: Path, *options: str) -> dict[str, str]:
    told = run("suppress", "list", str(spec), "--format", "json", *options)
    assert told.exit_code == 0, told.output
    return {facts["address"]: facts["status"] for facts in json.loads(told.stdout)}


@pytest.mark.parametrize(
    ("options", "addresses"),
    [
        ((), ["gone@them.test", "lost@others.test"]),
        (("--all",), ["gone@them.test", "long@them.test", "lost@others.test", "once@them.test"]),
        (("--domain", "*hers.test"), ["lost@others.test"]),
        (("--like", "L*", "--all"), ["long@them.test", "lost@others.test"]),
        (("--reply", "5.1.1 NO SUCH"), ["gone@them.test", "lost@others.test"]),
        (("--reply", "5.2.1"), []),
        (("--by", "hand"), []),
        (("--by", "refusal"), ["gone@them.test", "lost@others.test"]),
    ],
)
def test_they_are_listed_by_what_is_asked_for(spec: Path, options: tuple[str, ...], addresses: list[str]) -> None:
    assert [*listed(spec, *options)] == addresses


def test_what_each_one_is_is_said(spec: Path) -> None:
    assert listed(spec, "--all") == {
        "gone@them.test": "suppressed",
        "long@them.test": "over",
        "lost@others.test": "suppressed",
        "once@them.test": "counted",
    }


def test_a_person_sees_what_was_said_and_no_terminal_obeys_it(spec: Path) -> None:
    lines = run("suppress", "list", str(spec), "--domain", "them.test").stdout.splitlines()
    assert lines[0].split()[::3] == ["suppressed", "gone@them.test"]
    assert "2 refusals since " in lines[1]
    assert "550 5.1.1 no such\N{REPLACEMENT CHARACTER}[31m mailbox" in lines[1]
    assert lines[2] == "1 address"


def test_where_the_spec_suppresses_nobody_that_is_said(spec: Path) -> None:
    assert run("suppress", "add", str(spec), "stop@them.test").exit_code == 0
    spec.write_text(SPEC + "sending: {suppress: null}\n")
    assert run("apply", "--yes", str(spec)).exit_code == 0
    assert [*listed(spec)] == ["stop@them.test"]
    assert listed(spec, "--all")["gone@them.test"] == "off"


def test_one_is_added_for_ever(spec: Path) -> None:
    added = run("suppress", "add", str(spec), "Stop@Bücher.test", "--reason", "asked us to stop")
    assert added.exit_code == 0, added.output
    (facts,) = json.loads(run("suppress", "list", str(spec), "--by", "hand", "--format", "json").stdout)
    assert (facts["address"], facts["status"], facts["until"]) == ("stop@xn--bcher-kva.test", "suppressed", None)
    assert (facts["by"], facts["reason"], facts["reply"]) == (getpass.getuser(), "asked us to stop", None)
    assert "for ever" in added.stdout
    assert "asked us to stop" in added.stdout


@pytest.mark.parametrize("how", ["for", "until"])
def test_one_is_added_for_a_time(spec: Path, how: str) -> None:
    until = (datetime.now(UTC) + timedelta(days=9)).date()
    value = "9d" if how == "for" else until.isoformat()
    added = run("suppress", "add", str(spec), "stop@them.test", f"--{how}", value, "--format", "json")
    assert json.loads(added.stdout)["until"].startswith(until.isoformat())


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("alice@example.com",), 1, "alice@example.com is received here, and only addresses of elsewhere"),
        (("postmaster",), 2, "is an address of this server"),
        (("them.test",), 2, "not an address (such as alice@example.com)"),
        (("a@them.test", "--until", "2001-01-01"), 1, "that time is over"),
        (("a@them.test", "--until", "soon"), 2, "is no moment"),
        (("a@them.test", "--for", "soon"), 2, "not a duration"),
        (("a@them.test", "--for", "1d", "--until", "2999-01-01"), 2, "exclude each other"),
        (("a@them.test", "--reason", "x" * 201), 2, "over 200 characters"),
    ],
)
def test_what_cannot_be_added_is_said(spec: Path, arguments: tuple[str, ...], code: int, told: str) -> None:
    refused = run("suppress", "add", str(spec), *arguments)
    assert (refused.exit_code, told in refused.stderr) == (code, True), refused.stderr
    assert len(listed(spec, "--all")) == 4


def test_one_is_removed(spec: Path) -> None:
    removed = run("suppress", "remove", str(spec), "GONE@them.test")
    assert (removed.exit_code, removed.stdout) == (0, "1 address removed: mail to it is tried again\n")
    assert [*listed(spec)] == ["lost@others.test"]


def test_those_of_a_filter_are_removed(spec: Path) -> None:
    asked = run("suppress", "remove", str(spec), "--domain", "them.test")
    assert (asked.exit_code, "--yes does it without a question" in asked.stderr) == (1, True)
    done = run("suppress", "remove", str(spec), "--domain", "them.test", "--yes", "--format", "json")
    assert json.loads(done.stdout) == {"removed": ["gone@them.test", "long@them.test", "once@them.test"]}
    assert [*listed(spec, "--all")] == ["lost@others.test"]
    assert run("suppress", "remove", str(spec), "--all", "--yes").exit_code == 0
    assert listed(spec, "--all") == {}


def test_what_is_not_known_cannot_be_removed(spec: Path) -> None:
    removed = run("suppress", "remove", str(spec), "gone@them.test", "fine@them.test")
    assert removed.exit_code == 1
    assert "1 address removed" in removed.stdout
    assert "nothing is known of fine@them.test" in removed.stderr


def test_nobody_means_all_by_saying_nothing(spec: Path) -> None:
    assert "say which: an ADDRESS, a filter, or --all" in run("suppress", "remove", str(spec)).stderr
    assert "no filter goes with it" in run("suppress", "remove", str(spec), "--all", "--domain", "x.test").stderr


def test_before_anything_was_applied(tmp_path: Path) -> None:
    path = tmp_path / "mailstack.yaml"
    path.write_text(SPEC)
    assert run("suppress", "list", str(path)).stdout == "nothing was applied yet\n"
    assert run("suppress", "list", str(path), "--format", "json").stdout == "[]\n"
    assert "nothing was applied yet" in run("suppress", "add", str(path), "a@them.test").stderr


def test_the_queue_shows_what_will_come_back(spec: Path) -> None:
    recipients = ("gone@them.test", "once@them.test", "alice@example.com")
    items: list[QueueItem] = []

    async def enqueue(store: Store) -> None:
        mail = OutgoingMail(
            reverse_path="alice@example.com",
            recipients=recipients,
            raw=b"Subject: hi\r\n\r\nHello\r\n",
            queued_at=system_clock(),
            is_8bit=False,
            smtp_utf8=False,
            trace_id="t",
        )
        await store.queue.enqueue([mail], next_at=Instant(system_clock() + DAY_MS))
        items.extend(await store.queue.items())

    in_store(spec, enqueue)
    shown = [
        json.loads(run("queue", "show", str(spec), str(item.item_id), "--format", "json").stdout)["suppressed"]
        for item in items
    ]
    assert [None if text is None else text.partition(": ")[2] for text in shown] == [str(GONE), None, None]
