"""Questions to the log: the same answers from segments and from Parquet, whatever happens to the files meanwhile."""

import json
import signal
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailstack.model.event_log import EventFilter
from mailstack.model.instant import HOUR_MS, MINUTE_MS, Instant
from mailstack.model.resource import LogBody
from mailstack.store.event_log import reading
from mailstack.store.event_log.following import Follower
from mailstack.store.event_log.keeping import keep
from mailstack.store.event_log.reading import Figure
from tests.store.event_log.world import AFTERWARDS, FROM, NOON, World, event, transaction

LATER = Instant(NOON + HOUR_MS)
GOLDEN = (
    transaction(NOON, "t1"),
    event("scored", NOON, "t1", accounts=["alice@example.com"], score=7.5, result="junk", rules=["URIBL 3.0"]),
    event("delivered", Instant(NOON + 1), "t1", account="alice@example.com", mailbox="junk"),
    transaction(Instant(NOON + 2), "t2", outcome="refused", reason="not found"),
    event("turned away", Instant(NOON + 3), service="smtp", peer="192.0.2.66", reason="banned", reply="421"),
    transaction(LATER, "t3", sender="", recipients=[], message_id="", login="carol@example.com"),
    event("queued", LATER, "t3", sender="carol@example.com", recipients=["dave@far.example", "erin@far.example"]),
    event("sent", Instant(LATER + 5), "t3", sender="carol@example.com", recipient="dave@far.example", reply="250 ok"),
)
NAMES = [json.loads(line)["event"] for line in GOLDEN]


@pytest.fixture(params=["segments", "parquet", "both"])
def golden(world: World, request: pytest.FixtureRequest) -> World:
    made = world.segments()
    for line in GOLDEN:
        moment = json.loads(line)["at"]
        world.now = LATER if moment >= "2026-11-30T13" else NOON
        made.add(line)
        made.write()
    world.now = Instant(LATER + HOUR_MS)
    made.roll()
    if request.param != "segments":
        keep(world.folder, LogBody(), Instant(NOON + (180 if request.param == "parquet" else 90) * MINUTE_MS))
    return world


def asked(world: World, **wanted: object) -> list[str]:
    found = EventFilter(**{"since": FROM, "until": AFTERWARDS, **wanted})  # type: ignore[arg-type]  # of the tests below
    return [json.loads(line)["event"] for line in world.log.last_lines(found, 100)]


def test_lines_come_in_order_and_as_they_were_written(golden: World) -> None:
    found = golden.log.last_lines(EventFilter(since=FROM, until=AFTERWARDS), 100)
    assert sorted(found) == sorted(line.decode() for line in GOLDEN)
    moments = [json.loads(line)["at"] for line in found]
    assert moments == sorted(moments)


def test_lines_are_asked_for_by_time_name_level_trace_and_text(golden: World) -> None:
    assert asked(golden, since=LATER) == NAMES[5:]
    assert asked(golden, until=Instant(NOON + 1)) == NAMES[:2]
    assert asked(golden, names=("sent", "scored")) == ["scored", "sent"]
    assert asked(golden, level="warning") == []
    assert asked(golden, trace="t2") == ["transaction"]
    assert asked(golden, text="DAVE@far") == ["queued", "sent"]
    assert asked(golden, text="'; DROP TABLE told; --") == []


def test_the_last_so_many_are_those_at_the_end(golden: World) -> None:
    assert [
        json.loads(line)["event"] for line in golden.log.last_lines(EventFilter(since=FROM, until=AFTERWARDS), 1)
    ] == ["sent"]


@pytest.mark.parametrize(
    ("what", "traces"),
    [
        ("t1", ["t1"]),
        ("bob@else.example", ["t2", "t1"]),
        ("ALICE@EXAMPLE.COM", ["t2", "t1"]),
        ("1@else.example", ["t2", "t1"]),
        ("erin@far.example", ["t3"]),
        ("carol@example.com", ["t3"]),
        ("lice@example.com", []),
        ("192.0.2.66", []),
        ("", []),
        ("%", []),
    ],
)
def test_a_mail_is_found_by_whatever_names_it(golden: World, what: str, traces: list[str]) -> None:
    assert golden.log.last_traces(what, since=FROM, until=AFTERWARDS, limit=10) == traces


def test_a_mail_has_its_lines_and_so_many_at_most(golden: World) -> None:
    found = golden.log.of_traces(["t1", "t9"], since=FROM, until=AFTERWARDS, limit=2)
    assert {json.loads(line)["event"] for line in found["t1"]} == {"transaction", "scored"}
    assert found["t9"] == []


