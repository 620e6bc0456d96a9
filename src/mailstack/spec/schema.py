"""The spec's JSON Schema, made from the models: what editors complete and explain by, kept in schemas/."""

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from mailstack.spec.model import Spec

SCHEMA_ID = "mailstack/v1/spec"


def spec_schema() -> dict[str, object]:
    """JSON Schema 2020-12."""
    schema: dict[str, object] = Spec.model_json_schema(by_alias=True, schema_generator=_Generator)
    return {"$schema": GenerateJsonSchema.schema_dialect, "$id": SCHEMA_ID, **schema}


class _Generator(GenerateJsonSchema):
    """For people who write YAML: no titles that only repeat the key, no defaults in forms that YAML does not have."""

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002  pydantic's hook
        return False

    def encode_default(self, dft: object) -> object:
        return {} if isinstance(dft, BaseModel) else super().encode_default(dft)
