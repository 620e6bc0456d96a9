"""The commands that ask for nothing more than their name."""

import pytest

from mailstack.wire.imap.commands.capability import Capability
from mailstack.wire.imap.commands.check import Check
from mailstack.wire.imap.commands.close import Close
from mailstack.wire.imap.commands.idle import Idle
from mailstack.wire.imap.commands.logout import Logout
from mailstack.wire.imap.commands.namespace import Namespace
from mailstack.wire.imap.commands.noop import Noop
from mailstack.wire.imap.commands.starttls import Starttls
from mailstack.wire.imap.commands.table import Request
from mailstack.wire.imap.commands.unselect import Unselect
from tests.support.imap_events import fault_of, request_of

COMMANDS = [
    (b"CAPABILITY", Capability()),
    (b"CHECK", Check()),
    (b"CLOSE", Close()),
    (b"IDLE", Idle()),
    (b"LOGOUT", Logout()),
    (b"NAMESPACE", Namespace()),
    (b"NOOP", Noop()),
    (b"STARTTLS", Starttls()),
    (b"UNSELECT", Unselect()),
]


@pytest.mark.parametrize(("command", "request_"), COMMANDS)
def test_in_any_case(command: bytes, request_: Request) -> None:
    assert request_of(command) == request_
    assert request_of(command.lower()) == request_


@pytest.mark.parametrize("command", [command for command, _ in COMMANDS])
def test_anything_behind_the_name_is_a_fault(command: bytes) -> None:
    assert fault_of(command + b" x") == "unexpected text after the command"
    assert fault_of(command + b" ") == "unexpected text after the command"
