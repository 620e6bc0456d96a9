"""Conditions are read as they were written."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstack.spam.rules.own import AllOf, AnyOf, Compares, Condition, How, Not, Part, Weighs
from mailstack.spam.rules.own_text import Plain, read_condition, write_condition

texts = st.lists(st.text(max_size=9), min_size=1, max_size=3).map(tuple)
hows = st.sampled_from(How)
octets = st.none() | st.integers(0, 1 << 40)
leaves: st.SearchStrategy[Condition] = st.one_of(
    st.builds(
        Compares, part=st.sampled_from([each for each in Part if each is not Part.HEADER]), how=hows, texts=texts
    ),
    st.builds(
        Compares, part=st.just(Part.HEADER), how=hows, texts=texts, field=st.sampled_from(["X-Mailer", "all", "to"])
    ),
    st.builds(Weighs, over=octets, under=octets),
)
conditions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(tuple).map(AllOf),
        st.lists(inner, max_size=3).map(tuple).map(AnyOf),
        inner.map(Not),
    ),
    max_leaves=8,
)


@given(conditions)
def test_there_and_back(condition: Condition) -> None:
    assert read_condition(json.loads(json.dumps(write_condition(condition)))) == condition


def test_they_are_in_the_words_of_the_spec() -> None:
    condition = AllOf(
        (
            Compares(part=Part.HEADER, how=How.IS, texts=("Bulk",), field="X-Mailer"),
            Not(Compares(part=Part.LINK, how=How.DOMAIN, texts=("a.test",))),
            Weighs(over=5),
        )
    )
    assert write_condition(condition) == {
        "all": [
            {"header": {"X-Mailer": {"is": ["Bulk"]}}},
            {"not": {"link": {"domain": ["a.test"]}}},
            {"size": {"over": 5}},
        ]
    }


@pytest.mark.parametrize("written", [{}, {"all": 1}, {"colour": {"is": ["red"]}}, {"subject": {"eats": []}}])
def test_what_is_none_is_refused(written: Plain) -> None:
    with pytest.raises(ValueError, match="not a condition"):
        read_condition(written)
