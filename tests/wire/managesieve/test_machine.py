"""Commands out of bytes, with literals, SASL responses, refusals and the limits."""

from dataclasses import replace

import pytest

from mailstack.wire.framing import ProtocolFault
from mailstack.wire.managesieve.commands.getscript import GetScript
from mailstack.wire.managesieve.commands.noop import Noop
from mailstack.wire.managesieve.commands.putscript import PutScript
from mailstack.wire.managesieve.commands.starttls import Starttls
from mailstack.wire.managesieve.events import Command, Event, Refused, SaslCancelled, SaslResponse
from mailstack.wire.managesieve.limits import BEFORE_LOGIN, after_login
from mailstack.wire.managesieve.machine import ManageSieveMachine
from mailstack.wire.managesieve.responses import Code
from tests.support.managesieve_events import events_of, outcome_of
from tests.support.splitting import splits

NOOP = Command(request=Noop(tag=None))
TINY = replace(after_login(20), line_octets=60, command_octets=70, discard_octets=200)
SCRIPT_TOO_LARGE = Refused(text="script too large (at most 20 octets)", code=Code.QUOTA_MAXSIZE)


def test_commands_may_come_together() -> None:
    assert events_of(b'noop\r\nGETSCRIPT {3+}\r\nfoo\r\nPUTSCRIPT "a" {4+}\r\nNOOP\r\nNOOP\r\n') == [
        NOOP,
        Command(request=GetScript(name="foo")),
        Command(request=PutScript(name="a", content=b"NOOP")),
        NOOP,
    ]


def test_a_fault_leaves_the_connection_usable() -> None:
    assert events_of(b"\r\nGETSCRIPT foo\r\nNOOP\r\n") == [
        Refused(text="expected a command"),
        Refused(text="expected a string"),
        NOOP,
    ]


@pytest.mark.parametrize(
    ("command", "refusal"),
    [
        (b"GETSCRIPT {21+}\r\n" + b"x" * 21, Refused(text="literal too long")),
        (b"CHECKSCRIPT {21+}\r\n" + b"x" * 21, Refused(text="literal too long")),
        (b'PUTSCRIPT "a" {21+}\r\n' + b"x" * 21, SCRIPT_TOO_LARGE),
        (b"putscript {1+}\r\na {21+}\r\n" + b"x" * 21, SCRIPT_TOO_LARGE),
        (b"PUTSCRIPT {21+}\r\n" + b"x" * 21 + b' "keep;"', Refused(text="literal too long")),
        (b"NOOP {1+}\r\na {1+}\r\nb {1+}\r\nc", Refused(text="too many literals")),
        (b"NOOP {1+}\r\na {1+}\r\nb {1+}\r\nc {1+}\r\nd", Refused(text="too many literals")),
        (b'NOOP "' + b"x" * 40 + b'" {20+}\r\n' + b"x" * 20, Refused(text="command too long")),
        (b"NOOP {20+}\r\n" + b"x" * 20 + b' "' + b"x" * 50 + b'"', Refused(text="command too long")),
    ],
)
def test_what_is_too_much_is_read_past(command: bytes, refusal: Refused) -> None:
    assert events_of(command + b"\r\nNOOP\r\n", limits=TINY) == [refusal, NOOP]


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"NOOP\n", "lines end in CRLF"),
        (b"NOOP" + b" " * 60 + b"\r\n", "line too long"),
        (b'PUTSCRIPT "a" {200+}\r\n', SCRIPT_TOO_LARGE.text),
        (b'PUTSCRIPT "a" {4294967295+}\r\n', SCRIPT_TOO_LARGE.text),
        (b"NOOP" + b" {9+}\r\n123456789" * 20, "too many literals"),
        # RFC 5804 §4: such a literal is the server's. Its octets must not become commands.
        (b'PUTSCRIPT "a" {6}\r\nNOOP\r\n\r\n', "a literal is announced as {n+}"),
        (b'PUTSCRIPT "a" {06+}\r\nNOOP\r\n\r\n', "a literal is announced as {n+}"),
        (b'PUTSCRIPT "a" {99999999999+}\r\nNOOP\r\n\r\n', "a literal is announced as {n+}"),
    ],
)
def test_where_framing_is_lost_the_conversation_ends(data: bytes, fault: str) -> None:
    assert outcome_of(b"NOOP\r\n" + data + b"NOOP\r\n", limits=TINY) == ([NOOP], fault)


