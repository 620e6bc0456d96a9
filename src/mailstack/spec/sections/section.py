"""What all sections have in common: nothing unknown is accepted, nothing is converted silently, nothing changes."""

from collections.abc import Mapping
from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict

Entry = TypeVar("Entry")


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


def _nothing_means_defaults(value: object) -> object:
    empty: Mapping[str, object] = {}
    return empty if value is None else value


Bare = Annotated[Entry, BeforeValidator(_nothing_means_defaults)]
"""An entry that may stand with nothing behind its colon: `example.com:` has every default."""
