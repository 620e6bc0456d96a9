"""`mailstack tls`: the certificates, how long each is good for and what comes next, and an order that is tried now.

What is said of them is cli/certificate_facts's. RFC 8555.
"""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailstack.cli.account_facts import Facts, show_table
from mailstack.cli.apply import shown_progress, turn
from mailstack.cli.certificate_facts import certificate_facts
from mailstack.cli.reconciling import (
    faults_reported,
    format_option,
    loaded_spec,
    reconciler_on,
    require_applied,
    storage_of,
    store_to_read,
    store_to_write,
)
from mailstack.cli.screen import EXIT_ERROR, fail, print_json
from mailstack.cli.tls_policy import command as policy

if TYPE_CHECKING:
    from mailstack.app.store_address import StoreAddress
    from mailstack.ports.store import Store
    from mailstack.reconcile.progress import Event, Progress
    from mailstack.reconcile.reconciler import Reconciler
    from mailstack.spec.load import LoadedSpec

COLUMNS = ("name", "issuer", "days_left", "not_after", "renew_at", "retry_at", "trouble")
spec_argument = click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))


@click.group(
    "tls",
    help="""Look after certificates: where they come from, and for which names, is the spec's to say. And see which TLS
mail to others would have.

\b
Examples:
  mailstack tls list mailstack.yaml
  mailstack tls renew mailstack.yaml
  mailstack tls renew mailstack.yaml mail.example.com --force
  mailstack tls policy mailstack.yaml example.net
""",
    short_help="Look after TLS: list, renew, policy.",
)
def command() -> None:
    pass


command.add_command(policy)


@command.command("list", short_help="List the certificates, and what comes next of each.")
@spec_argument
@format_option
def list_certificates(spec: Path, form: str) -> None:
    """List the certificates that the server has: from whom, how long they are good for, when each is renewed, and what
    went wrong where one could not be ordered, with the time of the next try.

    \b
    Examples:
      mailstack tls list mailstack.yaml
      mailstack tls list mailstack.yaml --format json | jq -r '.[] | select(.failure).name'
    """
    storage = storage_of(loaded_spec(spec, form))
    require_applied(storage)
    found = asyncio.run(_listed(storage))
    if form == "json":
        print_json(found)
    else:
        show_table("Certificates", COLUMNS, [_row(one) for one in found])


@command.command("renew", short_help="Try an order now.")
@spec_argument
@click.argument("name", required=False, default="")
@click.option("--force", is_flag=True, help="Order NAME anew though it is good for long: its key is kept.")
@format_option
def renew(spec: Path, name: str, force: bool, form: str) -> None:
    """Order certificate NAME from its authority now, without the wait that follows on a failed try; without NAME, all
    that could not be ordered. Mend what was wrong first: authorities count tries.

    The spec must be the one that was applied last. Proofs by http-01 and tls-alpn-01 are shown by a running
    `mailstack serve`; where none runs, it orders as soon as it does.

    \b
    Examples:
      mailstack tls renew mailstack.yaml
      mailstack tls renew mailstack.yaml mta-sts.example.com
      mailstack tls renew mailstack.yaml mail.example.com --force --format json

    Exit status: 0 issued, or nothing to order; 1 error, or one was not issued; 2 the spec has faults.
    """
    loaded = loaded_spec(spec, form)
    require_applied(storage_of(loaded))
    if loaded.spec.tls.issuer != "acme":
        fail(f"tls.issuer is {loaded.spec.tls.issuer}: there is nobody to order from")
    if force and not name:
        fail("--force takes the NAME of one certificate")
    with faults_reported(form), shown_progress(form) as progress:
        told = asyncio.run(_renewed(loaded, name.lower(), progress, is_forced=force))
    if form == "json":
        print_json(told)
    elif not told:
        click.echo("Nothing to order: no certificate failed lately.")
    for one in told if form == "text" else ():
        if one["state"] == LEFT:
            click.echo(f"certificate {one['name']}: mailstack serve orders it when it runs")
    if any(one["state"] == FAILED for one in told):
        raise click.exceptions.Exit(EXIT_ERROR)


ISSUED, FAILED, ELSEWHERE, LEFT = "issued", "failed", "ordered elsewhere", "left to serve"


async def _listed(storage: "StoreAddress") -> list[Facts]:
    from mailstack.app.clock import system_clock

    async with store_to_read(storage) as store:
        return [] if store is None else await certificate_facts(store, system_clock())


def _row(one: Facts) -> Facts:
    failure = one["failure"]
    trouble = {"retry_at": None, "trouble": None}
    if isinstance(failure, dict):
        trouble = {"retry_at": failure["retry_at"], "trouble": failure["reason"]}
    return {**one, **trouble}


async def _renewed(
    loaded: "LoadedSpec", name: str, progress: "Progress", *, is_forced: bool
) -> list[dict[str, object]]:
    from mailstack.reconcile.awaiting import order

    storage = storage_of(loaded)
    async with store_to_write(storage) as store:
        async with turn(storage):
            names = await _asked(store, loaded, name, is_forced=is_forced)
        told: dict[str, dict[str, object]] = {one: {"name": one, "state": LEFT} for one in names}

        def heard(event: "Event") -> None:
            _note(event, told)
            progress(event)

        reconciler = _for_orders(reconciler_on(store, loaded, no_dns=False), loaded)
        prepared = await reconciler.plan(loaded) if names else None
        if prepared is not None:
            await order(reconciler, loaded, prepared, heard, names)
        return list(told.values())


async def _asked(store: "Store", loaded: "LoadedSpec", name: str, *, is_forced: bool) -> tuple[str, ...]:
    from mailstack.app.clock import system_clock
    from mailstack.reconcile.providers.asked_renewal import ask_renewal

    if (await store.state.summary()).spec_hash != loaded.digest:
        fail(f"{loaded.path} is not the spec that was applied last; `mailstack apply` orders what it asks for")
    return await ask_renewal(store.state, store.issuance, name, is_forced=is_forced, now=system_clock())


def _for_orders(reconciler: "Reconciler", loaded: "LoadedSpec") -> "Reconciler":
    """Neither passwords nor a DNS provider that is down are in the way of an order that needs none."""
    from mailstack.reconcile.dns.targets import NoDns

    kept = replace(reconciler, keeps_secrets=True)
    return kept if loaded.spec.tls.acme.challenge == "dns-01" else replace(kept, dns=NoDns(may_order=True))


def _note(event: "Event", told: dict[str, dict[str, object]]) -> None:
    from mailstack.model.instant import iso
    from mailstack.reconcile import progress

    match event:
        case progress.CertificateIssued(name=name, not_after=not_after):
            told[name] = {"name": name, "state": ISSUED, "not_after": not_after}
        case progress.CertificateNotIssued(name=name, reason=reason, retry_at=retry_at):
            told[name] = {"name": name, "state": FAILED, "reason": reason, "retry_at": iso(retry_at)}
        case progress.OrderElsewhere(name=name):
            told[name] = {"name": name, "state": ELSEWHERE}
        case _:
            pass
