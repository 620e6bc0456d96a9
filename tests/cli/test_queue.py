"""`mailstack queue` as it is typed."""

import asyncio
import getpass
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailstack.app.clock import system_clock
from mailstack.app.silence import Silence
from mailstack.cli.main import cli
from mailstack.model.delivery import NULL_PATH, Deferred, OutgoingMail, QueueState, Settlement, SmtpReply
from mailstack.model.hand_note import HandAction, HandNote
from mailstack.model.instant import DAY_MS, Instant, from_iso
from mailstack.model.source import Source
from mailstack.model.tls_policy import LeastTls, TlsFailure, TlsUsed
from mailstack.ports.store import Store
from mailstack.store.sqlite.open import open_store
from tests.support.quota import quota

SPEC = "server: {hostname: mail.example.com}\nstorage: {path: state}\ndomains: {example.com: }\n"
LATER = SmtpReply(code=421, status="4.7.28", text="Rate limit\x1b[31m exceeded")
IN_PLAIN = TlsUsed(policy="opportunistic", least=LeastTls.VERIFIED, failure=TlsFailure.STARTTLS_NOT_SUPPORTED)
RAW = b"From: alice@example.com\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\nHello\r\n"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


def mail(*recipients: str, sender: str = "alice@example.com", age_ms: int = 0) -> OutgoingMail:
    return OutgoingMail(
        reverse_path=sender,
        recipients=recipients,
        raw=RAW,
        queued_at=Instant(system_clock() - age_ms),
        is_8bit=False,
        smtp_utf8=False,
        trace_id=f"trace-{recipients[0]}",
    )


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
    """1: tried once, to be tried tomorrow. 2 and 3: one mail, held. 4: a notice. 5: being sent."""
    path = tmp_path / "mailstack.yaml"
    path.write_text(SPEC)
    assert run("apply", "--yes", str(path)).exit_code == 0
    in_store(path, _fill)
    return path


async def _fill(store: Store) -> None:
    now = system_clock()
    tomorrow = Instant(now + DAY_MS)
    await store.queue.enqueue([mail("bob@x.example", age_ms=3 * DAY_MS)], next_at=now)
    (tried,) = await store.queue.lease("one", now=now, until=tomorrow, quota=quota(1))
    source = Source("2001:db8::1", "out.example.com")
    deferred = Deferred(reply=LATER, host="mx.x.example", tls=IN_PLAIN, source=source)
    await store.queue.settle("one", [Settlement(item_id=tried.item_id, outcome=deferred, next_at=tomorrow)])
    held = mail("eve@y.example", '"[a]"@sub.y.example', sender="News@example.com")
    await store.queue.enqueue([held], next_at=now, state=QueueState.HELD)
    await store.queue.enqueue([mail("carol@z.example", sender=NULL_PATH)], next_at=tomorrow)
    await store.queue.enqueue([mail("dave@w.example")], next_at=now)
    await store.queue.lease("one", now=now, until=tomorrow, quota=quota(1))


def listed(spec: Path, *options: str) -> list[int]:
    found = run("queue", "list", str(spec), "--format", "json", *options)
    assert found.exit_code == 0, found.output
    return [entry["id"] for entry in json.loads(found.stdout)]


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        ((), [1, 2, 3, 4, 5]),
        (("--status", "held"), [2, 3]),
        (("--status", "waiting", "--status", "sending"), [1, 4, 5]),
        (("--sender", "news@*"), [2, 3]),
        (("--sender", "<>"), [4]),
        (("--recipient", '"[a]"@*'), [3]),
        (("--domain", "Y.example"), [2]),
        (("--domain", "*.y.example"), [3]),
        (("--older-than", "2d"), [1]),
        (("--trace", "trace-eve@y.example"), [2, 3]),
        (("--reply", "RATE LIMIT"), [1]),
        (("--mail", "2", "--domain", "y.example"), [2]),
        (("--limit", "2"), [1, 2]),
        (("--domain", "nowhere.example"), []),
    ],
)
def test_the_queue_is_listed_by_what_is_asked_for(spec: Path, options: tuple[str, ...], ids: list[int]) -> None:
    assert listed(spec, *options) == ids


