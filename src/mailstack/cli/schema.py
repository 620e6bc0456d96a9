"""`mailstack schema`: the JSON Schemas that schemas/ holds, for editors and for programs that read plans and logs."""

import json
from pathlib import Path

import click

from mailstack.cli.screen import fail

EXAMPLES = """\b
Examples:
  mailstack schema > mailstack.schema.json
  mailstack schema plan --output plan.schema.json
  mailstack schema explanation --output explanation.schema.json
  mailstack schema api > openapi.json

\b
Editors with yaml-language-server complete and explain a spec whose first line is
  # yaml-language-server: $schema=./mailstack.schema.json
"""


@click.command("schema", short_help="Print a JSON Schema.", epilog=EXAMPLES)
@click.argument("what", type=click.Choice(["spec", "plan", "explanation", "events", "api"]), default="spec")
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Write to this file instead of the screen.")
def command(what: str, output: Path | None) -> None:
    """Print the JSON Schema of a spec, of what `plan` and `explain` print with --format json, of the events that the
    log tells of mail, or the API's OpenAPI document."""
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
    if what == "explanation":
        from mailstack.app.explain.explanation import explanation_schema

        return explanation_schema()
    if what == "events":
        from mailstack.app.log_schema import events_schema

        return events_schema()
    if what == "api":
        from mailstack.app.openapi import openapi

        return openapi()
    from mailstack.spec.schema import spec_schema

    return spec_schema()
