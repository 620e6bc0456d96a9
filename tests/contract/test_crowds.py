"""ports.crowds on every engine for many nodes."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mailstack.app.clock import system_clock
from mailstack.app.silence import Silence
from mailstack.model.instant import Instant
from mailstack.ports.crowds import Crowds
from mailstack.store.postgres.link import address_of
from mailstack.store.postgres.open import open_store
from mailstack.store.sql.row_blobs import RowBlobs
from tests.support.memory_crowds import MemoryCrowds
from tests.support.postgres import empty_tables

NOW = Instant(1_000)


@pytest.fixture(params=["memory", "postgres"])
async def crowds(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Crowds]:
    if request.param == "memory":
        yield MemoryCrowds()
        return
    url = request.getfixturevalue("emptied_database")
    store = await open_store(address_of(url), blobs=RowBlobs(tmp_path), clock=system_clock, bus=Silence())
    yield store.crowds
    await store.close()
    empty_tables(url)


async def tell(crowds: Crowds, worker: str, node: str, until: int = 2_000, /, **counts: int) -> None:
    await crowds.tell(worker, node, counts, until=Instant(until))


async def test_a_node_hears_the_sums_of_the_others(crowds: Crowds) -> None:
    await tell(crowds, "a1", "a", alice=3, bob=1)
    await tell(crowds, "a2", "a", alice=2)
    await tell(crowds, "b1", "b", alice=10)
    assert await crowds.elsewhere("a", now=NOW) == {"alice": 10, "bob": 0}
    assert await crowds.elsewhere("b", now=NOW) == {"alice": 5, "bob": 1}
    assert await crowds.elsewhere("c", now=NOW) == {"alice": 15, "bob": 1}


async def test_what_is_told_anew_is_in_place_of_the_old_and_the_rest_stands(crowds: Crowds) -> None:
    await tell(crowds, "a1", "a", alice=3, bob=1)
    await tell(crowds, "a1", "a", bob=2)
    assert await crowds.elsewhere("b", now=NOW) == {"alice": 3, "bob": 2}
    await tell(crowds, "a1", "a", alice=0)
    assert await crowds.elsewhere("b", now=NOW) == {"bob": 2}
    assert await crowds.elsewhere("a", now=NOW) == {"bob": 0}
    await tell(crowds, "a1", "a", bob=0)
    assert await crowds.elsewhere("a", now=NOW) == {}


async def test_who_holds_how_many_is_known_of_those_asked_for(crowds: Crowds) -> None:
    await tell(crowds, "a1", "a", alice=3, bob=1, carol=7)
    await tell(crowds, "a2", "a", alice=2, bob=0)
    await tell(crowds, "b1", "b", 1_000, alice=4)
    expected = {"alice": {"a1": 3, "a2": 2}, "bob": {"a1": 1}}
    assert await crowds.holders({"alice", "bob", "nobody"}, now=NOW) == expected
    assert await crowds.holders(set(), now=NOW) == {}


async def test_the_word_of_a_node_that_is_gone_ends(crowds: Crowds) -> None:
    await tell(crowds, "a1", "a", 2_000, alice=3)
    await tell(crowds, "b1", "b", 3_000, alice=4)
    assert await crowds.elsewhere("c", now=Instant(1_999)) == {"alice": 7}
    assert await crowds.elsewhere("c", now=Instant(2_000)) == {"alice": 4}


async def test_what_has_ended_is_cleared_away_and_no_more(crowds: Crowds) -> None:
    await tell(crowds, "a1", "a", 2_000, alice=3)
    await tell(crowds, "b1", "b", 3_000, alice=4)
    await crowds.forget_ended(now=Instant(2_000))
    assert await crowds.holders({"alice"}, now=NOW) == {"alice": {"b1": 4}}
