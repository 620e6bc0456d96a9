"""What is asked for in the address of a stream, and what its events look like."""

import pytest

from mailstack.model.ids import AccountId
from mailstack.model.states import ALL_TYPES, StateType
from mailstack.wire.jmap.event_stream import EventsWanted, beginning, ping_event, read_events_wanted, state_event
from mailstack.wire.jmap.request import RequestProblem

ANY = {"types": "*", "closeafter": "no", "ping": "0"}


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (ANY, EventsWanted(types=ALL_TYPES, closes_after_state=False, ping_s=0)),
        (
            {"types": "", "closeafter": "", "ping": ""},
            EventsWanted(types=ALL_TYPES, closes_after_state=False, ping_s=0),
        ),
        ({}, EventsWanted(types=ALL_TYPES, closes_after_state=False, ping_s=0)),
        (
            {"types": "Email,CalendarEvent,EmailDelivery", "closeafter": "state", "ping": "300"},
            EventsWanted(
                types=frozenset({StateType.EMAIL, StateType.EMAIL_DELIVERY}), closes_after_state=True, ping_s=300
            ),
        ),
        ({"types": "CalendarEvent"}, EventsWanted(types=frozenset(), closes_after_state=False, ping_s=0)),
        # RFC 8620 §7.3: a minimum above 30, or a maximum below 300, there must not be.
        ({"ping": "1"}, EventsWanted(types=ALL_TYPES, closes_after_state=False, ping_s=1)),
        ({"ping": "999999999"}, EventsWanted(types=ALL_TYPES, closes_after_state=False, ping_s=900)),
    ],
)
def test_what_is_wanted(given: dict[str, str], wanted: EventsWanted) -> None:
    assert read_events_wanted(given) == wanted


@pytest.mark.parametrize(
    "given", [{"closeafter": "yes"}, {"closeafter": "State"}, {"ping": "-1"}, {"ping": "1.0"}, {"ping": "٣"}]
)
def test_what_cannot_be_wanted(given: dict[str, str]) -> None:
    with pytest.raises(RequestProblem):
        read_events_wanted(ANY | given)


def test_events() -> None:
    states = {AccountId("a"): {StateType.EMAIL: "7"}}
    assert beginning(states) == b"retry: 3000\nid: a:-,7,-,,,,,,\n\n"
    assert state_event(states, states) == (
        b'event: state\nid: a:-,7,-,,,,,,\ndata: {"@type":"StateChange","changed":{"a":{"Email":"7"}}}\n\n'
    )
    assert ping_event(30) == b'event: ping\ndata: {"interval":30}\n\n'
