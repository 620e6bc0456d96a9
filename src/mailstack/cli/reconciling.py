"""What plan, apply and status share: the store that a spec names, a reconciler on it, and a plan on the screen."""

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailstack.cli.screen import EXIT_FAULTS, fail, print_json, report_faults
from mailstack.model.errors import NotFound

if TYPE_CHECKING:
    from mailstack.app.store_address import StoreAddress
    from mailstack.ports.store import Store
    from mailstack.reconcile.brake import Allowed
    from mailstack.reconcile.dns.live import LiveDns
    from mailstack.reconcile.plan import Plan
    from mailstack.reconcile.reconciler import Reconciler
    from mailstack.spec.load import LoadedSpec

APPLY = "mailstack apply"
no_dns_option = click.option("--no-dns", is_flag=True, help="Leave DNS out: neither read nor write any zone.")
format_option = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="text: for people; json: for programs.",
)


@contextmanager
def faults_reported(form: str, *, code: int = EXIT_FAULTS) -> Iterator[None]:
    """Of the file itself, and of what it refers to: missing secrets, unusable certificates and providers."""
    from mailstack.spec.faults import SpecInvalid

    try:
        yield
    except SpecInvalid as invalid:
        report_faults(invalid, form == "json", code=code)


def storage_of(loaded: "LoadedSpec") -> "StoreAddress":
    """Raises Invalid where a secret of it is missing."""
    from mailstack.app.store_named import address_in

    return address_in(loaded)


def sandbox_at(state: Path) -> "StoreAddress":
    """Raises Invalid where a secret of it is missing."""
    from mailstack.app.sandbox import sandbox_storage

    return sandbox_storage(state.absolute())


def loaded_spec(spec: Path, form: str) -> "LoadedSpec":
    """Where it has faults, they end the command."""
    from mailstack.spec.load import load_spec

    with faults_reported(form):
        return load_spec(spec)


def storage_named(spec: Path, form: str, state: Path | None = None) -> "StoreAddress":
    """Of a spec that is valid; otherwise its faults end the command. state: a sandbox's folder, which comes first."""
    loaded = loaded_spec(spec, form)
    return storage_of(loaded) if state is None else sandbox_at(state)


def require_applied(storage: "StoreAddress") -> None:
    """Ends the command where no apply has made a store."""
    from mailstack.app.stores import is_made

    if not is_made(storage):
        fail(f"{storage}: nothing was applied yet; `mailstack apply` does it")


@asynccontextmanager
async def store_to_write(storage: "StoreAddress") -> AsyncIterator["Store"]:
    """It is made where there is none. A server that runs beside it hears at once what was written."""
    from mailstack.app.log import configure_log
    from mailstack.app.runfiles import run_folder
    from mailstack.app.shared_clock import open_store_in_step
    from mailstack.app.stores import open_bus

    configure_log("auto", "warning")
    run_folder(storage.folder).mkdir(parents=True, exist_ok=True, mode=0o750)
    bus = open_bus(storage)
    store = await open_store_in_step(storage, bus=bus)
    try:
        await bus.start()
        yield store
    finally:
        await bus.close()
        await store.close()


@asynccontextmanager
async def store_to_read(storage: "StoreAddress") -> AsyncIterator["Store | None"]:
    """None where nothing was applied yet; nothing is created."""
    from mailstack.app.clock import system_clock
    from mailstack.app.log import configure_log  # before the store, for it keeps structlog from loading rich
    from mailstack.app.silence import Silence
    from mailstack.app.stores import open_store

    # Standard output is the plan's, and may be JSON.
    configure_log("auto", "warning")
    try:
        store = await open_store(storage, clock=system_clock, bus=Silence(), read_only=True)
    except NotFound:
        yield None
        return
    try:
        yield store
    finally:
        await store.close()


def reconciler_on(
    store: "Store | None", loaded: "LoadedSpec", *, no_dns: bool, allowed: "Allowed | None" = None
) -> "Reconciler":
    from mailstack.app.clock import system_clock
    from mailstack.app.holdings import holders_in
    from mailstack.app.issuing import issuing_with
    from mailstack.app.received import as_far_as_received
    from mailstack.app.runfiles import running_pid
    from mailstack.reconcile.brake import NOTHING_ALLOWED, Brake
    from mailstack.reconcile.dns.targets import FromSpec, NoDns
    from mailstack.reconcile.reconciler import Reconciler

    storage = storage_of(loaded)
    has_server = running_pid(storage.folder) is not None
    made = Reconciler(
        state=store.state if store else None,
        clock=store.clock if store else system_clock,
        hash_password=_hash_password,
        brake=Brake(holders=holders_in(storage), allowed=allowed or NOTHING_ALLOWED),
        dns=NoDns() if no_dns else FromSpec(),
        live_dns=_live_dns(loaded, no_dns=no_dns),
        issuing=issuing_with(store, storage, loaded.spec, who=APPLY, has_server=has_server) if store else None,
    )
    return as_far_as_received(made, storage.folder, loaded)


def _live_dns(loaded: "LoadedSpec", *, no_dns: bool) -> "LiveDns":
    if no_dns:
        from mailstack.reconcile.dns.live import NotAsked

        return NotAsked()
    from mailstack.reconcile.dns.authoritative import authoritative_dns

    return authoritative_dns(loaded.spec)


def show_plan(plan: "Plan", form: str, *, all_records: bool = False) -> None:
    from mailstack.reconcile.markdown import render_markdown
    from mailstack.reconcile.plan import document
    from mailstack.reconcile.render import render

    if form == "json":
        print_json(document(plan))
    elif form == "markdown":
        click.echo(render_markdown(plan), nl=False)
    else:
        click.echo(render(plan, colour=sys.stdout.isatty(), all_records=all_records), nl=False)


def _hash_password(plain: str) -> str:
    from mailstack.services.identity.passwords import HashCost, hash_password

    return hash_password(plain, cost=HashCost.NORMAL)
