"""Every event that any test's code tells is held to its model, from which schemas/events.schema.json is made."""

from collections.abc import Iterable
from typing import Any

import orjson
import structlog
from pydantic import TypeAdapter

from mailstack.model.log_events import LOG_EVENTS, MAX_TEXT, LogEvent

ADAPTERS: dict[str, TypeAdapter[LogEvent]] = {kind.NAME: TypeAdapter(kind) for kind in LOG_EVENTS}
_OF_THE_LINE = frozenset({"event", "level", "at", "pid", "log_level"})


class HeldToItsForm(structlog.make_filtering_bound_logger(0)):  # type: ignore[misc]  # the class is made at run time
    """For structlog.configure."""

    def _proxy_to_logger(self, method_name: str, event: str | None = None, **facts: Any) -> Any:
        if event in ADAPTERS:
            assert method_name == "info"
            require_form(event, facts)
        return super()._proxy_to_logger(method_name, event, **facts)


def require_form(event: str, facts: dict[str, Any]) -> None:
    """facts: of one line, which may have those that every line has."""
    own = {name: value for name, value in facts.items() if name not in _OF_THE_LINE}
    written = orjson.dumps(own)
    read = ADAPTERS[event].validate_json(written, strict=True)
    assert ADAPTERS[event].dump_json(read) == written  # nothing besides, and in this order
    assert [text for text in _texts(orjson.loads(written)) if len(text) > MAX_TEXT or not text.isprintable()] == []


def _texts(value: object) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)
