"""What an ImapMachine makes of bytes, however they are cut."""

from mailstack.wire.imap.commands.table import Request
from mailstack.wire.imap.events import Command, Event, MessageOctets, SyntaxFault
from mailstack.wire.imap.limits import Limits, after_login
from mailstack.wire.imap.machine import ImapMachine
from tests.support.splitting import splits


def events_of(data: bytes, *, limits: Limits | None = None) -> list[Event]:
    """The same for every way to cut the data; the octets of a message are joined again."""
    answers = [_events(pieces, limits or after_login()) for pieces in splits(data)]
    assert all(answer == answers[0] for answer in answers)
    return answers[0]


def request_of(command: bytes) -> Request:
    """command: without tag and CRLF."""
    (event,) = events_of(b"a " + command + b"\r\n")
    assert isinstance(event, Command), event
    assert event.tag == "a"
    return event.request


def fault_of(command: bytes) -> str:
    (event,) = events_of(b"a " + command + b"\r\n")
    assert isinstance(event, SyntaxFault), event
    assert event.tag == "a"
    return event.text


def _events(pieces: list[bytes], limits: Limits) -> list[Event]:
    machine = ImapMachine(limits)
    events: list[Event] = []
    for piece in pieces:
        for event in machine.feed(piece):
            if isinstance(event, MessageOctets) and events and isinstance(events[-1], MessageOctets):
                events[-1] = MessageOctets(events[-1].data + event.data)
            else:
                events.append(event)
    return events
