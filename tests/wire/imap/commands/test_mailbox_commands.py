"""The commands that ask for one mailbox, or two."""

import pytest

from mailstack.wire.imap.commands.create import Create
from mailstack.wire.imap.commands.delete import Delete
from mailstack.wire.imap.commands.examine import Examine
from mailstack.wire.imap.commands.list import List
from mailstack.wire.imap.commands.lsub import Lsub
from mailstack.wire.imap.commands.rename import Rename
from mailstack.wire.imap.commands.select import Select
from mailstack.wire.imap.commands.subscribe import Subscribe
from mailstack.wire.imap.commands.table import Request
from mailstack.wire.imap.commands.unsubscribe import Unsubscribe
from mailstack.wire.imap.events import Refused
from tests.support.imap_events import events_of, fault_of, request_of


@pytest.mark.parametrize(
    ("command", "request_"),
    [
        (b"SELECT INBOX", Select(mailbox="INBOX")),
        (b'EXAMINE "a b"', Examine(mailbox="a b")),
        (b"CREATE Entw&APw-rfe", Create(mailbox="Entwürfe")),
        (b"DELETE a/b", Delete(mailbox="a/b")),
        (b"SUBSCRIBE x", Subscribe(mailbox="x")),
        (b"UNSUBSCRIBE x", Unsubscribe(mailbox="x")),
        (b'RENAME a "b c"', Rename(mailbox="a", new_name="b c")),
        (b'LIST "" *', List(reference="", patterns=("*",))),
        (b'LIST a/ "%"', List(reference="a/", patterns=("%",))),
        (b'LIST "" ""', List(reference="", patterns=("",))),
        (b'LSUB "" a%*', Lsub(reference="", pattern="a%*")),
    ],
)
def test_command(command: bytes, request_: Request) -> None:
    assert request_of(command) == request_


@pytest.mark.parametrize(
    "command",
    [
        b"SELECT",
        b"SELECT ",
        b"SELECT a b",
        b"SELECT (a)",
        b"SELECT a*",
        b"EXAMINE",
        b"CREATE",
        b"DELETE",
        b"RENAME a",
        b"LIST *",
        b"LSUB x",
        b"SUBSCRIBE",
        b"UNSUBSCRIBE",
    ],
)
def test_malformed(command: bytes) -> None:
    assert fault_of(command)


@pytest.mark.parametrize("command", [b"SELECT &AOk", b'SELECT "\xc3\xa9"', b"CREATE a&b"])
def test_a_name_that_no_mailbox_can_have_is_refused(command: bytes) -> None:
    (event,) = events_of(b"a " + command + b"\r\n")

    assert isinstance(event, Refused)
    assert event.code == "CANNOT"


def test_a_pattern_may_be_anything() -> None:
    assert request_of(b'LIST "" a&b%') == request_of(b'LIST "" {4+}\r\na&b%')
