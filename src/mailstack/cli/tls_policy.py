"""`mailstack tls policy`: which TLS policy mail to a domain would have at each of its exchangers, and why.

What is said of it is cli/tls_policy_facts's. RFC 7672, RFC 8461.
"""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailstack.cli.reconciling import format_option, loaded_spec, storage_of, store_to_read
from mailstack.cli.screen import EXIT_ERROR, fail, print_json
from mailstack.cli.tls_policy_facts import outlook_facts, outlook_lines
from mailstack.cli.way_facts import envelope_address, least_facts
from mailstack.model.errors import Invalid, TryAgainLater

if TYPE_CHECKING:
    from mailstack.model.address import Address
    from mailstack.ports.sts_policies import StsPolicies
    from mailstack.services.outbound.outlook import Outlook
    from mailstack.services.outbound.route import Route
    from mailstack.spec.load import LoadedSpec


@click.command("policy", short_help="Show which TLS mail to a domain would have, and why.")
@click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("domain")
@click.option("--from", "sender", help="The sender of the envelope, for routes that ask who sends; without it, nobody.")
@format_option
def command(spec: Path, domain: str, sender: str | None, form: str) -> None:
    """Show which TLS policy mail to DOMAIN would have at each of its mail exchangers, and why: DANE, MTA-STS, the least
    that the spec asks for, or what TLS there is. For mail that goes straight there; a relay has the TLS of its own.

    DNS is asked as the spec says, and a policy is fetched where a server would fetch it; what the server remembers
    counts. No exchanger is spoken to, and nothing is changed.

    \b
    Examples:
      mailstack tls policy mailstack.yaml example.net
      mailstack tls policy mailstack.yaml example.net --from news@example.com
      mailstack tls policy mailstack.yaml example.net --format json | jq .mta_sts

    Exit status: 0 mail would be sent; 1 error, or no exchanger would be tried now; 2 the spec has faults.
    """
    from mailstack.model.address import domain_key

    loaded = loaded_spec(spec, form)
    try:
        key = domain_key(domain)
    except Invalid as fault:
        fail(f"{domain} is no domain: {fault.detail}")
    if key.startswith("["):
        fail(f"{domain} is an address, and addresses have no policy")
    by = None if sender is None else envelope_address(sender)
    found, route, index = asyncio.run(_found(loaded, key, by))
    least = least_facts(loaded, route, index)
    facts = outlook_facts(found, route, least, is_validating=loaded.spec.dns.validating)
    if form == "json":
        print_json(facts)
    else:
        for line in outlook_lines(facts):
            click.echo(line)
    if not any(host["is_tried"] for host in facts["exchangers"]):
        raise click.exceptions.Exit(EXIT_ERROR)


async def _found(
    loaded: "LoadedSpec", domain: str, sender: "Address | None"
) -> "tuple[Outlook, Route | None, int | None]":
    """The route as mailstack.cli.way_facts wants it."""
    from mailstack.app.clock import system_clock
    from mailstack.app.explain.way_out import route_to
    from mailstack.app.spec_tests.bed import make_bed
    from mailstack.clients.policy_host import HttpsPolicyHost
    from mailstack.clients.smtp.tls import verified_context
    from mailstack.net.resolver import DnsResolver
    from mailstack.services.outbound.outlook import outlook
    from mailstack.services.outbound.sts import StsLookup

    dns = loaded.spec.dns
    resolver = DnsResolver(clock=system_clock, nameservers=dns.resolvers, is_validating=dns.validating)
    lookup = StsLookup(
        resolver=resolver,
        policies=await _remembered(loaded, domain),
        host=HttpsPolicyHost(resolver, tls=verified_context()),
        clock=system_clock,
    )
    found = await outlook(resolver, lookup, domain, own_host=loaded.spec.server.hostname)
    try:
        return found, *(await route_to(await make_bed(loaded), resolver, domain, sender=sender))
    except TryAgainLater:
        return found, None, None


async def _remembered(loaded: "LoadedSpec", domain: str) -> "StsPolicies":
    """Of that domain, as the server has it: what is learned now stays here."""
    from mailstack.mailauth.mtasts import RETRY_MS, expires_at, refresh_at
    from mailstack.model.instant import Instant
    from mailstack.store.memory.sts_policies import MemoryStsPolicies

    remembered = MemoryStsPolicies()
    async with store_to_read(storage_of(loaded)) as store:
        if store is None:
            return remembered
        found = await store.sts_policies.find(domain)
    if found.known is not None:
        known = found.known
        await remembered.keep(known, refresh_at=refresh_at(known), ends_at=expires_at(known))
    if found.failure is not None:
        retry_at = Instant(found.failure.failed_at + RETRY_MS)
        await remembered.failed(domain, found.failure, retry_at=retry_at)
    return remembered
