"""`mailstack storage`: whether what a spec keeps its mail in can be used; storage_copy.py moves it elsewhere."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailstack.cli.reconciling import format_option, loaded_spec, storage_of
from mailstack.cli.screen import EXIT_ERROR, print_json
from mailstack.cli.storage_copy import copy

if TYPE_CHECKING:
    from mailstack.app.storage_check import Found
    from mailstack.app.store_address import StoreAddress


@click.group(
    "storage",
    help="""Look after what mail and state are kept in.

\b
Examples:
  mailstack storage check mailstack.yaml
  mailstack storage copy mailstack.yaml postgres.yaml
""",
    short_help="Look after what mail and state are kept in: check, copy.",
)
def command() -> None:
    pass


command.add_command(copy)


@command.command("check", short_help="Prove that the storage can be used from this machine.")
@click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))
@format_option
def check(spec: Path, form: str) -> None:
    """Ask every part of SPEC's storage for all that a server will ask of it: folder, database, bucket and events.

    Nothing of it is changed; objects that are put for a try are gone afterwards. Each line that fails says what to do.
    Exit status 1 when something fails that a server cannot do without.

    \b
    Examples:
      mailstack storage check mailstack.yaml
      mailstack storage check mailstack.yaml --format json | jq '.[] | select(.fault != "")'
    """
    found = asyncio.run(_checked(storage_of(loaded_spec(spec, form)), shows=form == "text"))
    if form == "json":
        print_json([_fields(one) for one in found])
    if any(finding.fault and finding.is_needed for _, finding in found):
        raise SystemExit(EXIT_ERROR)


async def _checked(storage: "StoreAddress", *, shows: bool) -> "list[Found]":
    """shows: each as soon as it is known; a service that does not answer takes its time."""
    from mailstack.app.log import configure_log
    from mailstack.app.storage_check import check_storage

    configure_log("auto", "error")  # what is less is among the findings
    found = []
    async for one in check_storage(storage):
        found.append(one)
        if shows:
            _show(one)
    return found


def _show(found: "Found") -> None:
    part, finding = found
    colour = "green" if not finding.fault else "red" if finding.is_needed else "yellow"
    word = "ok" if not finding.fault else "fails" if finding.is_needed else "look"
    line = f"{click.style(f'{word:5}', fg=colour)} {part}: {finding.what}"
    click.echo(f"{line} ({finding.took_s * 1000:.0f} ms)" if not finding.fault else f"{line}: {finding.fault}")
    if finding.remedy:
        click.echo(f"      {finding.remedy}")


def _fields(found: "Found") -> dict[str, object]:
    part, finding = found
    return {
        "part": part,
        "what": finding.what,
        "took_ms": round(finding.took_s * 1000, 1),
        "fault": finding.fault,
        "remedy": finding.remedy,
        "needed": finding.is_needed,
    }
