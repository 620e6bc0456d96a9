"""The steps of a key's life, one by one. The whole of it, day by day, is in tests/reconcile/test_year.py."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstack.model.instant import DAY_MS, HOUR_MS, MINUTE_MS, Instant, iso
from mailstack.model.resource import DkimKeyBody, KeyState, Rotation
from mailstack.reconcile.dns.sighting import Sighting
from mailstack.reconcile.providers.key_life import (
    Outcome,
    Slot,
    again_at,
    look_again_at,
    slot_outcomes,
)

NOW = Instant(1_790_000_000_000)
LINGER_MS = 5 * DAY_MS + HOUR_MS
ROTATE_MS = 90 * DAY_MS
SEEN = Sighting(is_seen=True, told="seen at ns1")
NOT_SEEN = Sighting(is_seen=False, told="ns1 does not have it")


def key(number: int, state: KeyState, days: float = 0, **changes: str) -> DkimKeyBody:
    """One that came into its state so many days ago."""
    made = DkimKeyBody(
        domain="example.org",
        selector=f"ed25519-{number}",
        algorithm="ed25519",
        public_key=f"key{number}",
        state=state.value,
        since=iso(Instant(NOW - int(days * DAY_MS))),
    )
    return replace(made, **changes)


def slot(
    *held: DkimKeyBody,
    seen: Sighting = NOT_SEEN,
    rotate_ms: int | None = ROTATE_MS,
    given: DkimKeyBody | None = None,
) -> Slot:
    return Slot(
        held=held,
        given=given,
        fresh=key(9, KeyState.PUBLISHED, since=""),
        rotate_after_ms=rotate_ms,
        linger_ms=LINGER_MS,
        look=lambda _key: seen,
        now=NOW,
    )


def told(outcome: Outcome) -> tuple[str, str]:
    return outcome.key.selector, "gone" if outcome.is_gone else outcome.key.state


def states(of: Slot) -> list[tuple[str, str]]:
    return [told(outcome) for outcome in slot_outcomes(of)]


def test_an_empty_slot_gets_a_key_that_does_not_sign_yet() -> None:
    (made,) = slot_outcomes(slot())
    assert (told(made), made.is_new) == (("ed25519-9", "published"), True)


def test_nothing_signs_before_its_record_is_seen() -> None:
    assert states(slot(key(1, KeyState.PUBLISHED, 30))) == [("ed25519-1", "published")]
    (signing,) = slot_outcomes(slot(key(1, KeyState.PUBLISHED, 30), seen=SEEN))
    assert (told(signing), signing.reason, signing.is_stamped) == (("ed25519-1", "signs"), "seen at ns1", True)


def test_a_key_that_signed_long_enough_is_followed_by_another_and_goes_on_meanwhile() -> None:
    assert states(slot(key(1, KeyState.SIGNS, 89))) == [("ed25519-1", "signs")]
    found = slot_outcomes(slot(key(1, KeyState.SIGNS, 90)))
    assert [told(outcome) for outcome in found] == [("ed25519-9", "published"), ("ed25519-1", "signs")]
    assert found[0].reason.startswith("follows ed25519-1, which signs since 2026-")


def test_without_rotate_every_a_key_signs_for_ever() -> None:
    old = slot(key(1, KeyState.SIGNS, 4_000), rotate_ms=None)
    assert states(old) == [("ed25519-1", "signs")]
    assert again_at(old, slot_outcomes(old)) is None


def test_the_follower_takes_over_in_one_step_once_it_is_seen() -> None:
    rotating = (key(1, KeyState.SIGNS, 95), key(2, KeyState.PUBLISHED, 5))
    assert states(slot(*rotating)) == [("ed25519-2", "published"), ("ed25519-1", "signs")]
    found = slot_outcomes(slot(*rotating, seen=SEEN))
    assert [told(outcome) for outcome in found] == [("ed25519-2", "signs"), ("ed25519-1", "retired")]
    assert found[1].reason == "ed25519-2 signs from now on"


def test_a_rotation_under_way_starts_no_other() -> None:
    asked = key(1, KeyState.SIGNS, 200, rotation=Rotation.ASKED.value)
    assert states(slot(asked, key(2, KeyState.PUBLISHED, 100))) == [("ed25519-2", "published"), ("ed25519-1", "signs")]


def test_a_retired_key_goes_when_no_mail_can_need_it() -> None:
    signing = key(2, KeyState.SIGNS, 5)
    before, after = key(1, KeyState.RETIRED, 5), key(1, KeyState.RETIRED, 5.1)
    assert states(slot(signing, before)) == [("ed25519-2", "signs"), ("ed25519-1", "retired")]
    assert states(slot(signing, after)) == [("ed25519-2", "signs"), ("ed25519-1", "gone")]


def test_rotation_on_request_goes_the_same_way() -> None:
    found = slot_outcomes(slot(key(1, KeyState.SIGNS, 1, rotation=Rotation.ASKED.value), rotate_ms=None))
    assert [told(outcome) for outcome in found] == [("ed25519-9", "published"), ("ed25519-1", "signs")]
    done = slot_outcomes(
        slot(key(1, KeyState.SIGNS, 1, rotation=Rotation.ASKED.value), key(9, KeyState.PUBLISHED), seen=SEEN)
    )
    assert (told(done[1]), done[1].key.rotation) == (("ed25519-1", "retired"), Rotation.NONE)


@pytest.mark.parametrize("state", [KeyState.SIGNS, KeyState.PUBLISHED])
def test_a_key_to_be_trusted_no_more_goes_at_once(state: KeyState) -> None:
    found = states(slot(key(1, state, 1, rotation=Rotation.AT_ONCE.value)))
    assert found == [("ed25519-9", "published"), ("ed25519-1", "gone")]


def test_a_key_from_before_states_were_kept_signs_and_ages_only_where_it_matters() -> None:
    old = key(1, KeyState.SIGNS, since="")
    assert slot_outcomes(slot(old, rotate_ms=None)) == (Outcome(key=old),)
    (aged,) = slot_outcomes(slot(old))
    assert (told(aged), aged.is_stamped) == (("ed25519-1", "signs"), True)


def test_a_key_of_the_spec_takes_over_from_a_made_one_and_is_never_rotated() -> None:
    given = key(5, KeyState.PUBLISHED, selector="s2020", origin="spec", since="")
    made = key(1, KeyState.SIGNS, 1)
    assert states(slot(made, given=given)) == [("s2020", "published"), ("ed25519-1", "signs")]
    held = replace(given, since=iso(NOW))
    assert states(slot(made, held, given=given, seen=SEEN)) == [("s2020", "signs"), ("ed25519-1", "retired")]
    old = key(5, KeyState.SIGNS, 4_000, selector="s2020", origin="spec")
    assert states(slot(old, given=given)) == [("s2020", "signs")]
    assert again_at(slot(old, given=given), slot_outcomes(slot(old, given=given))) is None


def test_a_key_that_left_the_spec_is_followed_by_a_made_one() -> None:
    old = key(5, KeyState.SIGNS, 10, selector="s2020", origin="spec")
    assert states(slot(old)) == [("ed25519-9", "published"), ("s2020", "signs")]


def test_a_key_that_comes_back_into_the_spec_must_be_seen_again() -> None:
    given = key(5, KeyState.PUBLISHED, selector="s2020", origin="spec", since="")
    retired = key(5, KeyState.RETIRED, 2, selector="s2020", origin="spec")
    assert states(slot(retired, given=given, seen=SEEN)) == [("s2020", "published")]


def test_a_clock_that_was_set_back_makes_nothing_due() -> None:
    future = key(1, KeyState.SIGNS, -400)
    assert states(slot(future)) == [("ed25519-1", "signs")]
    assert states(slot(key(2, KeyState.SIGNS), key(1, KeyState.RETIRED, -400)))[1] == ("ed25519-1", "retired")


def test_the_next_turn_is_told() -> None:
    for held, turn in [
        ((key(1, KeyState.SIGNS, 80),), 10 * DAY_MS),
        ((key(1, KeyState.PUBLISHED, 0),), MINUTE_MS),
        ((key(2, KeyState.SIGNS, 1), key(1, KeyState.RETIRED, 1)), LINGER_MS - DAY_MS),
        # The one before a key that is not seen yet is overdue, and waits for nothing but that.
        ((key(1, KeyState.SIGNS, 200), key(2, KeyState.PUBLISHED, 110)), HOUR_MS),
    ]:
        due = slot(*held)
        assert again_at(due, slot_outcomes(due)) == NOW + turn


def test_records_are_looked_for_often_at_first_and_each_hour_in_the_end() -> None:
    waits = [look_again_at(Instant(NOW - ago), NOW) - NOW for ago in (0, 8 * MINUTE_MS, DAY_MS, -DAY_MS)]
    assert waits == [MINUTE_MS, 2 * MINUTE_MS, HOUR_MS, MINUTE_MS]


keys = st.builds(
    lambda number, state, days, rotation: key(number, state, days, rotation=rotation.value),
    number=st.integers(1, 4),
    state=st.sampled_from(KeyState),
    days=st.one_of(st.integers(-10, 200), st.floats(4.9, 5.2)),
    rotation=st.sampled_from(Rotation),
)


def after(outcomes: tuple[Outcome, ...]) -> list[DkimKeyBody]:
    """As the state has them once this was applied."""
    kept = (outcome for outcome in outcomes if not outcome.is_gone)
    return [
        replace(outcome.key, since=iso(NOW)) if outcome.is_new or outcome.is_stamped else outcome.key
        for outcome in kept
    ]


@given(
    held=st.lists(keys, max_size=4, unique_by=lambda found: found.selector),
    seen=st.booleans(),
    rotates=st.booleans(),
    is_given=st.booleans(),
)
def test_whatever_the_keys_are_the_steps_keep_their_promises(
    held: list[DkimKeyBody], seen: bool, rotates: bool, is_given: bool
) -> None:
    given_key = key(8, KeyState.PUBLISHED, since="", origin="spec") if is_given else None
    rotate_ms = ROTATE_MS if rotates else None
    before = slot(*held, seen=SEEN if seen else NOT_SEEN, rotate_ms=rotate_ms, given=given_key)
    outcomes = slot_outcomes(before)
    # Every key is accounted for, once, and at most one is new.
    assert {found.selector for found in held} <= {outcome.key.selector for outcome in outcomes}
    assert sum(outcome.is_new for outcome in outcomes) <= 1
    # Nothing begins to sign unseen, and what signed goes on until another does, but for what is trusted no more.
    signed = {found.selector for found in held if found.state == KeyState.SIGNS}
    signing = {outcome.key.selector for outcome in outcomes if outcome.signs}
    assert seen or signing <= signed
    assert signing or not any(found.selector in signed and found.rotation != Rotation.AT_ONCE for found in held)
    # A retired key goes in its time and no sooner.
    for outcome in outcomes:
        was = next((found for found in held if found.selector == outcome.key.selector), None)
        if was is not None and was.state == KeyState.RETIRED and was.rotation != Rotation.AT_ONCE and outcome.is_gone:
            assert was.since <= iso(Instant(NOW - LINGER_MS))
    # The same moment asks for no further step, unless the record of a key that was just made is there already.
    unseen = slot(*after(outcomes), rotate_ms=rotate_ms, given=given_key)
    again = slot_outcomes(unseen)
    assert not any(outcome.is_new or outcome.is_gone or outcome.is_stamped for outcome in again)
    due = again_at(unseen, again)
    assert due is None or due > NOW
