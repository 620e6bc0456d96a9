"""Updates come back as they were; what is none is refused."""

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstack.model.errors import Damaged
from mailstack.spam.features import features_of
from mailstack.spam.model import SHARED_BITS, Model, Update, empty
from mailstack.spam.packed import packed, unpacked

SLOTS = st.lists(st.integers(0, 2**20 - 1), max_size=40).map(lambda slots: array("I", sorted(slots)))
DELTAS = st.integers(-(2**31), 2**31 - 1)
COUNTS = st.integers(-1, 1)
UPDATES = st.builds(Update, text=SLOTS, text_delta=DELTAS, facts=SLOTS, facts_delta=DELTAS, ham=COUNTS, spam=COUNTS)


@given(UPDATES)
def test_what_was_packed_comes_back(update: Update) -> None:
    assert unpacked(packed(update)) == update


@given(UPDATES)
def test_a_table_learns_from_it_and_forgets_exactly_that(update: Update) -> None:
    table = empty(20)
    model = Model(table)
    model.learn(update)
    model.learn(unpacked(packed(update)).inverse())
    assert table == empty(20)


@given(st.binary(max_size=200))
def test_what_is_no_update_is_refused(octets: bytes) -> None:
    with pytest.raises(Damaged):
        unpacked(octets)


@given(UPDATES, st.integers(0, 400))
def test_what_is_cut_short_is_refused(update: Update, size: int) -> None:
    whole = packed(update)
    with pytest.raises(Damaged):
        unpacked(whole[: min(size, len(whole) - 1)])


def test_a_bomb_is_not_unpacked() -> None:
    whole = bytearray(packed(Update(text=array("I"), text_delta=0, facts=array("I"), facts_delta=0, ham=0, spam=0)))
    whole[12:16] = (1 << 30).to_bytes(4, "little")
    with pytest.raises(Damaged, match="more slots"):
        unpacked(bytes(whole))


def test_another_version_of_the_features_is_refused() -> None:
    whole = packed(Update(text=array("I"), text_delta=0, facts=array("I"), facts_delta=0, ham=0, spam=0))
    with pytest.raises(Damaged, match="another version"):
        unpacked(b"\xff\xff" + whole[2:])


def test_a_message_of_three_hundred_words_takes_little_room() -> None:
    words = " ".join(f"w{chr(97 + number % 26)}x{chr(97 + number // 26)}" for number in range(300))
    features = features_of(b"Subject: Words\r\n\r\n" + words.encode())
    update = Model(empty(SHARED_BITS)).lesson(features, is_spam=True)
    assert 290 < len(update.text) < 310
    assert len(packed(update)) < 900
