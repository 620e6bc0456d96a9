"""`mailstack schema`: the JSON Schemas that schemas/ holds, for editors and for those who read plans by program."""

import json
from pathlib import Path

import click

from mailstack.cli.screen import fail

EXAMPLES = """\b
Examples:
  mailstack schema > mailstack.schema.json
  mailstack schema plan --output plan.schema.json
  mailstack schema api > openapi.json

\b
Editors with yaml-language-server complete and explain a spec whose first line is
  # yaml-language-server: $schema=./mailstack.schema.json
"""


@click.command("schema", short_help="Print a JSON Schema.", epilog=EXAMPLES)
@click.argument("what", type=click.Choice(["spec", "plan", "api"]), default="spec")
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Write to this file instead of the screen.")
def command(what: str, output: Path | None) -> None:
    """Print the JSON Schema of a spec, of the plan that `plan --format json` prints, or the API's OpenAPI document."""
    text = schema_text(what)
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as fault:
        fail(f"{output} cannot be written: {fault.strerror}")


def schema_text(what: str) -> str:
    """As the files in schemas/ have it."""
    return json.dumps(_schema(what), indent=2, ensure_ascii=False) + "\n"


def _schema(what: str) -> dict[str, object]:
    if what == "plan":
        from mailstack.reconcile.plan import plan_schema

        return plan_schema()
    if what == "api":
        from mailstack.app.openapi import openapi

        return openapi()
    from mailstack.spec.schema import spec_schema

    return spec_schema()