@pytest.mark.parametrize("line", [b"NOOP {x+}", b"NOOP {+}", b"NOOP {}", b"NOOP }", b'NOOP "{5+}" }'])
def test_what_is_no_literal_is_a_fault_of_the_command(line: bytes) -> None:
    events = events_of(line + b"\r\nNOOP\r\n")

    assert isinstance(events[0], Refused)
    assert events[1:] == [NOOP]


@pytest.mark.parametrize(
    ("data", "event"),
    [
        (b'"AGEAYg=="\r\n', SaslResponse(b"AGEAYg==")),  # §2.1
        (b"{8+}\r\nAGEAYg==\r\n", SaslResponse(b"AGEAYg==")),
        (b'""\r\n', SaslResponse(b"")),
        (b"{0+}\r\n\r\n", SaslResponse(b"")),
        (b'"' + b"a" * 12_288 + b'"\r\n', SaslResponse(b"a" * 12_288)),
        (b"{12288+}\r\n" + b"a" * 12_288 + b"\r\n", SaslResponse(b"a" * 12_288)),
        (b'"*"\r\n', SaslCancelled()),
        (b"{1+}\r\n*\r\n", SaslCancelled()),
        (b"*\r\n", Refused(text="expected a string")),
        (b"AGEAYg==\r\n", Refused(text="expected a string")),
        (b"NOOP\r\n", Refused(text="expected a string")),
        (b'"AGE" \r\n', Refused(text="unexpected text after the command")),
        (b"{12289+}\r\n" + b"a" * 12_289 + b"\r\n", Refused(text="literal too long")),
    ],
)
def test_a_sasl_response_is_a_string(data: bytes, event: Event) -> None:
    for pieces in splits(data + b"NOOP\r\n", random_cuts=3):
        machine = ManageSieveMachine(BEFORE_LOGIN)
        machine.await_sasl()

        assert [found for piece in pieces for found in machine.feed(piece)] == [event, NOOP]


def test_a_sasl_response_stays_out_of_the_repr() -> None:
    assert "AGEAYg" not in repr(SaslResponse(b"AGEAYg=="))


def test_starttls_buffering() -> None:
    machine = ManageSieveMachine(BEFORE_LOGIN)
    events = machine.feed(b"STARTTLS\r\nNOOP\r\nNOO")

    assert next(events) == Command(request=Starttls())
    machine.drop_input()
    assert list(events) == []
    assert list(machine.feed(b"NOOP\r\n")) == [NOOP]


def test_limits_change_between_two_commands() -> None:
    machine = ManageSieveMachine(TINY)
    data = b'PUTSCRIPT "a" {40+}\r\n' + b"x" * 40 + b"\r\n"

    assert list(machine.feed(data)) == [SCRIPT_TOO_LARGE]
    machine.use_limits(after_login(40))
    assert list(machine.feed(data)) == [Command(request=PutScript(name="a", content=b"x" * 40))]


def test_amid_a_command() -> None:
    machine = ManageSieveMachine(BEFORE_LOGIN)
    assert list(machine.feed(b"NOOP {3+}\r\nab")) == []
    assert machine.is_amid_command

    assert list(machine.feed(b"c\r\n")) == [Command(request=Noop(tag=b"abc"))]
    assert not machine.is_amid_command


def test_events_wait_until_they_are_asked_for() -> None:
    machine = ManageSieveMachine(BEFORE_LOGIN)
    assert next(machine.feed(b'NOOP\r\n"*"\r\n')) == NOOP
    machine.await_sasl()

    assert list(machine.events()) == [SaslCancelled()]


def test_after_a_lost_frame_nothing_follows() -> None:
    machine = ManageSieveMachine(BEFORE_LOGIN)
    with pytest.raises(ProtocolFault, match="CRLF"):
        list(machine.feed(b"NOOP\nNOOP\r\n"))
