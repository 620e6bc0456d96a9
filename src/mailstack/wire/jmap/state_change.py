"""StateChange objects, and how far a client is, as it says when it comes back. RFC 8620 §7.1, §7.3, RFC 8887 §4.3.5."""

import re
from collections.abc import Mapping
from typing import Any

from mailstack.model.ids import AccountId
from mailstack.model.states import AccountStates, StateType

TYPES = tuple(StateType)
MOST_OCTETS = 8_192
"""Of what a client says that it knows. Of accounts that do not fit, it will be told once more than it had to be."""
_ACCOUNT = re.compile(r"([0-9A-Za-z_-]{1,255}):([0-9a-z,-]*)")
_SAME = ""
"""As of the type before: most types of an account have one state."""
_NO_STATE = "-"


def state_change(changed: AccountStates) -> dict[str, Any]:
    return {
        "@type": "StateChange",
        "changed": {account_id: _by_name(states) for account_id, states in changed.items()},
    }


def write_known(known: AccountStates) -> str:
    """Short, and readable for nobody but `read_known`."""
    text = ""
    for account_id, states in known.items():
        account = f"{account_id}:{_states(states)}"
        if len(text) + len(account) >= MOST_OCTETS:
            break
        text += f";{account}" if text else account
    return text


def read_known(text: str) -> AccountStates | None:
    """None: not how we spell it, in this version."""
    known: dict[AccountId, Mapping[StateType, str]] = {}
    for account in text.split(";") if len(text) <= MOST_OCTETS else ():
        found = _ACCOUNT.fullmatch(account)
        states = found[2].split(",") if found else []
        if found is None or len(states) != len(TYPES):
            return None
        known[AccountId(found[1])] = _read_states(states)
    return known or None


def _by_name(states: Mapping[StateType, str]) -> dict[str, str]:
    return {type_.value: state for type_, state in states.items()}


def _states(states: Mapping[StateType, str]) -> str:
    written, before = [], None
    for type_ in TYPES:
        state = states.get(type_, _NO_STATE)
        written.append(_SAME if state == before else state)
        before = state
    return ",".join(written)


def _read_states(written: list[str]) -> Mapping[StateType, str]:
    states, before = {}, _NO_STATE
    for type_, text in zip(TYPES, written, strict=True):
        state = before if text == _SAME else text
        if state != _NO_STATE:
            states[type_] = state
        before = state
    return states
