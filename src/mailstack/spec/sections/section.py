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


class OrElse:
    """Lets a JSON Schema allow other forms too, those that a validator makes the real one of."""

    def __init__(self, *forms: JsonSchemaValue) -> None:
        self._forms = forms

    def __get_pydantic_json_schema__(self, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [handler(core_schema), *self._forms]}


Bare = Annotated[Entry, BeforeValidator(_nothing_means_defaults), OrElse({"type": "null"})]
"""An entry that may stand with nothing behind its colon: `example.com:` has every default."""
