"""`mailstack drift`: what has changed behind the spec's back since the last apply, and not one write."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailstack.cli.plan import EXIT_CHANGES, PlanCommand
from mailstack.cli.reconciling import faults_reported, format_option, reconciler_on, storage_of, store_to_read
from mailstack.cli.remote import chosen_server, drift_on, server_options
from mailstack.cli.screen import EXIT_ERROR, print_json

if TYPE_CHECKING:
    from mailstack.reconcile.drift import Drift
    from mailstack.spec.load import LoadedSpec

HELP = """Show what is no longer as it was applied: DNS records that somebody changed or deleted, certificates and
secrets that are others in the files which SPEC names. Changes nothing; the next `mailstack apply` puts it right.
Records that people publish are looked for at the zones' own servers; what is not there is listed, for people to put
right.

An edited SPEC is no drift: it is compared with what was applied last, not with what SPEC says now. What users own, such
as a password that they changed, is listed and no drift either.

With --server it is that server which looks, at what was applied there.

\b
Examples:
  mailstack drift mailstack.yaml
  mailstack drift mailstack.yaml --server https://mail.example.com
  mailstack drift mailstack.yaml --format json | jq '.changes[].name'

Exit status: 0 nothing has drifted, 2 something has, 1 error, or nothing was applied yet. Faults of the spec and of the
call are 1 here.
"""


@click.command("drift", cls=PlanCommand, help=HELP, short_help="Show what is not as it was applied.")
@click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))
@format_option
@server_options
def command(spec: Path, form: str, server: str | None, token: str, ca: Path | None) -> None:
    from mailstack.reconcile.drift import drift_document
    from mailstack.spec.load import load_spec

    # 2 means drift here, as it means changes of a plan.
    with faults_reported(form, code=EXIT_ERROR):
        loaded = load_spec(spec)
        afar = chosen_server(server, token, ca)
        found = drift_on(afar) if afar else asyncio.run(_drift(loaded))
    if form == "json":
        print_json(drift_document(found))
    else:
        _show(found)
    if found.is_any:
        raise click.exceptions.Exit(EXIT_CHANGES)


async def _drift(loaded: "LoadedSpec") -> "Drift":
    async with store_to_read(storage_of(loaded)) as store:
        return await reconciler_on(store, loaded, no_dns=False).drift(loaded)


def _show(found: "Drift") -> None:
    from mailstack.model.instant import iso
    from mailstack.reconcile.render import printable, render_changes

    if found.changes:
        click.echo("Not as it was applied; the next apply will do the following:\n")
        click.echo(render_changes(found.changes, colour=sys.stdout.isatty()))
    if found.by_hand:
        click.echo("Not in DNS as it was asked for; whoever publishes it can put it right:\n")
        for item in found.by_hand:
            click.echo(f"  {item.name} {item.type}: {printable(item.told)}")
        click.echo()
    for warning in found.warnings:
        told = f"{printable(warning.subject)}: {printable(warning.text)}"
        click.echo(f"{click.style('Warning:', fg='yellow')} {told}")
    for own in found.by_user:
        click.echo(f"{own.kind} {own.name}: {own.field} is the user's own since {iso(own.since)}")
    if found.is_edited:
        click.echo("The spec was edited since; `mailstack plan` shows what it asks for now.")
    if not found.is_any:
        click.echo(click.style(f"Nothing has drifted from generation {found.generation}.", fg="green"))
