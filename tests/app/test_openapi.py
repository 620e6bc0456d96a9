"""The description of the API is that of the code. `mailstack schema api -o schemas/openapi.json` renews it."""

import json
from pathlib import Path
from typing import Any

from mailstack.app.openapi import openapi
from mailstack.cli.schema import schema_text
from mailstack.servers.api.service import OPENAPI

ROOT = Path(__file__).parent.parent.parent


def test_the_file_that_is_served_is_current() -> None:
    assert OPENAPI.read_text(encoding="utf-8") == schema_text("api")


def test_it_is_among_the_schemas() -> None:
    assert (ROOT / "schemas" / "openapi.json").resolve() == OPENAPI.resolve()


def test_every_reference_leads_somewhere() -> None:
    whole: Any = openapi()
    for name in references(whole):
        at = whole
        for part in name.removeprefix("#/").split("/"):
            at = at[part]
        assert at


def test_every_operation_says_what_it_needs_and_how_it_refuses() -> None:
    whole: Any = openapi()
    for path, methods in whole["paths"].items():
        for method, operation in methods.items():
            assert operation["security"] == [{"token": []}], (path, method)
            assert {"401", "403", "429"} <= operation["responses"].keys()


def references(value: object) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if "$ref" in value else set()
        return own.union(*map(references, value.values()))
    return set().union(*map(references, value)) if isinstance(value, list) else set()


def test_it_is_plain_json() -> None:
    assert json.loads(OPENAPI.read_text(encoding="utf-8")) == openapi()
