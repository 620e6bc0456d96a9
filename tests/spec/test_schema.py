"""The JSON Schema in schemas/ is the models'. `mailstack schema -o schemas/mailstack.schema.json` renews it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from mailstack.cli.schema import schema_text
from mailstack.spec.schema import spec_schema
from tests.support.golden_spec import GOOD

ROOT = Path(__file__).parent.parent.parent


def test_the_file_is_current() -> None:
    assert (ROOT / "schemas" / "mailstack.schema.json").read_text(encoding="utf-8") == schema_text("spec")


def test_every_property_is_described() -> None:
    schema: Any = spec_schema()
    for name, model in {"Spec": schema, **schema["$defs"]}.items():
        for key, value in model.get("properties", {}).items():
            assert value.get("description"), f"{name}.{key}"


def test_nothing_unknown_is_allowed() -> None:
    schema: Any = spec_schema()
    loose = [
        name for name, model in schema["$defs"].items() if model["type"] == "object" and model["additionalProperties"]
    ]
    assert loose == ["Provider"]
    assert schema["additionalProperties"] is False


def test_an_entry_may_be_left_bare() -> None:
    schema: Any = spec_schema()
    assert {"type": "null"} in schema["properties"]["domains"]["additionalProperties"]["anyOf"]


def test_defaults_are_in_the_form_of_the_yaml() -> None:
    schema: Any = spec_schema()
    definitions = schema["$defs"]
    assert definitions["Limits"]["properties"]["message_size"]["default"] == "50MiB"
    assert definitions["MtaSts"]["properties"]["max_age"]["default"] == "7d"
    assert definitions["Server"]["properties"]["workers"]["default"] == "auto"
    assert definitions["Server"]["properties"]["limits"]["default"] == {}


@pytest.mark.parametrize("text", ["env/A", "file/a", "$argon2id$v=19$x", "$2b$12$x", "$6$x", "{SHA512-CRYPT}$6$x"])
def test_the_pattern_of_passwords_knows_every_form(text: str) -> None:
    schema: Any = spec_schema()
    pattern = schema["$defs"]["Account"]["properties"]["password"]["pattern"]
    assert re.search(pattern, text)
    assert not re.search(pattern, "hunter2")


def test_the_example_names_the_schema_in_its_first_line() -> None:
    first = (ROOT / "mailstack.yaml.example").read_text(encoding="utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=./schemas/mailstack.schema.json"
    assert GOOD


def test_the_schema_is_plain_json() -> None:
    assert json.loads(schema_text("spec")) == spec_schema()
