"""A flood leaves lines that a disk has room for, and their sum."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import structlog

from mailstack.app.metrics.shared import SharedMetrics
from mailstack.model.log_events import TurnedAwayEvent, TurnedAwayReason
from mailstack.model.metrics import CONNECTIONS_REFUSED
from mailstack.net.teller import PEERS, TOLD, WINDOW_S, Teller
from tests.support.virtual_time import run_in_virtual_time


def turned_away(peer: str) -> TurnedAwayEvent:
    return TurnedAwayEvent(service="mx", peer=peer, reason=TurnedAwayReason.BANNED, reply="421 no")


def told(*peers: str) -> list[MutableMapping[str, Any]]:
    """Of what comes at once, and of one that comes a window later."""

    async def scene() -> None:
        teller = Teller()
        for peer in peers:
            teller.tell_if_rare(turned_away(peer))
        await asyncio.sleep(WINDOW_S + 1)  # in virtual time
        teller.tell_if_rare(turned_away("last"))

    with structlog.testing.capture_logs() as logged:
        run_in_virtual_time(scene())
    return logged


def test_what_is_rare_is_told_one_by_one() -> None:
    assert [event["event"] for event in told(*["192.0.2.1"] * TOLD)] == ["turned away"] * (TOLD + 1)


def test_past_that_it_is_counted_and_the_sum_told() -> None:
    *told_singly, withheld, last = told(*["192.0.2.1"] * (TOLD + 7), "192.0.2.2")
    assert [event["peer"] for event in told_singly] == ["192.0.2.1"] * TOLD + ["192.0.2.2"]
    assert (withheld["event"], withheld["of"], withheld["peer"], withheld["count"]) == (
        "withheld",
        "turned away",
        "192.0.2.1",
        7,
    )
    assert last["peer"] == "last"


def test_one_customers_addresses_are_one_peer() -> None:
    events = told(*[f"2001:db8::{at:x}" for at in range(TOLD + 3)])
    assert [(event["peer"], event["count"]) for event in events if event["event"] == "withheld"] == [
        ("2001:db8::/64", 3)
    ]


def test_many_peers_are_told_of_together() -> None:
    events = told(*[f"192.0.{at // 250}.{at % 250}" for at in range(PEERS * 3)])
    assert len(events) == PEERS + TOLD + 2
    assert [(event["peer"], event["count"]) for event in events if event["event"] == "withheld"] == [
        ("", 2 * PEERS - TOLD)
    ]


def test_figures_have_what_is_not_told_too() -> None:
    shared = SharedMetrics(1)

    async def scene() -> None:
        teller = Teller(shared.of(0))
        for _ in range(TOLD + 7):
            teller.tell_if_rare(turned_away("192.0.2.1"))

    run_in_virtual_time(scene())
    found = {cell.labels: cell.figures for cell in shared.cells() if cell.metric is CONNECTIONS_REFUSED}
    assert found["mx", "banned"] == (TOLD + 7,)
