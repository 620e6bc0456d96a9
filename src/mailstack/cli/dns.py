"""`mailstack dns`: the records of a spec shown, looked for in DNS, and published without the rest of an apply.

What is shown, and how, is cli/dns_facts's.
"""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailstack.cli.apply import ask, refuse_stopped, shown_progress, turn
from mailstack.cli.dns_facts import check_document, record_document, show_check, show_records, within
from mailstack.cli.dns_forget import command as forget
from mailstack.cli.place import Place, place_of, state_option
from mailstack.cli.plan import EXIT_CHANGES, PlanCommand
from mailstack.cli.reconciling import (
    faults_reported,
    format_option,
    loaded_spec,
    show_plan,
    store_to_read,
    store_to_write,
)
from mailstack.cli.screen import EXIT_ERROR, counted, fail, print_json

if TYPE_CHECKING:
    from mailstack.reconcile.dns.survey import Survey
    from mailstack.reconcile.dns.zones import PlacedRecord
    from mailstack.reconcile.prepared import Prepared
    from mailstack.reconcile.progress import Progress

CHECK_S = 300.0
"""Somebody waits for the answer, of hundreds of domains if need be."""

spec_argument = click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))
domains_option = click.option(
    "--domain", "domains", metavar="NAME", multiple=True, help="Only names in this domain. Repeatable."
)


@click.group(
    "dns",
    help="""Look after DNS: which records the spec asks for, what the world sees of them, and publishing them.

\b
Examples:
  mailstack dns show mailstack.yaml
  mailstack dns check mailstack.yaml
  mailstack dns plan mailstack.yaml
  mailstack dns check mailstack.yaml --state ./sandbox     # of a sandbox: its zone files
""",
    short_help="Look after DNS: show, check, plan, apply, forget.",
)
def command() -> None:
    pass


command.add_command(forget)


@command.command("show", short_help="Show every record that the spec asks for.")
@spec_argument
@domains_option
@state_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "bind", "json"]),
    default="table",
    show_default=True,
    help="table: for people; bind: lines of a zone file; json: for programs.",
)
def show(spec: Path, domains: tuple[str, ...], state: Path | None, form: str) -> None:
    """Show every record that the spec asks for, and who publishes it. Nobody is asked and nothing is changed.

    Keys that the first apply has yet to make are shown as such.

    \b
    Examples:
      mailstack dns show mailstack.yaml
      mailstack dns show mailstack.yaml --domain example.com --format bind >> example.com.zone
      mailstack dns show mailstack.yaml --format json | jq -r '.[] | select(.type == "MX").name'
    """
    place = place_of(loaded_spec(spec, form), state)
    records = within(asyncio.run(_records(place)), domains)
    if form == "json":
        print_json([record_document(item, place.spec) for item in records])
    else:
        show_records(records, place.spec, as_zone_file=form == "bind")


@command.command("check", cls=PlanCommand, short_help="Look whether the records are live.")
@spec_argument
@domains_option
@state_option
@format_option
def check(spec: Path, domains: tuple[str, ...], state: Path | None, form: str) -> None:
    """Ask the authoritative servers of each zone, one by one, whether they show what the spec asks for. Besides,
    whether the PTR records of server.addresses name the host and, with tls.dane, whether the zones are signed.

    \b
    Examples:
      mailstack dns check mailstack.yaml
      mailstack dns check mailstack.yaml --domain example.com
      mailstack dns check mailstack.yaml --format json | jq '.records[] | select(.standing != "present")'

    Exit status: 0 all is as it should be; 2 something is missing or differs; 1 error, or DNS could not be asked about
    something. Faults of the spec and of the call are 1 here.
    """
    from mailstack.spec.load import load_spec

    with faults_reported(form, code=EXIT_ERROR):
        place = place_of(load_spec(spec), state)
        found = asyncio.run(_checked(place, domains))
    if form == "json":
        print_json(check_document(found))
    else:
        show_check(found)
    if found.is_wrong:
        raise click.exceptions.Exit(EXIT_CHANGES)
    if found.is_unsure:
        raise click.exceptions.Exit(EXIT_ERROR)


