"""A stream of events: what a client asks for in its address, and the events as text. RFC 8620 §7.3, HTML §9.2.6."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from mailstack.model.states import ALL_TYPES, AccountStates, StateType
from mailstack.wire.jmap.request import ProblemType, RequestProblem
from mailstack.wire.jmap.state_change import state_change, write_known

# RFC 8620 §7.3: the shortest no longer than 30 s, the longest no shorter than 300 s.
SHORTEST_PING_S, LONGEST_PING_S = 1, 900
ALL = "*"
COMMENT = b":\n\n"
"""Passed over by the client, but seen by whatever is between."""
_RETRY_MS = 3_000
_SECONDS = re.compile(r"[0-9]{1,9}")
_BY_NAME = {type_.value: type_ for type_ in StateType}


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsWanted:
    """ping_s: 0: none."""

    types: frozenset[StateType]
    closes_after_state: bool
    ping_s: int


def read_events_wanted(given: Mapping[str, str]) -> EventsWanted:
    """given: the variables of the address. One that is empty, as templates leave it, is as good as none. Raises
    RequestProblem."""
    closes, ping = given.get("closeafter") or "no", given.get("ping") or "0"
    if closes not in ("state", "no"):
        raise RequestProblem(ProblemType.NOT_REQUEST, "closeafter is neither state nor no")
    if _SECONDS.fullmatch(ping) is None:
        raise RequestProblem(ProblemType.NOT_REQUEST, "ping is not a number of seconds")
    return EventsWanted(
        types=read_types(given.get("types") or ALL), closes_after_state=closes == "state", ping_s=_clamped(int(ping))
    )


def read_types(text: str) -> frozenset[StateType]:
    """Of those that are not known here, there are no changes."""
    if text == ALL:
        return ALL_TYPES
    return types_named(*text.split(","))


def types_named(*names: str) -> frozenset[StateType]:
    return frozenset(_BY_NAME[name] for name in names if name in _BY_NAME)


def state_event(changed: AccountStates, known: AccountStates) -> bytes:
    return b"event: state\nid: %b\ndata: %b\n\n" % (
        write_known(known).encode("ascii"),
        orjson.dumps(state_change(changed)),
    )


def ping_event(interval_s: int) -> bytes:
    """Without an id, as RFC 8620 §7.3 has it."""
    return b'event: ping\ndata: {"interval":%d}\n\n' % interval_s


def beginning(known: AccountStates) -> bytes:
    """No event, but what the client comes back with, and when, if the stream breaks before the first one."""
    return b"retry: %d\nid: %b\n\n" % (_RETRY_MS, write_known(known).encode("ascii"))


def _clamped(ping_s: int) -> int:
    return 0 if ping_s == 0 else min(max(ping_s, SHORTEST_PING_S), LONGEST_PING_S)
