"""`mailstack plan`: what apply would change, field by field, and not one write."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailstack.cli.reconciling import (
    faults_reported,
    no_dns_option,
    reconciler_on,
    show_plan,
    storage_of,
    store_to_read,
)
from mailstack.cli.remote import Afar, chosen_server, server_options
from mailstack.cli.screen import EXIT_ERROR, fail

if TYPE_CHECKING:
    from mailstack.reconcile.plan import Plan
    from mailstack.spec.load import LoadedSpec

EXIT_CHANGES = 2

FIRST_PLAN = "note: nothing was applied yet, so this plan does not notice if a secret changes before it is applied"

HELP = """Show what `mailstack apply SPEC` would change, and change nothing.

Reads the server's state and, through octoDNS, the zones that the spec has providers for. Secrets are read, compared
and never shown. Warnings name what needs a person: records of other hands that are in the way, certificates that end.
With --server the plan is made there, by its API: the spec and the secrets that are here are sent along.

\b
Examples:
  mailstack plan mailstack.yaml
  mailstack plan mailstack.yaml --format json | jq .summary
  mailstack plan mailstack.yaml --no-dns
  mailstack plan mailstack.yaml --format markdown    # for a comment on a pull request
  mailstack plan mailstack.yaml -o plan.json         # keep it; `mailstack apply plan.json` does just that, or refuses
  mailstack plan mailstack.yaml --records            # what to publish by hand
  mailstack plan mailstack.yaml --server https://mail.example.com    # on that server; the token is in MAILSTACK_TOKEN

Exit status: 0 no changes, 2 changes, 1 error. Faults of the spec and of the call are 1 here, for 2 means changes; the
other commands end with 2 for them.
"""


class FaultyCall(click.UsageError):
    exit_code = EXIT_ERROR


class PlanCommand(click.Command):
    """click ends a faulty call with 2, which means "there are changes" here."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as fault:
            raise FaultyCall(fault.format_message(), ctx=ctx) from None


@click.command("plan", cls=PlanCommand, help=HELP, short_help="Show what apply would change.")
@click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="text: for people; json: for programs; markdown: for a pull request.",
)
@click.option(
    "-o", "--out", type=click.Path(path_type=Path, dir_okay=False), help="Keep the plan in this file, for apply."
)
@no_dns_option
@server_options
@click.option("--records", is_flag=True, help="Show the DNS records to publish by hand even where nothing changes.")
@click.option("--detailed-exitcode", is_flag=True, help="Always so; accepted for hands that know Terraform.")
def command(
    spec: Path,
    form: str,
    out: Path | None,
    no_dns: bool,
    server: str | None,
    token: str,
    ca: Path | None,
    records: bool,
    detailed_exitcode: bool,  # noqa: ARG001  always so
) -> None:
    from mailstack.cli.saved_plan import read_saved, save
    from mailstack.spec.collector import collector_paused
    from mailstack.spec.load import load_spec

    if read_saved(spec) is not None:
        fail(f"{spec} is a plan already; `mailstack apply {spec}` carries it out")
    # 2 means "there are changes" here, so that faults must not end with it.
    afar = chosen_server(server, token, ca)
    with faults_reported(form, code=EXIT_ERROR), collector_paused():
        loaded = load_spec(spec)
        plan = Afar(afar, loaded, no_dns=no_dns).plan() if afar else asyncio.run(_plan(loaded, no_dns=no_dns))
    if out is not None:
        save(plan, out)
        if not plan.generation:
            click.echo(FIRST_PLAN, err=True)
    show_plan(plan, form, all_records=records)
    if not plan.is_empty:
        raise click.exceptions.Exit(EXIT_CHANGES)


async def _plan(loaded: "LoadedSpec", *, no_dns: bool) -> "Plan":
    async with store_to_read(storage_of(loaded)) as store:
        reconciler = reconciler_on(store, loaded, no_dns=no_dns)
        return (await reconciler.plan(loaded)).plan
