"""COPY, MOVE, STORE, EXPUNGE, each with its UID form."""

import pytest

from mailstack.model.ids import ModSeq
from mailstack.model.message import FlagOperation
from mailstack.model.numset import NumSet
from mailstack.wire.imap.commands.copy import Copy
from mailstack.wire.imap.commands.expunge import Expunge
from mailstack.wire.imap.commands.move import Move
from mailstack.wire.imap.commands.numbered import Numbered
from mailstack.wire.imap.commands.store import Store
from mailstack.wire.imap.commands.table import Request
from tests.support.imap_events import fault_of, request_of

TWO = NumSet(((2, 4),))
BY_NUMBER = Numbered(numbers=TWO, is_uid=False)
BY_UID = Numbered(numbers=TWO, is_uid=True)
SET, ADD, REMOVE = FlagOperation.SET, FlagOperation.ADD, FlagOperation.REMOVE


@pytest.mark.parametrize(
    ("command", "request_"),
    [
        (b"COPY 2:4 MEETING", Copy(messages=BY_NUMBER, mailbox="MEETING")),
        (b"UID COPY 2:4 MEETING", Copy(messages=BY_UID, mailbox="MEETING")),
        (b"MOVE 2:4 x", Move(messages=BY_NUMBER, mailbox="x")),
        (b"UID MOVE 2:4 x", Move(messages=BY_UID, mailbox="x")),
        (b"EXPUNGE", Expunge(uids=None)),
        (b"UID EXPUNGE 2:4", Expunge(uids=TWO)),
        (
            b"STORE 2:4 +FLAGS (\\Deleted)",
            Store(messages=BY_NUMBER, operation=ADD, flags=("\\Deleted",), is_silent=False),
        ),
        (b"UID STORE 2:4 -flags.silent a", Store(messages=BY_UID, operation=REMOVE, flags=("a",), is_silent=True)),
        (b"STORE 2:4 FLAGS ()", Store(messages=BY_NUMBER, operation=SET, flags=(), is_silent=False)),
        (
            b"STORE 2:4 (UNCHANGEDSINCE 320162338) FLAGS a",
            Store(messages=BY_NUMBER, operation=SET, flags=("a",), is_silent=False, unchanged_since=ModSeq(320162338)),
        ),
        (b"STORE 2:4 FLAGS a b", Store(messages=BY_NUMBER, operation=SET, flags=("a", "b"), is_silent=False)),
    ],
)
def test_command(command: bytes, request_: Request) -> None:
    assert request_of(command) == request_


@pytest.mark.parametrize(
    "command",
    [
        b"COPY",
        b"COPY 1",
        b"COPY a INBOX",
        b"COPY 0 INBOX",
        b"MOVE 1",
        b"EXPUNGE 1",
        b"UID EXPUNGE",
        b"UID",
        b"STORE 1 FLAGS",
        b"STORE 1 FLAGS ",
        b"STORE 1 FLAG (a)",
        b"STORE 1 +FLAGS.LOUD (a)",
        b"STORE 1 *FLAGS (a)",
        b"STORE 1 +FLAGS (\\Foo)",
        b"STORE 1 () FLAGS ()",
        b"STORE 1 (UNCHANGEDSINCE) FLAGS ()",
        b"STORE 1 (UNCHANGEDSINCE 1 UNCHANGEDSINCE 1) FLAGS ()",
        b"STORE 1 (UNCHANGEDSINCE 1)",
    ],
)
def test_malformed(command: bytes) -> None:
    assert fault_of(command)
