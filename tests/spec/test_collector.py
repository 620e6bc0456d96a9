"""The collector's pause: it ends with the block, and spares what is much and lives on."""

import gc
from collections.abc import Iterator

import pytest

from mailstack.spec.collector import MANY_OBJECTS, collector_paused


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    yield
    gc.unfreeze()
    gc.enable()


def test_the_collector_works_again_after_the_outermost_pause() -> None:
    with collector_paused():
        with collector_paused():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_an_exception_ends_the_pause() -> None:
    with pytest.raises(ValueError, match="x"), collector_paused():
        raise ValueError("x")
    assert gc.isenabled()


def test_much_that_lives_on_is_not_looked_through() -> None:
    gc.unfreeze()
    with collector_paused():
        kept = [[number] for number in range(2 * MANY_OBJECTS)]
    assert gc.get_freeze_count() >= len(kept)


def test_little_is_left_to_the_collector() -> None:
    gc.unfreeze()
    with collector_paused():
        kept = [[number] for number in range(10)]
    assert gc.get_freeze_count() < len(kept)
