"""Every command has a parser, and every parser ends in a request or a fault."""

import pytest

from mailstack.wire.imap.commands.table import PARSERS, UID_PARSERS
from mailstack.wire.imap.events import Command, Refused, SyntaxFault
from tests.support.imap_events import events_of


def test_every_uid_form_has_a_plain_one() -> None:
    assert UID_PARSERS.keys() <= PARSERS.keys()


@pytest.mark.parametrize("arguments", [b"", b" ", b" (", b' "', b" x", b" 1", b" \x00", b" (()) x", b" NIL"])
@pytest.mark.parametrize("name", [*PARSERS, *(f"UID {name}" for name in UID_PARSERS)])
def test_arguments_of_every_kind_end_in_one_event(name: str, arguments: bytes) -> None:
    (event,) = events_of(b"a " + name.encode() + arguments + b"\r\n")

    assert isinstance(event, Command | SyntaxFault | Refused)
    assert event.tag == "a"
