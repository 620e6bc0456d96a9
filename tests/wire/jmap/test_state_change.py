"""What clients are told of states, and what they say that they know."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstack.model.ids import AccountId
from mailstack.model.states import StateType
from mailstack.wire.jmap.state_change import MOST_OCTETS, read_known, state_change, write_known

_IDS = st.text("0123456789abcdef", min_size=16, max_size=16).map(AccountId)
_STATES = st.dictionaries(
    st.sampled_from(StateType), st.sampled_from(["1", "17", "17-3fa9", "0-1000", "none"]), min_size=1
)


def test_a_state_change() -> None:
    # RFC 8620 §7.1.1
    known = {AccountId("a3123"): {StateType.EMAIL: "d35ecb040aab", StateType.EMAIL_DELIVERY: "428d565f2440"}}
    assert state_change(known) == {
        "@type": "StateChange",
        "changed": {"a3123": {"Email": "d35ecb040aab", "EmailDelivery": "428d565f2440"}},
    }


def test_most_states_of_an_account_are_one() -> None:
    states = dict.fromkeys(StateType, "17") | {StateType.EMAIL_DELIVERY: "3", StateType.QUOTA: "none"}
    text = write_known({AccountId("a"): states, AccountId("b"): {StateType.EMAIL: "1"}})
    assert text == "a:17,,,3,none,17,,,;b:-,1,-,,,,,,"


@given(st.dictionaries(_IDS, _STATES, min_size=1, max_size=5))
def test_what_is_written_is_read(known: dict[AccountId, dict[StateType, str]]) -> None:
    assert read_known(write_known(known)) == known


def test_what_does_not_fit_is_left_out() -> None:
    known = {AccountId(f"{number:016x}"): dict.fromkeys(StateType, "17") for number in range(1_000)}
    text = write_known(known)
    read = read_known(text)
    assert len(text) <= MOST_OCTETS
    assert read is not None
    assert 0 < len(read) < 1_000
    assert read.items() <= known.items()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "a:",
        "a:1",
        "a:1,1,1,1,1,1,1,1",
        "a:1,,,,,,,,,",
        "a:1,,,,,,,,;",
        ":1,,,,,,,,",
        "a:É,,,,,,,,",
        "a:1\n,,,,,,,,",
    ],
)
def test_what_we_never_wrote(text: str) -> None:
    assert read_known(text) is None
    assert read_known("a" * (MOST_OCTETS + 1)) is None
