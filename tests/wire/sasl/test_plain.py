"""PLAIN: RFC 4616 by rule."""

import pytest

from mailstack.model.delivery import Credentials
from mailstack.model.errors import Invalid
from mailstack.wire.sasl.plain import MAX_PART_OCTETS, Plain, plain_message
from mailstack.wire.sasl.steps import Broken, Challenge


@pytest.mark.parametrize(
    ("message", "username", "password"),
    [
        (b"\0tim\0tanstaaftanstaaf", "tim", "tanstaaftanstaaf"),  # RFC 4616 §4
        (b"tim\0tim\0pw", "tim", "pw"),
        (b"Tim@Example.com\0tim@example.com\0pw", "tim@example.com", "pw"),
        ("\0jürgen@example.com\0päss wörd".encode(), "jürgen@example.com", "päss wörd"),
    ],
)
def test_a_message_becomes_credentials(message: bytes, username: str, password: str) -> None:
    assert Plain().begin(message) == Credentials(username=username, password=password)


def test_without_an_initial_response_the_challenge_is_empty() -> None:
    exchange = Plain()

    assert exchange.begin(None) == Challenge(data=b"")
    assert exchange.respond(b"\0a\0b") == Credentials(username="a", password="b")


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"tim",
        b"\0tim",
        b"\0tim\0pw\0more",
        b"\0\0pw",
        b"\0tim\0",
        b"\0t\xff\0pw",
        b"\0" + b"a" * (MAX_PART_OCTETS + 1) + b"\0pw",
    ],
)
def test_a_malformed_message_is_broken(message: bytes) -> None:
    assert isinstance(Plain().begin(message), Broken)


def test_acting_for_another_identity_is_refused() -> None:
    assert Plain().begin(b"admin\0tim\0pw") == Broken(reason="PLAIN for another identity")


@pytest.mark.parametrize(
    "credentials", [Credentials(username="tim", password="pw"), Credentials(username="ä", password="ö ü")]
)
def test_what_a_client_writes_is_read_back(credentials: Credentials) -> None:
    assert Plain().begin(plain_message(credentials)) == credentials


@pytest.mark.parametrize(("username", "password"), [("a\0b", "x"), ("a", "x\0")])
def test_credentials_with_nul_cannot_be_written(username: str, password: str) -> None:
    with pytest.raises(Invalid):
        plain_message(Credentials(username=username, password=password))
