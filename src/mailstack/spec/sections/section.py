"""What all sections have in common: nothing unknown is accepted, nothing is converted silently, nothing changes."""

from collections.abc import Mapping
from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

Entry = TypeVar("Entry")


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


def _nothing_means_defaults(value: object) -> object:
    empty: Mapping[str, object] = {}
    return empty if value is None else value


class _OrNull:
    """Lets the JSON Schema of an entry say that nothing will do."""

    def __get_pydantic_json_schema__(self, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [handler(core_schema), {"type": "null"}]}


Bare = Annotated[Entry, BeforeValidator(_nothing_means_defaults), _OrNull()]
"""An entry that may stand with nothing behind its colon: `example.com:` has every default."""
