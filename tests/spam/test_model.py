"""A table learns, forgets exactly what it is told to, and is refused when it is not one."""

import mmap
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailstack.model.errors import Damaged
from mailstack.spam.features import Features
from mailstack.spam.model import ACCOUNT_BITS, SHARED_BITS, Model, Update, empty, probability

BITS = 8
SPAM = Features(words=(), tokens=(), text=(1, 2, 3), facts=(10,))
HAM = Features(words=(), tokens=(), text=(4, 5, 6), facts=(11,))
# Numbers that fall into one slot of so small a table are among these.
FEATURES = st.builds(
    Features,
    words=st.just(()),
    tokens=st.just(()),
    text=st.lists(st.integers(0, 2**32 - 1), unique=True, max_size=20),
    facts=st.lists(st.integers(0, 2**32 - 1), unique=True, max_size=5),
)


def taught(rounds: int) -> Model:
    model = Model(empty(BITS))
    for _ in range(rounds):
        model.learn(model.lesson(SPAM, is_spam=True))
        model.learn(model.lesson(HAM, is_spam=False))
    return model


def test_an_empty_table_knows_nothing() -> None:
    model = Model(empty(BITS))
    assert (model.log_odds(SPAM), model.ham, model.spam, model.belief) == (0.0, 0, 0, 0.0)


def test_what_was_learned_is_told_apart() -> None:
    model = taught(5)
    assert model.log_odds(SPAM) > 1 > 0 > -1 > model.log_odds(HAM)
    assert (model.ham, model.spam) == (5, 5)


def test_what_was_never_seen_stays_unknown() -> None:
    assert taught(5).log_odds(Features(words=(), tokens=(), text=(7, 8), facts=(12,))) == 0.0


def test_a_message_without_features_says_nothing() -> None:
    nothing = Features(words=(), tokens=(), text=(), facts=())
    model = taught(5)
    model.learn(model.lesson(nothing, is_spam=True))
    assert model.log_odds(nothing) == 0.0
    assert model.spam == 6


def test_who_is_judged_well_teaches_only_the_counts() -> None:
    model = taught(20)
    lesson = model.lesson(SPAM, is_spam=True)
    assert (lesson.text_delta, lesson.facts_delta, lesson.spam) == (0, 0, 1)


def test_a_message_that_is_repeated_is_not_counted_again() -> None:
    lesson = Model(empty(BITS)).lesson(SPAM, is_spam=True, is_repeated=True)
    assert (lesson.ham, lesson.spam) == (0, 0)
    assert lesson.text_delta > 0


def test_what_another_model_knows_need_not_be_learned() -> None:
    assert Model(empty(BITS)).lesson(SPAM, is_spam=True, known=5.0).text_delta == 0


def test_points_add_up_to_the_log_odds() -> None:
    model = taught(30)
    mixed = Features(words=(), tokens=(), text=(1, 4, 7), facts=(10, 11))
    assert sum(model.points(mixed).values()) == pytest.approx(model.log_odds(mixed))


@settings(max_examples=50)
@given(st.lists(st.tuples(FEATURES, st.booleans()), max_size=8), FEATURES, st.booleans(), st.integers(0, 8))
def test_what_is_taken_back_leaves_no_bit_behind(
    messages: list[tuple[Features, bool]], one: Features, is_spam: bool, before: int
) -> None:
    """Whatever was learned in between: with the one message taken back, the table is what it would have been."""
    table, without = empty(BITS), empty(BITS)
    model, other = Model(table), Model(without)
    lessons: list[Update] = []
    for features, spam in messages[:before]:
        model.learn(lesson := model.lesson(features, is_spam=spam))
        lessons.append(lesson)
    taken_back = model.lesson(one, is_spam=is_spam)
    model.learn(taken_back)
    for features, spam in messages[before:]:
        model.learn(lesson := model.lesson(features, is_spam=spam))
        lessons.append(lesson)
    model.learn(taken_back.inverse())
    for lesson in lessons:
        other.learn(lesson)
    assert table == without


def test_taking_back_what_was_never_learned_breaks_nothing() -> None:
    table = empty(BITS)
    model = Model(table)
    lesson = model.lesson(SPAM, is_spam=True)
    model.learn(lesson.inverse())
    assert model.belief == 0.0
    assert -10 < model.log_odds(SPAM) < 0
    model.learn(lesson)
    assert table == empty(BITS)


def test_weights_go_round_and_come_back() -> None:
    table = empty(BITS)
    model = Model(table)
    lesson = model.lesson(SPAM, is_spam=True)
    far = Update(text=lesson.text, text_delta=2**31 - 1, facts=lesson.facts, facts_delta=-(2**31), ham=0, spam=1)
    for update in (far, far, far.inverse(), lesson, far.inverse(), lesson.inverse()):
        model.learn(update)
    assert table == empty(BITS)


def test_a_mapped_file_shows_what_another_writes(tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_bytes(empty(BITS))
    with path.open("r+b") as written, mmap.mmap(written.fileno(), 0) as table:
        writer = Model(table)
        with path.open("rb") as read, mmap.mmap(read.fileno(), 0, access=mmap.ACCESS_READ) as shared:
            reader = Model(shared)
            writer.learn(writer.lesson(SPAM, is_spam=True))
            assert reader.log_odds(SPAM) == writer.log_odds(SPAM) > 0
            del reader
        del writer


@pytest.mark.parametrize(("bits", "most"), [(SHARED_BITS, 16 * 2**20), (ACCOUNT_BITS, 256 * 2**10)])
def test_tables_are_as_small_as_promised(bits: int, most: int) -> None:
    assert len(empty(bits)) < most


@pytest.mark.parametrize(
    "table",
    [
        b"",
        b"x" * 64,
        bytes(empty(BITS))[:-1],
        bytes(empty(BITS)) + b"\0",
        bytes(empty(BITS))[:8] + b"\xff\xff" + bytes(empty(BITS))[10:],  # of other features
        bytes(empty(BITS))[:10] + b"\xff\xff" + bytes(empty(BITS))[12:],  # of impossible size
    ],
)
def test_what_is_no_table_is_refused(table: bytes) -> None:
    with pytest.raises(Damaged):
        Model(table)


@pytest.mark.parametrize(("log_odds", "expected"), [(0, 0.5), (1e9, 1.0), (-1e9, 0.0)])
def test_probability(log_odds: float, expected: float) -> None:
    assert probability(log_odds) == pytest.approx(expected)
