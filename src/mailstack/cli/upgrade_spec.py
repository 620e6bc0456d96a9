"""`mailstack upgrade-spec`: a spec of an older version, rewritten in the words of today with its comments kept."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailstack.cli.reconciling import faults_reported
from mailstack.cli.screen import fail

if TYPE_CHECKING:
    from mailstack.spec.upgrade import Edit

EXIT_OLD = 2

HELP = """Rewrite SPEC, and the files that it includes, from an older `apiVersion` to the one of this program.

Older versions go on working: they are upgraded in memory each time they are read. This writes it down. Only the keys
that have another name now are touched; comments, order and blank lines stay. A spec with faults is not rewritten.

\b
Examples:
  mailstack upgrade-spec mailstack.yaml
  mailstack upgrade-spec mailstack.yaml --check      # in CI: changes nothing

Exit status: 0 rewritten, or of this version already; 1 error; 2 the spec has faults, or with --check, it is of an older
version.
"""


@click.command("upgrade-spec", help=HELP, short_help="Rewrite a spec of an older version.")
@click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--check", is_flag=True, help="Only say what would change.")
@click.pass_context
def command(context: click.Context, spec: Path, check: bool) -> None:
    from mailstack.spec.include import read_files
    from mailstack.spec.load import load_spec

    with faults_reported("text"):
        load_spec(spec)
    edits = {path: found for path, found in read_files(spec).edits.items() if found}
    if not edits:
        click.echo(f"{spec} is of this version")
        return
    for path, found in edits.items():
        _tell(path, found)
    if check:
        context.exit(EXIT_OLD)
    for path, found in edits.items():
        _rewrite(path, found)
    click.echo(f"{click.style('rewritten', fg='green')} {', '.join(map(str, edits))}")


def _tell(path: Path, edits: "tuple[Edit, ...]") -> None:
    for edit in edits:
        click.echo(f"{path}:{edit.line}: {edit.old} is {edit.text} now")


def _rewrite(path: Path, edits: "tuple[Edit, ...]") -> None:
    """Whole or not at all, with the mode that the file had."""
    from mailstack.spec.upgrade import rewritten

    # Line ends as they are: the places of the edits count every character.
    text = rewritten(path.read_bytes().decode("utf-8"), edits)
    target = path.resolve()  # a link stays one
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        draft.write_bytes(text.encode("utf-8"))
        draft.chmod(target.stat().st_mode & 0o7777)
        draft.replace(target)
    except OSError as fault:
        fail(f"{path} cannot be written: {fault.strerror}")
    finally:
        draft.unlink(missing_ok=True)
