"""What a script would do with a mail, for people and for programs."""

from dataclasses import fields
from enum import Enum

import click

from mailstack.app.sieve_words import name_of, rest_of
from mailstack.model.message import RawMessage
from mailstack.sieve.actions import Action, FileInto
from mailstack.sieve.run import Outcome


def show(found: Outcome) -> None:
    for step in found.trace:
        click.echo(f"{click.style(f'line {step.line:>4}', dim=True)}  {step.text}")
    if found.trace:
        click.echo()
    for action in found.actions:
        click.echo(f"{click.style(name_of(action), bold=True)}{rest_of(action)}")
    if found.fault:
        click.echo(f"{click.style('the script failed:', fg='red', bold=True)} {found.fault}", err=True)


def document(found: Outcome) -> dict[str, object]:
    """Each action with the name that scripts have for it, and those of its fields that say something."""
    shown: dict[str, object] = {"actions": [_fields(action) for action in found.actions], "fault": found.fault or None}
    if found.trace:
        shown["trace"] = [step._asdict() for step in found.trace]
    return shown


def _fields(action: Action) -> dict[str, object]:
    shown: dict[str, object] = {"action": name_of(action)}
    for field in fields(action):
        value = getattr(action, field.name)
        if field.name == "raw":
            if value is not None:
                shown["message"] = _text(value)
        elif isinstance(value, FileInto):
            shown[field.name] = _fields(value)
        elif not isinstance(value, Enum) and value not in (None, "", (), False):
            shown[field.name] = value
    return shown


def _text(raw: RawMessage) -> str:
    return bytes(raw[:]).decode("utf-8", "replace")
