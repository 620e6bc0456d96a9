"""What a script would do with a mail, for people and for programs."""

from collections.abc import Iterator, Sequence
from dataclasses import fields
from enum import Enum
from typing import assert_never

import click

from mailstack.cli.screen import counted
from mailstack.model.message import RawMessage
from mailstack.sieve.actions import (
    Action,
    Discard,
    FileInto,
    Keep,
    Notify,
    Redirect,
    Reject,
    TrackDuplicate,
    Vacation,
)
from mailstack.sieve.run import Outcome


def show(found: Outcome) -> None:
    for step in found.trace:
        click.echo(f"{click.style(f'line {step.line:>4}', dim=True)}  {step.text}")
    if found.trace:
        click.echo()
    for action in found.actions:
        click.echo("".join(_sentence(action)))
    if found.fault:
        click.echo(f"{click.style('the script failed:', fg='red', bold=True)} {found.fault}", err=True)


def document(found: Outcome) -> dict[str, object]:
    """Each action with the name that scripts have for it, and those of its fields that say something."""
    shown: dict[str, object] = {"actions": [_fields(action) for action in found.actions], "fault": found.fault or None}
    if found.trace:
        shown["trace"] = [step._asdict() for step in found.trace]
    return shown


def _name(action: Action) -> str:
    match action:
        case Keep():
            return "keep"
        case FileInto():
            return "fileinto"
        case Discard():
            return "discard"
        case Reject():
            return action.kind.value
        case Redirect():
            return "redirect"
        case Vacation():
            return "vacation"
        case Notify():
            return "notify"
        case TrackDuplicate():
            return "duplicate"
    assert_never(action)


def _fields(action: Action) -> dict[str, object]:
    shown: dict[str, object] = {"action": _name(action)}
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


def _sentence(action: Action) -> Iterator[str]:
    yield click.style(_name(action), bold=True)
    match action:
        case Keep():
            yield " in INBOX"
            yield from _flags(action.flags)
            yield " (implicit: nothing else was done with it)" if action.is_implicit else ""
        case FileInto():
            yield f" {action.mailbox}"
            yield from _flags(action.flags)
            yield ", made if it is not there" if action.create else ""
        case Redirect():
            yield f" to {action.address or f'the members of {action.list_name}'}"
        case Reject():
            yield f": {action.reason}"
        case Vacation():
            yield f": answers with {action.reason!r}"
            yield f", at most once in {counted(action.period_s, 'second')}" if action.period_s else ""
        case Notify():
            yield f" {action.method}: {action.message}"
        case TrackDuplicate():
            yield f": {action.unique_id} counts as seen for {counted(action.period_s, 'second')}"
        case Discard():
            pass
    if isinstance(action, Keep | FileInto | Redirect) and action.raw is not None:
        yield ", as it was edited"


def _flags(flags: Sequence[str] | None) -> Iterator[str]:
    if flags:
        yield f" with {' '.join(flags)}"
