"""States in and out of text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstack.model.changes import LogPoint
from mailstack.model.ids import ModSeq
from mailstack.model.object_journal import JournalPoint
from mailstack.wire.jmap.states import (
    read_object_state,
    read_state,
    write_object_state,
    write_query_state,
    write_state,
)

_NUMBERS = st.integers(0, 10**18 - 1)


@given(_NUMBERS, st.none() | _NUMBERS)
def test_what_is_written_is_read(mod_seq: int, up_to: int | None) -> None:
    point = LogPoint(ModSeq(mod_seq), up_to)
    assert read_state(write_state(point)) == point


@pytest.mark.parametrize("text", ["", "x", "-1", "01", "1-", "-", "1-2-3", "1 ", "1\n", "١", "9" * 19, "1-" + "9" * 19])
def test_what_we_never_wrote(text: str) -> None:
    assert read_state(text) is None


@given(_NUMBERS, st.none() | _NUMBERS)
def test_an_object_state_that_is_written_is_read(number: int, began: int | None) -> None:
    point = JournalPoint(number, began)
    assert read_object_state(write_object_state(point)) == point


@pytest.mark.parametrize("text", ["", "x", "-1", "17.", ".17", "17-3fa9", "017", "1.2.3", "17\n", "9" * 19])
def test_an_object_state_that_we_never_wrote(text: str) -> None:
    assert read_object_state(text) is None


def test_of_no_state_nothing_is_told() -> None:
    assert write_query_state(ModSeq(7)) == "7"
    assert read_state(write_query_state(None)) is None
