"""The JSON Schema of the log's events that programs may rely on, made from their models; kept in schemas/.

Lines of other names are for people, and may change with any version.
"""

from mailstack.model.log_events import LOG_EVENTS, LogEvent

_OF_EVERY_LINE = {
    "at": {"type": "string", "format": "date-time"},
    "level": {"const": "info", "type": "string"},
    "pid": {"type": "integer"},
}


def events_schema() -> dict[str, object]:
    """JSON Schema 2020-12, of one line."""
    from pydantic import TypeAdapter  # only here: events are told without it
    from pydantic.json_schema import GenerateJsonSchema

    adapter: TypeAdapter[LogEvent] = TypeAdapter(LogEvent)
    schema = adapter.json_schema(mode="serialization")
    for kind in LOG_EVENTS:
        line = schema["$defs"][kind.__name__]
        names = {"event": {"const": kind.NAME, "type": "string"}, **_OF_EVERY_LINE}
        line["properties"] = {**names, **line["properties"]}
    for form in schema["$defs"].values():
        if form["type"] == "object":
            form |= {"required": list(form["properties"]), "additionalProperties": False}
    return {"$schema": GenerateJsonSchema.schema_dialect, "$id": "mailstack/v1/events", **schema}
