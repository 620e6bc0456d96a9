"""LOGIN: two prompts, a name, a password."""

import pytest

from mailstack.model.delivery import Credentials
from mailstack.wire.sasl.login import Login
from mailstack.wire.sasl.steps import Broken, Challenge


def test_name_and_password_are_asked_for() -> None:
    exchange = Login()

    assert exchange.begin(None) == Challenge(data=b"Username:")
    assert exchange.respond(b"tim") == Challenge(data=b"Password:")
    assert exchange.respond(b"pw") == Credentials(username="tim", password="pw")


def test_the_name_may_come_as_initial_response() -> None:
    exchange = Login()

    assert exchange.begin(b"tim") == Challenge(data=b"Password:")
    assert exchange.respond(b"pw") == Credentials(username="tim", password="pw")


def test_an_empty_initial_response_is_none() -> None:
    assert Login().begin(b"") == Challenge(data=b"Username:")


@pytest.mark.parametrize("part", [b"", b"a\0b", b"\xff", b"x" * 2000])
def test_a_malformed_part_is_broken(part: bytes) -> None:
    exchange = Login()
    exchange.begin(b"tim")

    assert isinstance(exchange.respond(part), Broken)
