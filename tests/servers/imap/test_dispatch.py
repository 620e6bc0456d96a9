"""Every request has its row, and fits the states of RFC 9051 §6."""

from typing import get_args

import pytest

from mailstack.servers.imap.dispatch import TABLE, fits, may_tell_expunges
from mailstack.servers.imap.session import State
from mailstack.wire.imap.commands.table import Request
from tests.support.imap_events import request_of


def test_every_request_has_a_row() -> None:
    assert set(TABLE) == set(get_args(Request))


@pytest.mark.parametrize(
    ("command", "states"),
    [
        (b"NOOP", set(State)),
        (b"STARTTLS", {State.NOT_AUTHENTICATED}),
        (b"SELECT INBOX", {State.AUTHENTICATED, State.SELECTED}),
        (b"FETCH 1 FLAGS", {State.SELECTED}),
    ],
)
def test_a_command_fits_its_states(command: bytes, states: set[State]) -> None:
    assert {state for state in State if fits(request_of(command), state)} == states


@pytest.mark.parametrize("command", [b"FETCH 1 FLAGS", b"STORE 1 FLAGS ()", b"SEARCH ALL"])
def test_by_number_no_expunge_may_be_told_and_by_uid_it_may(command: bytes) -> None:
    assert not may_tell_expunges(request_of(command))
    assert may_tell_expunges(request_of(b"UID " + command))
