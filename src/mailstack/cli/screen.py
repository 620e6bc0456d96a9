"""What every command shows and how it ends: tables on a terminal, JSON for machines, one plain line for an error.

Exit codes: 0 done, 1 error, 2 a faulty call or spec (`plan`: 2 there are changes). Results go to standard output, all
else to standard error, so that `--format json` can be piped. rich is imported only where something is drawn.
"""

import json
import sys
from typing import TYPE_CHECKING, NoReturn

import click

if TYPE_CHECKING:
    from rich.console import Console

    from mailstack.spec.faults import SpecInvalid

EXIT_ERROR = 1
EXIT_FAULTS = 2
PIPE_COLUMNS = 200


def console() -> "Console":
    from rich.console import Console

    # A pipe has no width: what reads it wants whole lines.
    width = None if sys.stdout.isatty() else PIPE_COLUMNS
    return Console(file=sys.stdout, highlight=False, soft_wrap=True, width=width)


def counted(number: int, noun: str) -> str:
    """noun: of one."""
    return f"{number} {noun if number == 1 else noun + ('es' if noun.endswith('s') else 's')}"


def print_json(value: object) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def fail(message: str, *, code: int = EXIT_ERROR) -> NoReturn:
    """Ends the command with one line on standard error."""
    error(message)
    raise click.exceptions.Exit(code)


def error(message: str) -> None:
    click.echo(f"{click.style('error:', fg='red', bold=True)} {message}", err=True)


def report_faults(invalid: "SpecInvalid", as_json: bool = False, *, code: int = EXIT_FAULTS) -> NoReturn:
    """Ends the command with the faults of a spec, one a line, where an editor finds it: file:line:column."""
    count = len(invalid.faults)
    if as_json:
        print_json({"valid": False, "count": count, "faults": [_fault_fields(fault) for fault in invalid.shown]})
    else:
        for line in invalid.lines():
            click.echo(line, err=True)
        click.echo(f"{counted(count, 'fault')}; nothing was changed", err=True)
    raise click.exceptions.Exit(code)


def _fault_fields(fault: object) -> dict[str, object]:
    import dataclasses

    if dataclasses.is_dataclass(fault) and not isinstance(fault, type):
        return dataclasses.asdict(fault)
    return {"message": str(fault)}
