"""ports.store_time on every engine."""

from mailstack.ports.store import Store

YEAR_2020_MS = 1_577_836_800_000


async def test_time_goes_on_and_is_told_in_milliseconds(store: Store) -> None:
    first, second = await store.now(), await store.now()
    assert YEAR_2020_MS < first <= second < 3 * YEAR_2020_MS
