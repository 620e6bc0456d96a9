"""Commands out of bytes, with literals, refusals and the limits that keep a peer from filling the memory."""

from dataclasses import replace

import pytest

from mailstack.wire.framing import ProtocolFault
from mailstack.wire.imap.commands.append import Append, Upload
from mailstack.wire.imap.commands.login import Login
from mailstack.wire.imap.commands.noop import Noop
from mailstack.wire.imap.events import (
    Command,
    Event,
    IdleEnds,
    MessageBegins,
    MessageOctets,
    MessageUrl,
    NeedContinuation,
    Refused,
    SaslCancelled,
    SaslResponse,
    SyntaxFault,
    TextBegins,
)
from mailstack.wire.imap.limits import BEFORE_LOGIN, after_login
from mailstack.wire.imap.machine import ImapMachine
from tests.support.imap_events import events_of
from tests.support.splitting import splits

NOOP = Command(tag="z", request=Noop())
TINY = replace(after_login(100), line_octets=200, literal_octets=20, literals=2, command_octets=250, discard_octets=300)


def append(mailbox: str = "INBOX", *uploads: Upload) -> Append:
    return Append(mailbox=mailbox, uploads=uploads or (Upload(),))


def text(size_octets: int, *, is_synchronizing: bool = False, is_binary: bool = False) -> TextBegins:
    return TextBegins(size_octets=size_octets, is_synchronizing=is_synchronizing, is_binary=is_binary)


@pytest.mark.parametrize(
    ("data", "events"),
    [
        (b"z NOOP\r\n", [NOOP]),
        (b"z noop\r\nz NOOP\r\n", [NOOP, NOOP]),
        (b"z NOOP \r\nz NOOP\r\n", [SyntaxFault(tag="z", text="unexpected text after the command"), NOOP]),
        (
            b"a LOGIN {5}\r\nalice {2+}\r\npw\r\n",
            [NeedContinuation(), Command(tag="a", request=Login(username="alice", password="pw"))],
        ),
        (
            b"a APPEND INBOX {4}\r\nhi\r\n\r\nz NOOP\r\n",
            [
                MessageBegins(request=append()),
                text(4, is_synchronizing=True),
                MessageOctets(b"hi\r\n"),
                Command(tag="a", request=append()),
                NOOP,
            ],
        ),
        (
            b"a APPEND {3+}\r\nFoo {2+}\r\nhi\r\n",
            [
                MessageBegins(request=append("Foo")),
                text(2),
                MessageOctets(b"hi"),
                Command(tag="a", request=append("Foo")),
            ],
        ),
        (
            b"a APPEND INBOX {0+}\r\n\r\n",
            [MessageBegins(request=append()), text(0), Command(tag="a", request=append())],
        ),
    ],
)
def test_commands(data: bytes, events: list[Event]) -> None:
    assert events_of(data) == events


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"\r\n", SyntaxFault(tag=None, text="expected a tag")),
        (b"NOOP\r\n", SyntaxFault(tag=None, text="expected a tag")),
        (b"+ NOOP\r\n", SyntaxFault(tag=None, text="expected a tag")),
        (b"a+b NOOP\r\n", SyntaxFault(tag=None, text="expected a tag")),
        (b"\x80 NOOP\r\n", SyntaxFault(tag=None, text="expected a tag")),
        (b"a \r\n", SyntaxFault(tag="a", text="expected an atom")),
        (b"a XYZZY\r\n", SyntaxFault(tag="a", text="unknown command")),
        (b"a UID NOOP\r\n", SyntaxFault(tag="a", text="unknown command")),
        (b"a APPEND INBOX\r\n", SyntaxFault(tag="a", text="expected a space")),
        (b"a APPEND INBOX \r\n", SyntaxFault(tag="a", text="expected a literal")),
        (b"a NO\0OP\r\n", SyntaxFault(tag="a", text="unknown command")),
        (b"a LOGIN a {3+}\r\nx\0y\r\n", SyntaxFault(tag="a", text="a literal holds NUL")),
        (b"a LOGIN a ~{3+}\r\nxyz\r\n", SyntaxFault(tag="a", text="literal8 is not for this server")),
        (b"a APPEND IN\xc3BOX {3+}\r\nabc\r\n", SyntaxFault(tag="a", text="expected a space")),
        (b"a APPEND x (\\Foo) {3+}\r\nabc\r\n", SyntaxFault(tag="a", text="no such flag")),
    ],
)
def test_a_fault_leaves_the_connection_usable(data: bytes, fault: SyntaxFault) -> None:
    assert events_of(data + b"z NOOP\r\n") == [fault, NOOP]


@pytest.mark.parametrize(
    ("rest", "fault"),
    [
        (b"(x)", "expected a space"),
        (b" (x)", "expected a space"),
        (b" ", "expected a literal"),
        (b" x {3+}\r\nabc", "expected a message"),
        (b"{3}", "unexpected literal after the message"),
        (b"{3+}\r\nabc", "unexpected literal after the message"),
    ],
)
def test_what_is_wrong_after_a_message_is_a_fault_in_place_of_the_command(rest: bytes, fault: str) -> None:
    assert events_of(b"a APPEND x {2+}\r\nhi" + rest + b"\r\nz NOOP\r\n")[3:] == [
        SyntaxFault(tag="a", text=fault),
        NOOP,
    ]


