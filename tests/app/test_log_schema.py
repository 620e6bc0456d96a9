"""The events' JSON Schema. `mailstack schema events -o schemas/events.schema.json` renews it."""

from pathlib import Path
from typing import Any

import pytest
import structlog
from pydantic import ValidationError

from mailstack.app.log_schema import events_schema
from mailstack.cli.schema import schema_text
from mailstack.model.log_events import LOG_EVENTS, MAX_TEXT

SCHEMA = Path(__file__).parents[2] / "schemas" / "events.schema.json"


def test_the_file_is_current() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == schema_text("events")


def test_a_line_is_one_of_the_events_and_has_all_that_it_says() -> None:
    schema: Any = events_schema()
    forms = [schema["$defs"][each["$ref"].rpartition("/")[2]] for each in schema["anyOf"]]
    assert [form["properties"]["event"]["const"] for form in forms] == [kind.NAME for kind in LOG_EVENTS]
    for form in forms:
        assert form["required"] == list(form["properties"])
        assert form["additionalProperties"] is False
        assert form["required"][:4] == ["event", "at", "level", "pid"]


TURNED_AWAY = {"service": "mx", "peer": "192.0.2.1", "reason": "banned", "reply": "421 4.7.0 no"}


@pytest.mark.parametrize(
    ("facts", "fault"),
    [
        ({**TURNED_AWAY, "reason": "whim"}, ValidationError),
        ({**TURNED_AWAY, "peer": 1}, ValidationError),
        ({name: value for name, value in TURNED_AWAY.items() if name != "peer"}, ValidationError),
        ({**TURNED_AWAY, "more": 1}, AssertionError),
        ({**TURNED_AWAY, "reply": "x" * (MAX_TEXT + 1)}, AssertionError),
        ({**TURNED_AWAY, "reply": "x\x1b[2J"}, AssertionError),
    ],
)
def test_no_test_tells_an_event_of_another_form(facts: dict[str, object], fault: type[Exception]) -> None:
    structlog.get_logger().info("turned away", **TURNED_AWAY)
    with pytest.raises(fault):
        structlog.get_logger().info("turned away", **facts)
