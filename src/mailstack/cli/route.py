"""`mailstack route`: which way mail for an address would go, and by what of the spec."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailstack.cli.account_facts import Facts, told
from mailstack.cli.explain import Checked, resolver_address, resolver_of
from mailstack.cli.reconciling import (
    faults_reported,
    format_option,
    loaded_spec,
    require_applied,
    storage_of,
    store_to_read,
)
from mailstack.cli.screen import EXIT_ERROR, print_json
from mailstack.cli.warmup_facts import stage_facts, stage_text
from mailstack.cli.way_facts import envelope_address, least_facts, least_lines

if TYPE_CHECKING:
    from mailstack.app.explain.way_out import Received, Sent, WarmingUp
    from mailstack.model.address import Address
    from mailstack.model.source import Source
    from mailstack.model.warm_up import Stage
    from mailstack.ports.resolver import HostResolver
    from mailstack.spec.load import LoadedSpec


@click.command("route", short_help="Show which way mail for an address would go.")
@click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("address")
@click.option("--from", "sender", help="The sender of the envelope, for routes that ask who sends; without it, nobody.")
@click.option(
    "--dns",
    "zone_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="DNS is what this master file says (RFC 1035 §5), and nobody is asked.",
)
@click.option(
    "--resolver", type=Checked("host:port", resolver_address), help="Ask this resolver instead of those of the spec."
)
@click.option("--live", is_flag=True, help="Look at what the server here counted of warm-ups, by its storage.")
@click.option(
    "--mail", "mail_id", type=click.IntRange(min=1), help="A mail of the queue: whose turn a warm-up makes it."
)
@format_option
def command(
    spec: Path,
    address: str,
    sender: str | None,
    zone_file: Path | None,
    resolver: str | None,
    live: bool,
    mail_id: int | None,
    form: str,
) -> None:
    """Show which way mail for ADDRESS would go by SPEC, and by which of its routes: to accounts here, by a relay, or to
    the mail exchangers of its domain, in their order. DNS is asked; nothing is sent, and no server has to run.
    `mailstack tls policy` tells of the TLS on the way to exchangers.

    It tells what the mail leaves from, of server.addresses; where the machine has none of a family, the system chooses.
    Of a route that warms up it tells today's share; without --live that of a provider which nothing was sent to yet.

    \b
    Examples:
      mailstack route mailstack.yaml someone@example.net
      mailstack route mailstack.yaml someone@example.net --from news@example.com
      mailstack route mailstack.yaml someone@example.net --dns example.zone --format json | jq .route
      mailstack route mailstack.yaml someone@example.net --live --mail 71

    Exit status: 0 there is a way; 1 error, or there is none now; 2 the spec has faults.
    """
    if zone_file is not None and resolver is not None:
        raise click.UsageError("--dns and --resolver exclude each other")
    loaded = loaded_spec(spec, form)
    to, by = envelope_address(address), None if sender is None else envelope_address(sender)
    asked = resolver_of(loaded, zone_file, resolver)
    with faults_reported(form):
        found = asyncio.run(_found(loaded, asked, to, by, live=live))
    facts = {"to": to.key, "from": None if by is None else by.key, **_facts(loaded, found, mail_id)}
    if form == "json":
        print_json(facts)
    else:
        for line in _lines(facts):
            click.echo(line)
    if found.refusal:
        raise click.exceptions.Exit(EXIT_ERROR)


async def _found(
    loaded: "LoadedSpec", resolver: "HostResolver", to: "Address", sender: "Address | None", *, live: bool
) -> "Received | Sent":
    from mailstack.app.explain.way_out import way_out
    from mailstack.app.spec_tests.bed import make_bed
    from mailstack.store.memory.warm_days import MemoryWarmDays

    bed, own_host = await make_bed(loaded), loaded.spec.server.hostname
    if not live:
        return await way_out(bed, resolver, MemoryWarmDays(), to, sender=sender, own_host=own_host)
    storage = storage_of(loaded)
    require_applied(storage)
    async with store_to_read(storage) as store:
        warm_days = MemoryWarmDays() if store is None else store.warm_days
        return await way_out(bed, resolver, warm_days, to, sender=sender, own_host=own_host)


def _facts(loaded: "LoadedSpec", found: "Received | Sent", mail_id: int | None) -> Facts:
    from mailstack.app.explain.way_out import Received
    from mailstack.services.outbound.route import Gradual, Relay

    if isinstance(found, Received):
        return {
            "way": "here",
            "accounts": list(found.accounts),
            "lists": list(found.lists),
            "onward": list(found.onward),
            "refusal": found.refusal or None,
        }
    route, relay = None, None
    if found.index is not None:
        route = {"number": found.index + 1, "place": str(loaded.locator.place(("routes", found.index)))}
    via = None if found.route is None else found.route.via
    if isinstance(via, Relay | Gradual):
        at = via if isinstance(via, Relay) else via.meanwhile
        hop = at.hop
        relay = {
            "name": at.name,
            "protocol": hop.protocol.value,
            "host": hop.host,
            "port": hop.port,
            "socket": hop.socket or None,
            "tls": hop.tls.value,
        }
    warm_up = None if found.warming_up is None else _warm_up_facts(found.warming_up, mail_id)
    way = "unknown" if via is None else "relay" if isinstance(via, Relay) else "direct"
    return {
        "way": way if warm_up is None else warm_up.pop("way"),
        "route": route,
        "relay": relay,
        "warm_up": warm_up,
        **least_facts(loaded, found.route, found.index),
        "exchangers": [{"host": each.host, "preference": each.preference} for each in found.exchangers],
        "sources": _source_facts(found.sources),
        "refusal": None if found.refusal is None else str(found.refusal),
    }


def _source_facts(found: "Sequence[Source]") -> list[Facts]:
    """is_here: this machine has the address, wherever the server runs."""
    from mailstack.net.own_address import is_own

    return [{"address": each.address, "ehlo": each.name, "is_here": is_own(each.address)} for each in found]


def _warm_up_facts(found: "WarmingUp", mail_id: int | None) -> Facts:
    from mailstack.app.clock import system_clock

    now = system_clock()
    facts = stage_facts(found.gradual.warm_up, found.days, now=now)
    del facts["days"]
    way = _way_while_warming(found.stage(now), found.provider, mail_id)
    return {"way": way, "provider": found.provider, "mail": mail_id, **facts}


def _way_while_warming(stage: "Stage", provider: str, mail_id: int | None) -> str:
    """share: one or the other, by the mail."""
    from mailstack.model.warm_up import goes_direct

    if mail_id is not None:
        return "direct" if goes_direct(stage, provider, mail_id) else "relay"
    if stage.share >= 1:
        return "direct"
    return "share" if stage.share and stage.has_room else "relay"


def _lines(facts: Facts) -> Iterator[str]:
    by = "" if facts["from"] is None else f" from {told('from', facts['from'])}"
    yield click.style(f"{told('to', facts['to'])}{by}", bold=True)
    if facts["way"] == "here":
        yield "  is received here"
        for key, label in (("accounts", "account"), ("lists", "list"), ("onward", "goes on to")):
            for one in facts[key]:
                yield f"    {label} {told(key, one)}"
    else:
        yield f"  {_route_text(facts)}"
        yield from _way_lines(facts)
    if facts["refusal"] is not None:
        yield f"  nobody to have it: {told('refusal', facts['refusal'])}"


def _route_text(facts: Facts) -> str:
    route = facts["route"]
    if route is not None:
        return f"by route {route['number']} ({told('place', route['place'])})"
    return "it depends on DNS which route it is" if facts["way"] == "unknown" else "by no route of the spec: direct"


def _way_lines(facts: Facts) -> Iterator[str]:
    relay, warm_up = facts["relay"], facts["warm_up"]
    if warm_up is not None:
        yield f"  a warm-up for {told('provider', warm_up['provider'])}: {stage_text(warm_up)}"
        if warm_up["mail"] is not None:
            yield f"  mail {warm_up['mail']} goes {'direct' if facts['way'] == 'direct' else 'by the relay'} today"
    if relay is not None and (warm_up is None or warm_up["share"] < 1):
        place = told("socket", relay["socket"]) if relay["socket"] else f"{told('host', relay['host'])}:{relay['port']}"
        at = f"{relay['protocol']} to {place}, TLS {relay['tls']}"
        yield f"  {'by relay' if warm_up is None else 'the rest by relay'} {told('name', relay['name'])} ({at})"
    yield from least_lines(facts)
    for each in facts["exchangers"]:
        yield f"  {'' if each['preference'] is None else each['preference']:>5} {told('host', each['host'])}"
    for number, each in enumerate(facts["sources"]):
        absent = "" if each["is_here"] else " (not an address of this machine)"
        yield f"  {'or' if number else 'leaves'} from {each['address']} as {told('ehlo', each['ehlo'])}{absent}"
