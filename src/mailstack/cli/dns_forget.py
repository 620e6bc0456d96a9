"""`mailstack dns forget`: a zone that left the spec, and that its provider does not have any more."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailstack.cli.apply import ask, turn
from mailstack.cli.reconciling import (
    format_option,
    loaded_spec,
    require_applied,
    show_plan,
    storage_of,
    store_to_read,
    store_to_write,
)
from mailstack.cli.screen import fail, print_json

if TYPE_CHECKING:
    from mailstack.reconcile.plan import Plan
    from mailstack.spec.load import LoadedSpec


def _zone(_context: click.Context, _parameter: click.Parameter, text: str) -> str:
    from mailstack.model.address import domain_key
    from mailstack.model.errors import Invalid

    try:
        return domain_key(text)
    except Invalid as fault:
        raise click.BadParameter(fault.detail) from None


@click.command("forget", short_help="Forget a zone that its provider has lost.")
@click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("zone", callback=_zone)
@click.option("--yes", is_flag=True, help="Do not ask.")
@format_option
def command(spec: Path, zone: str, yes: bool, form: str) -> None:
    """Forget ZONE: take it out of dns.zones in SPEC first, and then here, where the provider has lost it or somebody
    deleted it there. Otherwise every plan asks for it, to take mailstack's records out of it, and fails.

    No provider is asked, and no record changes. Shows the plan and asks, as apply does.

    \b
    Examples:
      mailstack dns forget mailstack.yaml old.example
      mailstack dns forget mailstack.yaml old.example --yes

    Exit status: 0 forgotten; 1 error, or the answer was not yes; 2 the spec has faults.
    """
    from mailstack.reconcile.plan import document

    loaded = loaded_spec(spec, form)
    require_applied(storage_of(loaded))
    plan = asyncio.run(_planned(loaded, zone))
    if form == "text":
        show_plan(plan, form)
    if not yes:
        ask(form)
    asyncio.run(_forgotten(loaded, plan))
    if form == "json":
        print_json({"plan": document(plan)})
    else:
        click.echo(f"{click.style('forgotten', fg='green')} {zone}")


async def _planned(loaded: "LoadedSpec", zone: str) -> "Plan":
    from mailstack.reconcile.dns.forgetting import plan_forgetting

    async with store_to_read(storage_of(loaded)) as store:
        if store is None:
            fail(f"{storage_of(loaded)}: nothing was applied yet; there is nothing to forget")
        return await plan_forgetting(store.state, loaded.spec, loaded.path, zone)


async def _forgotten(loaded: "LoadedSpec", plan: "Plan") -> None:
    from mailstack.reconcile.dns.forgetting import forget

    storage = storage_of(loaded)
    async with turn(storage), store_to_write(storage) as store:
        await forget(store.state, plan)
