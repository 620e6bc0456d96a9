"""Mail by hour, out of a log; and what bars a page draws of it."""

from pathlib import Path

from mailstack.app.mail_figures import figures_document
from mailstack.model.instant import HOUR_MS, Instant
from mailstack.servers.admin.mail_chart import HEIGHT, chart_of
from mailstack.store.event_log.parts import log_folder
from tests.store.event_log.world import NOON, World, event, transaction

LATER = Instant(NOON + HOUR_MS)


def test_mail_is_counted_by_hour_and_refusals_by_reason(tmp_path: Path) -> None:
    log_folder(tmp_path).mkdir()
    made = World(log_folder(tmp_path)).segments()
    for line in (
        transaction(NOON, "t1"),
        event("delivered", NOON, "t1", account="alice@example.com"),
        event("filtered", NOON, "t1", account="bob@example.com"),
        event("scored", NOON, "t1", result="junk"),
        event("scored", NOON, "t2", result="ham"),
        event("turned away", NOON, reason="banned"),
        event("withheld", NOON, of="turned away", peer="192.0.2.66", count=900),
        event("withheld", NOON, of="transaction", peer="192.0.2.66", count=70),
        *(transaction(LATER, f"r{number}", outcome="refused", reason="not found") for number in range(3)),
        transaction(LATER, "r9", outcome="refused", reason=""),
        transaction(LATER, "d1", outcome="deferred", reason="greylist"),
        transaction(LATER, "a1", outcome="abandoned"),
        event("sent", LATER, "t3", recipient="dave@far.example"),
        event("failed", LATER, "t3", recipient="erin@far.example"),
        transaction(Instant(NOON - 1), "before"),
    ):
        made.add(line)
    made.write()
    made.begin_anew()
    found = figures_document(tmp_path, since=NOON, until=Instant(LATER + 10))
    nothing = dict.fromkeys(("received", "refused", "deferred", "junk", "delivered", "sent", "failed"), 0)
    assert found == {
        "goes_back_to": "2026-11-30T12:00:00Z",
        "hours": [
            {"at": "2026-11-30T12:00:00Z", **nothing, "received": 1, "delivered": 2, "junk": 1},
            {"at": "2026-11-30T13:00:00Z", **nothing, "refused": 4, "deferred": 1, "sent": 1, "failed": 1},
        ],
        "sums": {"received": 1, "refused": 4, "deferred": 1, "junk": 1, "delivered": 2, "sent": 1, "failed": 1},
        "reasons": [("not found", 3), ("other", 1)],
        "turned_away": 901,
    }


def test_where_nothing_is_kept_there_are_no_figures(tmp_path: Path) -> None:
    found = figures_document(tmp_path, since=NOON, until=LATER)
    assert (found["goes_back_to"], found["reasons"], sum(found["sums"].values())) == ("", [], 0)


def test_the_fullest_hour_is_as_high_as_the_chart_and_what_there_is_is_seen() -> None:
    hours = [
        {"received": 1_000, "deferred": 0, "refused": 1_000},
        {"received": 1, "deferred": 0, "refused": 0},
        {"received": 0, "deferred": 0, "refused": 0},
    ]
    chart = chart_of(hours)
    assert chart.highest == 2_000
    first, second, one = chart.bars
    assert (first.height + second.height, second.y, first.kind, second.kind) == (HEIGHT, 0, "received", "refused")
    assert first.y == second.y + second.height
    assert (one.height, one.y) == (1, HEIGHT - 1)
    assert chart_of([]).bars == []
    assert chart_of(hours[2:]).bars == []
