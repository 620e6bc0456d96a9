"""What a ManageSieveMachine makes of bytes, however they are cut."""

from mailstack.wire.framing import ProtocolFault
from mailstack.wire.managesieve.commands.table import Request
from mailstack.wire.managesieve.events import Command, Event, Refused
from mailstack.wire.managesieve.limits import Limits, after_login
from mailstack.wire.managesieve.machine import ManageSieveMachine
from tests.support.splitting import splits

SCRIPT_OCTETS = 1_000


def outcome_of(data: bytes, *, limits: Limits | None = None) -> tuple[list[Event], str]:
    """The events, and the text of the ProtocolFault after them, "" for none: the same for every way to cut the data."""
    answers = [_outcome(pieces, limits or after_login(SCRIPT_OCTETS)) for pieces in splits(data)]
    assert all(answer == answers[0] for answer in answers)
    return answers[0]


def events_of(data: bytes, *, limits: Limits | None = None) -> list[Event]:
    events, fault = outcome_of(data, limits=limits)
    assert not fault
    return events


def request_of(command: bytes) -> Request:
    """command: without CRLF."""
    (event,) = events_of(command + b"\r\n")
    assert isinstance(event, Command), event
    return event.request


def refusal_of(command: bytes) -> str:
    (event,) = events_of(command + b"\r\n")
    assert isinstance(event, Refused), event
    return event.text


def _outcome(pieces: list[bytes], limits: Limits) -> tuple[list[Event], str]:
    machine = ManageSieveMachine(limits)
    events: list[Event] = []
    try:
        for piece in pieces:
            events.extend(machine.feed(piece))
    except ProtocolFault as fault:
        return events, fault.text
    return events, ""
