"""`mailstack warmup`: how far receivers have got used to a new address of ours.

What is said of it is cli/warmup_facts's.
"""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailstack.cli.account_facts import Facts
from mailstack.cli.reconciling import format_option, require_applied, storage_named, store_to_read
from mailstack.cli.screen import print_json
from mailstack.cli.warmup_facts import warm_up_facts, warm_up_lines

if TYPE_CHECKING:
    from mailstack.app.store_address import StoreAddress


@click.group(
    "warmup",
    help="""Look after routes that send directly little by little, so that receivers get to know a new address.
Which ones do is the spec's to say: routes.*.warmup.

\b
Examples:
  mailstack warmup status mailstack.yaml
  mailstack warmup status mailstack.yaml --format json | jq '.[].providers[] | select(.bad_days > 0)'
""",
    short_help="Look after warm-ups: status.",
)
def command() -> None:
    pass


@command.command("status", short_help="Show the share that goes direct, by route and provider.")
@click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))
@format_option
def status(spec: Path, form: str) -> None:
    """Show for each route that warms up what share of its mail goes direct today, and when it will be all: for a
    provider that nothing went to yet, and for each that has had some. A provider that did not like what came is behind.

    \b
    Examples:
      mailstack warmup status mailstack.yaml
      mailstack warmup status mailstack.yaml --format json | jq '.[0].providers[0].days'
    """
    storage = storage_named(spec, form)
    require_applied(storage)
    found = asyncio.run(_found(storage))
    if form == "json":
        print_json(found)
        return
    if not found:
        click.echo("No route warms up.")
    for facts in found:
        for line in warm_up_lines(facts):
            click.echo(line)


async def _found(storage: "StoreAddress") -> list[Facts]:
    from mailstack.app.clock import system_clock
    from mailstack.app.routing import warm_up_of
    from mailstack.model.resource import Kind, RoutesBody, body_of

    async with store_to_read(storage) as store:
        if store is None:
            return []
        snapshot = await store.state.snapshot((Kind.ROUTES,))
        bodies = [body_of(RoutesBody, resource) for resource in snapshot.resources.values()]
        warming = [
            (route, warm_up_of(route.warmup)) for body in bodies for route in body.routes if route.warmup is not None
        ]
        since = min((warm_up.start for _, warm_up in warming), default=system_clock())
        days = await store.warm_days.all(since=since)
    return [warm_up_facts(route, warm_up, days, now=system_clock()) for route, warm_up in warming]