def test_a_person_sees_the_last_reply_and_no_terminal_obeys_it(spec: Path) -> None:
    told = run("queue", "list", str(spec), "--domain", "x.example").stdout.splitlines()
    assert told[0].endswith("alice@example.com -> bob@x.example")
    assert told[1].strip() == "after 1 try: mx.x.example: 421 4.7.28 Rate limit\N{REPLACEMENT CHARACTER}[31m exceeded"
    assert told[2:] == ["1 recipient"]
    assert run("queue", "list", str(spec), "--domain", "nowhere.example").stdout == "none\n"


def test_one_recipient_is_shown_with_its_mail(spec: Path) -> None:
    shown = json.loads(run("queue", "show", str(spec), "1", "--format", "json").stdout)
    assert (shown["subject"], shown["tries"], shown["last_host"]) == ("Gr\u00fc\u00dfe", 1, "mx.x.example")
    assert (shown["last_source"], shown["last_ehlo"]) == ("2001:db8::1", "out.example.com")
    assert {name: value for name, value in shown.items() if "tls_" in name and name.startswith("last")} == {
        "last_tls_policy": "opportunistic",
        "last_tls_least": "verified",
        "last_tls_version": "",
        "last_tls_cipher": "",
        "last_tls_failure": "starttls-not-supported",
    }
    told = run("queue", "show", str(spec), "1").stdout
    assert ("mx.x.example" in told, "starttls-not-supported" in told) == (True, True)
    untried = json.loads(run("queue", "show", str(spec), "2", "--format", "json").stdout)
    assert (untried["last_tls_policy"], untried["last_tls_failure"]) == (None, None)
    assert (untried["last_source"], untried["last_ehlo"]) == ("", "")
    assert run("queue", "show", str(spec), "3", "--content").stdout_bytes == RAW
    absent = run("queue", "show", str(spec), "99")
    assert (absent.exit_code, absent.stderr) == (1, "error: there is no 99 in the queue\n")


def test_what_waits_is_held_and_released_again(spec: Path) -> None:
    held = run("queue", "hold", str(spec), "--domain", "x.example")
    assert (held.exit_code, held.stdout) == (0, "1 recipient held\n")
    assert listed(spec, "--status", "held") == [1, 2, 3]
    released = run("queue", "release", str(spec), "--all", "--format", "json")
    assert json.loads(released.stdout) == {"found": 3, "done": 3}
    assert listed(spec, "--status", "held") == []


def test_what_waits_is_tried_at_once(spec: Path) -> None:
    before = system_clock()
    assert run("queue", "retry", str(spec), "1").stdout == "1 recipient to be tried now\n"

    async def due(store: Store) -> None:
        assert before <= (await store.queue.next_due() or 0) <= system_clock()

    in_store(spec, due)


@pytest.mark.parametrize("verb", ["retry", "hold"])
def test_what_is_named_and_left_alone_is_said(spec: Path, verb: str) -> None:
    done = run("queue", verb, str(spec), "1", "2", "5", "77")
    assert (done.exit_code, done.stderr.split(":")[0]) == (1, "3 recipients left as before")


def test_what_is_dropped_is_gone_and_nobody_is_told(spec: Path) -> None:
    unsaid = run("queue", "drop", str(spec), "--mail", "2")
    assert (unsaid.exit_code, "--yes" in unsaid.stderr) == (1, True)
    assert run("queue", "drop", str(spec), "--mail", "2", "--yes").stdout == "2 recipients dropped\n"
    assert listed(spec) == [1, 4, 5]


