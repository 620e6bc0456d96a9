"""ports.bad_addresses on every engine, and what the queue says of recipients by it."""

import asyncio
from dataclasses import replace

import pytest

from mailstack.model.bad_address import REMEMBERED_MS, BadAddress, SuppressRule
from mailstack.model.delivery import OutgoingMail, SmtpReply
from mailstack.model.instant import DAY_MS, Instant
from mailstack.ports.store import Store
from tests.support.quota import quota

pytestmark = pytest.mark.in_memory

GONE = SmtpReply(code=550, status="5.1.1", text="no such mailbox")
RULE = SuppressRule(after=2, for_ms=30 * DAY_MS)


def day(number: float) -> Instant:
    return Instant(round(number * DAY_MS))


def by_hand(address: str, *, ends_at: Instant | None = None) -> BadAddress:
    return BadAddress(
        address=address,
        refusals=0,
        since=day(1),
        last_at=day(1),
        reply="asked us to stop",
        is_suppressed=True,
        ends_at=ends_at,
        by="root",
    )


async def known(store: Store) -> list[str]:
    return [bad.address for bad in await store.bad_addresses.page(after="", limit=100)]


async def test_refusals_are_counted(store: Store) -> None:
    bad = store.bad_addresses
    first = await bad.refused("gone@them.test", GONE, now=day(1), rule=RULE)
    assert first == await bad.find("gone@them.test")
    assert first is not None
    assert (first.refusals, first.is_suppressed) == (1, False)
    assert await bad.refused("gone@them.test", GONE, now=day(1.1), rule=RULE) is None
    second = await bad.refused("gone@them.test", GONE, now=day(2), rule=RULE)
    assert second == replace(first, refusals=2, last_at=day(2), is_suppressed=True, ends_at=day(32))
    assert await bad.find("gone@them.test") == second
    assert await bad.find("other@them.test") is None


async def test_of_two_at_once_one_counts(store: Store) -> None:
    bad = store.bad_addresses
    await asyncio.gather(*(bad.refused("gone@them.test", GONE, now=day(1), rule=RULE) for _ in range(4)))
    found = await bad.find("gone@them.test")
    assert found is not None
    assert found.refusals == 1


async def test_mail_that_is_taken_ends_the_count_and_no_persons_wish(store: Store) -> None:
    bad = store.bad_addresses
    await bad.refused("back@them.test", GONE, now=day(1), rule=RULE)
    await bad.put(by_hand("stop@them.test"))
    for address in ("back@them.test", "stop@them.test", "unknown@them.test"):
        await bad.accepted(address)
    assert await known(store) == ["stop@them.test"]


async def test_what_a_person_puts_takes_the_place_of_what_was_known(store: Store) -> None:
    bad = store.bad_addresses
    await bad.refused("a@them.test", GONE, now=day(1), rule=RULE)
    for wish in (by_hand("a@them.test"), by_hand("a@them.test", ends_at=day(9))):
        await bad.put(wish)
        assert await bad.find("a@them.test") == wish


async def test_they_are_listed_by_address_a_page_at_a_time(store: Store) -> None:
    for address in ("b@them.test", "a@them.test", "B-b@them.test".lower(), "ä@them.test", "z@a.test"):
        await store.bad_addresses.put(by_hand(address))
    assert await known(store) == ["a@them.test", "b-b@them.test", "b@them.test", "z@a.test", "ä@them.test"]
    page = await store.bad_addresses.page(after="b-b@them.test", limit=2)
    assert [bad.address for bad in page] == ["b@them.test", "z@a.test"]


async def test_those_that_are_removed_are_told(store: Store) -> None:
    for address in ("a@them.test", "b@them.test", "c@them.test"):
        await store.bad_addresses.put(by_hand(address))
    removed = await store.bad_addresses.remove(["b@them.test", "a@them.test", "x@them.test"])
    assert list(removed) == [by_hand("a@them.test"), by_hand("b@them.test")]
    assert await known(store) == ["c@them.test"]


async def test_what_is_over_is_forgotten(store: Store) -> None:
    bad = store.bad_addresses
    await bad.refused("once@them.test", GONE, now=day(1), rule=RULE)
    await bad.put(by_hand("until@them.test", ends_at=day(50)))
    await bad.put(by_hand("ever@them.test"))
    assert await bad.forget(now=day(49)) == 0
    assert await bad.forget(now=day(50)) == 1
    assert await bad.forget(now=Instant(day(1) + REMEMBERED_MS)) == 1
    assert await known(store) == ["ever@them.test"]


async def test_beyond_a_bound_the_oldest_refusals_go_and_no_persons_wish(store: Store) -> None:
    await store.bad_addresses.put(by_hand("ever@them.test"))
    for number in range(1, 5):
        await store.bad_addresses.refused(f"{number}@them.test", GONE, now=day(number), rule=RULE)
    assert await store.bad_addresses.forget(now=day(5), most=2) == 2
    assert await known(store) == ["3@them.test", "4@them.test", "ever@them.test"]


async def test_the_queue_says_of_whom_something_may_be_known(store: Store) -> None:
    await store.bad_addresses.refused("gone@them.test", GONE, now=day(1), rule=RULE)
    recipients = ("gone@them.test", "Gone@THEM.test", "fine@them.test", '"gone"@them.test', "gone@bücher.test")
    mail = OutgoingMail(
        reverse_path="alice@example.com",
        recipients=recipients,
        raw=b"x",
        queued_at=day(1),
        is_8bit=False,
        smtp_utf8=False,
        trace_id="t",
    )
    await store.queue.enqueue([mail], next_at=day(1))
    items = await store.queue.lease("one", now=day(1), until=day(2), quota=quota(10))
    found = {item.recipient: item.is_doubtful for item in items}
    assert found == dict(zip(recipients, (True, True, False, True, True), strict=True))