@command.command("plan", cls=PlanCommand, short_help="Show what apply would change in DNS.")
@spec_argument
@state_option
@format_option
def plan(spec: Path, state: Path | None, form: str) -> None:
    """Show what `mailstack dns apply` would change in the zones that have a provider. Changes nothing.

    \b
    Examples:
      mailstack dns plan mailstack.yaml
      mailstack dns plan mailstack.yaml --format json | jq .summary

    Exit status: 0 no changes, 2 changes, 1 error. Faults of the spec and of the call are 1 here.
    """
    from mailstack.spec.load import load_spec

    with faults_reported(form, code=EXIT_ERROR):
        place = place_of(load_spec(spec), state)
        prepared = asyncio.run(_planned(place))
    show_plan(prepared.plan, form)
    if not prepared.plan.is_empty:
        raise click.exceptions.Exit(EXIT_CHANGES)


@command.command("apply", short_help="Publish the records, and change nothing else.")
@spec_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
@state_option
@format_option
def apply(spec: Path, yes: bool, state: Path | None, form: str) -> None:
    """Make the zones that have a provider what the spec says: shows the plan, asks, then publishes.

    Of the server itself nothing changes. Where its state is behind the spec this is refused, for the records follow
    the keys and certificates of the state; `mailstack apply` does both.

    \b
    Examples:
      mailstack dns apply mailstack.yaml
      mailstack dns apply mailstack.yaml --yes

    Exit status: 0 published, or nothing to do; 1 error, or the answer was not yes; 2 the spec has faults.
    """
    from mailstack.reconcile.plan import document
    from mailstack.reconcile.reconciler import STATE_BEHIND

    place = place_of(loaded_spec(spec, form), state)
    with faults_reported(form):
        prepared = asyncio.run(_planned(place))
    if form == "text":
        show_plan(prepared.plan, form)
    if prepared.steps:
        fail(STATE_BEHIND)
    refuse_stopped(prepared.plan, form)
    if not yes and not prepared.plan.is_empty:
        ask(form)
    if not prepared.plan.is_empty:
        with shown_progress(form) as progress:
            asyncio.run(_published(place, prepared, progress))
    if form == "json":
        print_json({"plan": document(prepared.plan)})
    elif not prepared.plan.is_empty:
        count = len(prepared.plan.changes)
        click.echo(click.style(f"Published: {counted(count, 'record set')}.", fg="green"))


async def _records(place: Place) -> "tuple[PlacedRecord, ...]":
    from mailstack.reconcile.dns.overview import every_record

    async with store_to_read(place.storage) as store:
        return await every_record(place.spec, store.state if store else None)


async def _checked(place: Place, domains: tuple[str, ...]) -> "Survey":
    from mailstack.reconcile.dns.patient import PatientDns
    from mailstack.reconcile.dns.survey import survey

    records = within(await _records(place), domains)
    live_dns = PatientDns(place.live_dns(), quiet_s=CHECK_S, most_s=CHECK_S)
    return await survey(place.spec, live_dns, records, {})


async def _planned(place: Place) -> "Prepared":
    """A plan of DNS alone, which says so where the rest is behind."""
    from mailstack.reconcile.plan import DNS_RECORD, PlanWarning, sealed

    async with store_to_read(place.storage) as store:
        prepared = await place.reconciler(store).plan(place.loaded)
    behind = PlanWarning(subject="server", text="its state is behind the spec: `mailstack apply` changes it with DNS")
    changes = tuple(change for change in prepared.plan.changes if change.kind == DNS_RECORD)
    warnings = (behind, *prepared.plan.warnings) if prepared.steps else prepared.plan.warnings
    return replace(prepared, plan=sealed(replace(prepared.plan, changes=changes, warnings=warnings)))


async def _published(place: Place, prepared: "Prepared", progress: "Progress") -> None:
    async with turn(place.storage), store_to_write(place.storage) as store:
        await place.reconciler(store).publish(prepared, progress)
