"""ManageSieve: any bytes become events or ProtocolFault, whole or cut; what is written is read again."""

from collections.abc import Callable
from contextlib import suppress

from mailstack.wire.framing import ProtocolFault
from mailstack.wire.managesieve.commands.table import PARSERS
from mailstack.wire.managesieve.events import Event
from mailstack.wire.managesieve.faults import SyntaxProblem
from mailstack.wire.managesieve.limits import BEFORE_LOGIN, Limits, after_login
from mailstack.wire.managesieve.literals import announced_octets
from mailstack.wire.managesieve.machine import ManageSieveMachine
from mailstack.wire.managesieve.tokens import Cursor
from mailstack.wire.managesieve.write import string
from tests.fuzz.target import Target


def _conversation(limits: Limits, *, is_sasl: bool) -> Callable[[bytes], None]:
    def run(data: bytes) -> None:
        cuts = [
            [data],
            [data[at : at + 1] for at in range(len(data))],
            [data[at : at + 7] for at in range(0, len(data), 7)],
        ]
        answers = [_events(pieces, limits, is_sasl=is_sasl) for pieces in cuts]
        assert answers[0] == answers[1] == answers[2]

    return run


def _events(pieces: list[bytes], limits: Limits, *, is_sasl: bool) -> tuple[list[Event], str]:
    machine = ManageSieveMachine(limits)
    if is_sasl:
        machine.await_sasl()
    events: list[Event] = []
    try:
        for piece in pieces:
            events.extend(machine.feed(piece))
    except ProtocolFault as fault:
        return events, fault.text
    return events, ""


def _command(name: str) -> Target:
    def run(data: bytes) -> None:
        # Every second line is a literal.
        parts = data.split(b"\n")
        with suppress(SyntaxProblem):
            PARSERS[name](Cursor(parts if len(parts) % 2 else [*parts, b""]))

    return Target(f"managesieve {name}", run, (b"", b' "a"', b' "a" "b"', b' "a" 5', b' "a" \nkeep;\n'))


def _literal(data: bytes) -> None:
    with suppress(ProtocolFault):
        announced = announced_octets(data)
        assert announced is None or data[announced[0] :] == b"{%d+}" % announced[1]


def _written(data: bytes) -> None:
    """The client's literals have a plus, so that the machine can read its own strings."""
    head, at_break, rest = string(data).partition(b"}\r\n")
    parts = [b"", rest, b""] if at_break and head.startswith(b"{") else [string(data)]
    assert Cursor(parts).string() == data


_DIALOGUE = (
    b'AUTHENTICATE "PLAIN" {8+}\r\nAGEAYg==\r\nNOOP "x"\r\n',
    b'PUTSCRIPT "a" {6+}\r\nNOOP\r\n\r\nLISTSCRIPTS\r\nSETACTIVE ""\r\n',
    b"PUTSCRIPT {2000+}\r\n" + b"x" * 2_000 + b' "keep;"\r\nNOOP\r\n',
    b'HAVESPACE "a" 10\r\nRENAMESCRIPT {1+}\r\na {1+}\r\nb {1+}\r\nc\r\nLOGOUT\r\n',
    b"CHECKSCRIPT {3}\r\nabc\r\nNOOP\r\n",
)

TARGETS: tuple[Target, ...] = (
    Target("managesieve machine before login", _conversation(BEFORE_LOGIN, is_sasl=False), _DIALOGUE),
    Target("managesieve machine", _conversation(after_login(1_000), is_sasl=False), _DIALOGUE),
    Target("managesieve sasl", _conversation(BEFORE_LOGIN, is_sasl=True), (b'"AGE="\r\nNOOP\r\n', b"{1+}\r\n*\r\n")),
    Target("managesieve literal", _literal, (b'PUTSCRIPT "a" {5+}', b"{5}", b"{05+}")),
    Target("managesieve string", _written, (b"a", b'a"\\', b"a\r\nb", b"x" * 1_025)),
    *(_command(name) for name in PARSERS),
)