def test_the_sender_of_what_is_given_up_has_a_notice_and_a_notice_has_none(spec: Path) -> None:
    given_up = run("queue", "bounce", str(spec), "1", "4", "--yes")
    assert (given_up.exit_code, given_up.stdout) == (0, "2 recipients given up, 1 notice queued\n")
    assert listed(spec) == [2, 3, 5, 6]
    notice = run("queue", "show", str(spec), "6", "--content").stdout
    assert "To: <alice@example.com>" in notice
    assert "given up by the postmaster; the last attempt ended in: 421 4.7.28" in notice.replace("\r\n ", " ")


def test_who_dropped_or_gave_up_what_is_kept_for_the_log_of_the_server(spec: Path) -> None:
    run("queue", "drop", str(spec), "2", "--yes")
    run("queue", "bounce", str(spec), "1", "--yes")
    notes: list[HandNote] = []

    async def take(store: Store) -> None:
        notes.extend(await store.hand_notes.take(limit=10))

    in_store(spec, take)
    assert [(note.item_id, note.action, note.by) for note in notes] == [
        (1, HandAction.GIVEN_UP, getpass.getuser()),
        (2, HandAction.DROPPED, getpass.getuser()),
    ]


def test_nobody_means_the_whole_queue_by_saying_nothing(spec: Path) -> None:
    for arguments in ((), ("--all", "--domain", "x.example")):
        refused = run("queue", "drop", str(spec), *arguments, "--yes")
        assert (refused.exit_code, "--all" in refused.stderr) == (2, True)
    assert listed(spec) == [1, 2, 3, 4, 5]


def test_status_tells_how_much_waits_and_for_whom(spec: Path) -> None:
    found = json.loads(run("status", str(spec), "--format", "json").stdout)["queue"]
    assert {name: found[name] for name in ("waiting", "sending", "held", "due", "mails", "size_bytes")} == {
        "waiting": 2,
        "sending": 1,
        "held": 2,
        "due": 0,
        "mails": 4,
        "size_bytes": 4 * len(RAW),
    }
    assert found["domains"]["sub.y.example"] == 1
    lines = [line.split(maxsplit=1)[1] for line in run("status", str(spec)).stdout.splitlines() if "queue" in line]
    assert lines[0].startswith(f"2 waiting, 1 sending, 2 held; 4 mails, {4 * len(RAW)} B, the oldest of 20")
    assert lines[1].startswith("most for sub.y.example 1, w.example 1, ")
    assert {name: each["recipients"] for name, each in found["priorities"].items()} == {"bulk": 5}
    assert lines[2].rstrip() == f"by priority: bulk 5 since {found['priorities']['bulk']['oldest_at']}"
    assert (found["held_back"], len(lines)) == ([], 3)


def test_status_and_the_list_tell_for_which_destination_mail_is_held_back_and_why(spec: Path) -> None:
    until = from_iso("2100-01-01T00:00:00Z")

    async def hold_back(store: Store) -> None:
        now = system_clock()
        await store.queue.enqueue([mail("a@x.example", "b@x.example")], next_at=now)
        reply = SmtpReply(
            code=451, status="4.7.0", text="not tried yet, for mx.x.example is left alone; it said: 421\x07"
        )
        outcome = Deferred(reply=reply, host="", until=until, waits_for="mx.x.example")
        due = await store.queue.lease("two", now=now, until=Instant(now + DAY_MS), quota=quota(10))
        settlements = [Settlement(item_id=item.item_id, outcome=outcome, next_at=until) for item in due]
        await store.queue.settle("two", settlements)

    in_store(spec, hold_back)
    (found,) = json.loads(run("status", str(spec), "--format", "json").stdout)["queue"]["held_back"]
    assert (found["destination"], found["recipients"], found["next_at"]) == ("mx.x.example", 2, "2100-01-01T00:00:00Z")
    shown = " ".join(run("status", str(spec)).stdout.split())
    assert "mx.x.example: 2 recipients held back, next at 2100-01-01T00:00:00Z: not tried yet" in shown
    assert "\x07" not in shown
    entries = json.loads(run("queue", "list", str(spec), "--format", "json").stdout)
    assert [entry["waits_for"] for entry in entries] == [""] * 5 + ["mx.x.example"] * 2