@pytest.mark.parametrize(
    "data",
    [
        b"a APPEND x {5}\r\n",
        b"a APPEND x {5+}\r\nhello\r\n",
        b"a APPEND x CATENATE (TEXT {5+}\r\nhello URL foo TEXT {3}\r\n",
    ],
)
def test_a_message_may_be_refused_before_it_comes(data: bytes) -> None:
    for pieces in splits(data + b"z NOOP\r\n"):
        machine, events = ImapMachine(after_login()), list[Event]()
        for piece in pieces:
            for event in machine.feed(piece):
                events.append(event)
                if isinstance(event, TextBegins):
                    machine.refuse_message("TRYCREATE", "no")
        assert events[2:] == [Refused(tag="a", code="TRYCREATE", text="no"), NOOP]


@pytest.mark.parametrize(
    "data",
    [
        b"a APPEND x CATENATE (URL bad)\r\n",
        b"a APPEND x CATENATE (URL bad URL b)\r\n",
        b"a APPEND x CATENATE (URL bad TEXT {3}\r\n",
        b"a APPEND x CATENATE (URL bad TEXT {3+}\r\nabc URL c TEXT {2+}\r\nhi)\r\n",
        b"a APPEND x CATENATE (URL {3+}\r\nbad)\r\n",
    ],
)
def test_a_url_may_be_refused(data: bytes) -> None:
    for pieces in splits(data + b"z NOOP\r\n"):
        machine, events = ImapMachine(after_login()), list[Event]()
        for piece in pieces:
            for event in machine.feed(piece):
                events.append(event)
                if isinstance(event, MessageUrl):
                    machine.refuse_message("BADURL bad", "no")
        assert [one for one in events if not isinstance(one, NeedContinuation)][1:] == [
            MessageUrl("bad"),
            Refused(tag="a", code="BADURL bad", text="no"),
            NOOP,
        ]


def test_a_refused_synchronizing_literal_is_never_sent() -> None:
    assert events_of(b"a APPEND x {101}\r\nz NOOP\r\n", limits=TINY) == [
        Refused(tag="a", code="TOOBIG", text="message too large"),
        NOOP,
    ]


def test_a_refused_literal_that_comes_unasked_is_read_past() -> None:
    data = b"a APPEND x {101+}\r\n" + b"\r\n" * 50 + b"x {3+}\r\nabc\r\nz NOOP\r\n"

    assert events_of(data, limits=TINY) == [Refused(tag="a", code="TOOBIG", text="message too large"), NOOP]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"a LOGIN {21}\r\n", "literal too long"),
        (b"a LOGIN {21+}\r\n" + b"x" * 21 + b"\r\n", "literal too long"),
        (b"a ID (" + b" {1+}\r\nx" * 3 + b"\r\n", "too many literals"),  # CVE-2024-34055
        (b"a X" + b"y" * 150 + b" {20+}\r\n" + b"x" * 20 + b"y" * 80 + b" {5+}\r\nabcde\r\n", "command too long"),
    ],
)
def test_a_command_over_a_limit_is_refused_and_forgotten(data: bytes, text: str) -> None:
    assert events_of(data + b"z NOOP\r\n", limits=TINY) == [SyntaxFault(tag="a", text=text), NOOP]


@pytest.mark.parametrize(
    "data",
    [
        b"a LOGIN {4294967296+}\r\n",
        b"a APPEND x {1000000+}\r\n",
        b"x" * 40_000,
        b"a " + b"x" * 40_000 + b"\r\n",
    ],
)
def test_before_login_what_is_too_large_ends_the_conversation(data: bytes) -> None:
    with pytest.raises(ProtocolFault):
        list(ImapMachine(BEFORE_LOGIN).feed(data))


def test_before_login_parentheses_are_bounded() -> None:
    """CVE-2026-27857, CVE-2026-42006: nesting."""
    data = b"a SEARCH " + b"(" * 5_000 + b"\r\n"

    assert events_of(data, limits=BEFORE_LOGIN) == [SyntaxFault(tag="a", text="nested too deep")]


@pytest.mark.parametrize("key", [b"(", b"NOT ", b"OR ALL "])
def test_search_keys_nest_so_deep_and_no_deeper(key: bytes) -> None:
    assert events_of(b"a SEARCH " + key * 5_000 + b"\r\n") == [SyntaxFault(tag="a", text="nested too deep")]


def test_sasl_responses_are_lines_of_their_own() -> None:
    machine = ImapMachine(BEFORE_LOGIN)
    events: list[Event] = []
    for event in machine.feed(b"a AUTHENTICATE PLAIN\r\nAGEAYg==\r\nb AUTHENTICATE LOGIN\r\n*\r\nz NOOP\r\n"):
        if isinstance(event, Command) and event.tag in "ab":
            machine.await_sasl()
        else:
            events.append(event)

    assert events == [SaslResponse(b"AGEAYg=="), SaslCancelled(), NOOP]


@pytest.mark.parametrize(("line", "is_done"), [(b"DONE", True), (b"done", True), (b"a NOOP", False)])
def test_idle_ends_with_done(line: bytes, is_done: bool) -> None:
    machine = ImapMachine(after_login())
    machine.await_done()

    assert list(machine.feed(line + b"\r\nz NOOP\r\n")) == [IdleEnds(is_done=is_done), NOOP]


def test_starttls_buffering_what_follows_in_the_clear_is_dropped() -> None:
    """CVE-2011-0411: one segment with a command behind STARTTLS."""
    machine = ImapMachine(BEFORE_LOGIN)
    events = machine.feed(b"a STARTTLS\r\nb NOOP\r\n")
    assert isinstance(next(events), Command)

    machine.drop_input()

    assert list(events) == []
    assert list(machine.feed(b"z NOOP\r\n")) == [NOOP]


def test_passwords_stay_out_of_reprs() -> None:
    (event,) = events_of(b"a LOGIN alice secret\r\n")

    assert "secret" not in repr(event)
    assert "c2VjcmV0" not in repr(SaslResponse(b"c2VjcmV0"))