def test_figures_are_by_hour(golden: World) -> None:
    found = golden.log.figures(("transaction", "scored", "sent"), since=FROM, until=AFTERWARDS)
    assert found == [
        Figure(hour=NOON, event="scored", came_to="junk", reason="", count=1),
        Figure(hour=NOON, event="transaction", came_to="accepted", reason="", count=1),
        Figure(hour=NOON, event="transaction", came_to="refused", reason="not found", count=1),
        Figure(hour=LATER, event="sent", came_to="", reason="", count=1),
        Figure(hour=LATER, event="transaction", came_to="accepted", reason="", count=1),
    ]


def test_nothing_is_found_where_nothing_is_kept(world: World) -> None:
    world.folder.rmdir()
    assert asked(world) == []


def test_a_signal_ends_a_question_and_leaves_nothing_behind(
    golden: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spills = tmp_path / "spills"
    spills.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(spills))
    endless = "SELECT count(*) FROM range(1000000000000) WHERE ? <= ? AND list_contains(?, random()::VARCHAR)"
    monkeypatch.setattr(reading, "FIGURES", endless)
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        with pytest.raises(KeyboardInterrupt):
            golden.log.figures(["sent"], since=FROM, until=AFTERWARDS)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert not list(spills.iterdir())


def test_a_damaged_file_is_left_out(golden: World) -> None:
    (golden.folder / "2026-11-29.parquet").write_bytes(b"PAR1 and no more")
    assert len(asked(golden)) == len(GOLDEN)


def test_others_write_and_make_parquet_while_it_is_asked(world: World) -> None:
    """Each answer has all that was written before it, once."""
    is_over = threading.Event()
    written = 0

    def work() -> None:
        nonlocal written
        made = world.segments()
        for hour in range(12):
            for each in range(20):
                made.add(event(f"{hour}-{each}", world.now))
            made.write()
            written = (hour + 1) * 20
            world.now = Instant(world.now + HOUR_MS)
            made.roll()
            keep(world.folder, LogBody(), Instant(world.now + HOUR_MS // 2))
        is_over.set()

    worker = threading.Thread(target=work)
    worker.start()
    while not is_over.is_set():
        before = written
        found = asked_all(world)
        assert len(found) == len(set(found))
        assert len(found) >= before
    worker.join()
    assert len(asked_all(world)) == 240


def asked_all(world: World) -> list[str]:
    return world.log.last_lines(EventFilter(since=FROM, until=AFTERWARDS), 1_000)


def test_who_follows_gets_whole_lines_of_all_processes(world: World) -> None:
    made, other = world.segments(), world.segments()
    made.add(b"before")
    made.write()
    follower = Follower(world.folder)
    assert follower.lines() == []
    made.add(b"one")
    made.write()
    other.add(b"two")
    other.write()
    assert sorted(follower.lines()) == ["one", "two"]
    (path,) = (path for path in world.folder.iterdir() if b"two" in path.read_bytes())
    with path.open("ab") as file:
        file.write(b"thr")
    assert follower.lines() == []
    with path.open("ab") as file:
        file.write(b"ee\ntorn \xc3\nfour\n")
    assert follower.lines() == ["three", "torn \ufffd", "four"]


def test_who_follows_is_not_stopped_by_a_segment_that_is_gone(world: World) -> None:
    (world.folder / "2026-11-30T11.1-0.jsonl").symlink_to("nowhere")  # as if it were deleted once it was listed
    follower = Follower(world.folder)
    made = world.segments()
    made.add(b"one")
    made.write()
    assert follower.lines() == ["one"]


WORDS = st.sampled_from(["", "transaction", "sent", "SENT", "t1", "far", "alice", "nothing"])
FILTERS = st.builds(
    EventFilter,
    since=st.just(FROM),
    until=st.just(AFTERWARDS),
    names=st.lists(WORDS, max_size=2).map(tuple),
    level=st.sampled_from(["debug", "info", "warning"]),
    trace=WORDS,
    text=WORDS,
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(tmp_path_factory.mktemp("log"))
    made = world.segments()
    for line in GOLDEN:
        made.add(line)
    made.write()
    yield world
    made.begin_anew()


@settings(max_examples=40)
@given(wanted=FILTERS)
def test_who_follows_is_shown_what_the_database_would_find(shared: World, wanted: EventFilter) -> None:
    taken = sorted(line.decode() for line in GOLDEN if wanted.takes(json.loads(line), line.decode()))
    assert sorted(shared.log.last_lines(wanted, 100)) == taken
