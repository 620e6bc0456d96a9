"""`mailstack validate`: every fault of a spec at once, or what a sound one holds. Reads files, touches nothing."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailstack.cli.screen import console, print_json, report_faults

if TYPE_CHECKING:
    from mailstack.spec.load import LoadedSpec

COUNTED = ("domains", "accounts", "aliases", "lists", "relays", "tests")
EXAMPLES = """\b
Examples:
  mailstack validate mailstack.yaml
  mailstack validate staging.yaml production.yaml
  mailstack validate --format json mailstack.yaml

\b
Exit status: 0 the specs hold together, 2 they have faults.
Each fault is one line, file:line:column: path: what is wrong (what is allowed).
Secrets are not read: plan does that.
"""


@click.command("validate", short_help="Check specs.", epilog=EXAMPLES)
@click.argument("specs", metavar="SPEC...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How results are printed.",
)
def command(specs: tuple[Path, ...], form: str) -> None:
    """Check each SPEC, with all that it includes, and show every fault at once."""
    from mailstack.spec.faults import Fault, SpecInvalid
    from mailstack.spec.load import load_spec

    is_json = form == "json"
    faults: list[Fault] = []
    summaries: list[dict[str, object]] = []
    for path in specs:
        try:
            summaries.append(_summary(load_spec(path)))
        except SpecInvalid as invalid:
            faults += invalid.faults
    if not is_json:
        _print_summaries(summaries)
    if faults:
        report_faults(SpecInvalid(faults), is_json)
    if is_json:
        print_json({"valid": True, "specs": summaries})


def _summary(loaded: "LoadedSpec") -> dict[str, object]:
    spec = loaded.spec
    return {
        "file": str(loaded.path),
        "files": len(loaded.files),
        "hostname": spec.server.hostname,
        "domains": len(spec.domains),
        "accounts": len(spec.accounts),
        "aliases": len(spec.aliases),
        "lists": len(spec.lists),
        "relays": len(spec.relays),
        "tests": len(spec.tests),
        "version": loaded.version,
        "digest": loaded.digest,
    }


def _print_summaries(summaries: list[dict[str, object]]) -> None:
    from mailstack.spec.upgrade import VERSION

    screen = console()
    for summary in summaries:
        counts = ", ".join(_count(summary[noun], noun) for noun in COUNTED if summary[noun])
        files = _count(summary["files"], "files")
        screen.print(f"[green]valid[/green] {summary['file']}: {summary['hostname']} with {counts} ({files})")
        if summary["version"] != VERSION:
            screen.print(f"it is of the older version {summary['version']}; `mailstack upgrade-spec` rewrites it")


def _count(number: object, noun: str) -> str:
    singular = {"aliases": "alias"}.get(noun, noun.removesuffix("s"))
    return f"{number} {singular if number == 1 else noun}"
