"""Texts of peers as the log has them, and events as names and values."""

import pytest

from mailstack.model.log_events import MAX_TEXT, TurnedAwayEvent, TurnedAwayReason, facts, plain


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x@y.example", "x@y.example"),
        ("dömi@bücher.example", "dömi@bücher.example"),
        ("a\r\nevent=forged", "a??event=forged"),
        ("\x1b[2J\x00\x7f", "?[2J??"),
        ("\udcff", "?"),  # an octet that was no UTF-8
        ("\u202egnp.exe", "?gnp.exe"),
        ("\u2028", "?"),
        ("x" * (MAX_TEXT + 1), "x" * MAX_TEXT),
    ],
)
def test_a_peers_text_is_bounded_and_on_one_line(text: str, told: str) -> None:
    assert plain(text) == told


def test_an_event_is_told_by_name_and_in_order() -> None:
    event = TurnedAwayEvent(service="mx", peer="192.0.2.1", reason=TurnedAwayReason.BANNED, reply="421 no")
    assert list(facts(event).items()) == [
        ("service", "mx"),
        ("peer", "192.0.2.1"),
        ("reason", TurnedAwayReason.BANNED),
        ("reply", "421 no"),
    ]
