"""Who parts with how many of its connections."""

import random

from mailstack.net.surplus import surplus_of


def surpluses(holders: dict[str, int], limit: int) -> dict[str, int]:
    return {worker: surplus_of(worker, holders, limit) for worker in holders}


def test_within_the_limit_nobody_parts_with_any() -> None:
    assert surpluses({}, 20) == {}
    assert surpluses({"a": 20}, 20) == {"a": 0}
    assert surpluses({"a": 13, "b": 7}, 20) == {"a": 0, "b": 0}
    assert surplus_of("c", {"a": 30}, 20) == 0


def test_each_has_its_share_of_the_surplus() -> None:
    assert surpluses({"a": 20, "b": 20}, 20) == {"a": 10, "b": 10}
    assert surpluses({"a": 20, "b": 20, "c": 20}, 20) == {"a": 13, "b": 13, "c": 14}
    assert surpluses({"a": 1, "b": 1, "c": 1}, 2) == {"a": 0, "b": 0, "c": 1}


def test_who_holds_few_keeps_them() -> None:
    assert surpluses({"a": 20, "b": 3, "c": 1}, 20) == {"a": 4, "b": 0, "c": 0}


def test_what_was_there_before_a_burst_on_two_nodes_stays() -> None:
    # 12 were here when both let in all that was left to the limit.
    assert surpluses({"a": 12 + 8, "b": 8}, 20) == {"a": 8, "b": 0}


def test_what_stays_is_the_limit_exactly_whoever_decides_first() -> None:
    pick = random.Random(3)
    for _ in range(2_000):
        limit = pick.randrange(1, 60)
        holders = {f"w{number}": pick.randrange(0, limit + 1) for number in range(pick.randrange(1, 9))}
        expected = min(limit, sum(holders.values()))
        assert sum(holders.values()) - sum(surpluses(holders, limit).values()) == expected
        for worker in pick.sample([*holders], len(holders)):  # each sees what those before it have left
            holders[worker] -= surplus_of(worker, holders, limit)
        assert sum(holders.values()) == expected


def test_what_stays_is_the_limit_though_each_has_heard_of_others_at_another_time() -> None:
    pick = random.Random(4)
    for _ in range(500):
        limit = pick.randrange(1, 40)
        first = {f"w{number}": pick.randrange(0, limit + 1) for number in range(6)}
        now = dict(first)
        for worker in pick.choices([*first], k=30):
            seen = {other: pick.choice([first[other], now[other]]) for other in first} | {worker: now[worker]}
            now[worker] -= surplus_of(worker, seen, limit)
        assert sum(now.values()) >= min(limit, sum(first.values()))
