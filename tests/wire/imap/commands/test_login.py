"""LOGIN. RFC 9051 §6.2.3."""

import pytest

from mailstack.wire.imap.commands.login import Login
from tests.support.imap_events import events_of, fault_of, request_of


@pytest.mark.parametrize(
    ("command", "username", "password"),
    [
        (b"LOGIN SMITH SESAME", "SMITH", "SESAME"),  # RFC 9051 §6.2.3
        (b'LOGIN "a@b.example" "p w\\""', "a@b.example", 'p w"'),
        ("LOGIN jürgen pw".replace("jürgen", '"jürgen"').encode(), "jürgen", "pw"),
        (b'LOGIN a ""', "a", ""),
    ],
)
def test_login(command: bytes, username: str, password: str) -> None:
    assert request_of(command) == Login(username=username, password=password)


def test_both_may_be_literals() -> None:
    events = events_of(b"a LOGIN {3+}\r\na b {5+}\r\np\r\nw!\r\n")

    assert [getattr(event, "request", None) for event in events] == [Login(username="a b", password="p\r\nw!")]


@pytest.mark.parametrize("command", [b"LOGIN", b"LOGIN a", b"LOGIN a b c", b"LOGIN (a) b", b'LOGIN a "b'])
def test_malformed(command: bytes) -> None:
    assert fault_of(command)
