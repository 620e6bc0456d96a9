"""`mailstack apply`: the plan, a question, and then what the plan said."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailstack.cli.reconciling import (
    APPLY,
    faults_reported,
    format_option,
    no_dns_option,
    reconciler_on,
    show_plan,
    storage_of,
    store_to_read,
    store_to_write,
)
from mailstack.cli.remote import Afar, chosen_server, server_options
from mailstack.cli.screen import console, fail, print_json
from mailstack.model.errors import Invalid

if TYPE_CHECKING:
    from mailstack.app.store_address import StoreAddress
    from mailstack.cli.saved_plan import SavedPlan
    from mailstack.ports.store import Store
    from mailstack.reconcile.awaiting import CarriedOut
    from mailstack.reconcile.plan import Plan
    from mailstack.reconcile.prepared import Prepared
    from mailstack.reconcile.progress import Event, Progress
    from mailstack.reconcile.reconciler import Reconciler
    from mailstack.spec.load import LoadedSpec

    ReconcilerOn = Callable[[Store | None], Reconciler]

HELP = """Make the server and its DNS what SPEC says: shows the plan, asks, then carries it out.

The server's own state changes in one transaction, as a new generation, which a running `mailstack serve` takes over;
then DNS is written and read again until it is as planned. What was interrupted is finished by the next apply.
New DKIM keys sign once their records are seen at the zone's own servers: that is waited for, for up to a minute.

In place of SPEC, a plan that `mailstack plan -o` kept may stand: then just that is done, without a question, or
nothing, when the spec, the server or its DNS has moved since.

With --server the plan is made and carried out there, by its API: the spec and the secrets that are here are sent along,
and the spec takes the place of the server's own, of which a copy is kept. What was planned is done, or nothing.

What can hardly be meant is not done until an option says that it is: an account or a domain that holds mail is
destroyed only with --allow-destroy and its name (the mail goes to the storage's trash), the last administrator goes
only with --allow-last-admin, more than 30 % of ten or more accounts, domains, aliases, lists, relays, DNS zones or
record sets only with --allow-many, a DNS value that somebody added to mailstack's records only with --allow-foreign.
The plan shows which of them apply will ask for.

\b
Examples:
  mailstack apply mailstack.yaml
  mailstack apply mailstack.yaml --yes               # in scripts: no question
  mailstack apply mailstack.yaml --yes --format json
  mailstack apply mailstack.yaml --allow-destroy bob@example.com
  mailstack plan mailstack.yaml -o plan.json; mailstack apply plan.json
  mailstack apply mailstack.yaml --yes --server https://mail.example.com

Exit status: 0 applied, or nothing to do; 1 error, or the answer was not yes; 2 the spec has faults.
"""
QUESTION = "Do you want mailstack to do this? Only 'yes' is accepted"
HASHED_EVERY = 500


def _allowed_names(_context: click.Context, _option: click.Parameter, names: tuple[str, ...]) -> tuple[str, ...]:
    from mailstack.reconcile.brake import allowed_name

    try:
        return tuple(map(allowed_name, names))
    except Invalid as fault:
        raise click.BadParameter(fault.detail) from None


@click.command("apply", help=HELP, short_help="Make the server what the spec says.")
@click.argument("spec", metavar="SPEC|PLAN", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--allow-destroy",
    metavar="NAME",
    multiple=True,
    callback=_allowed_names,
    help="An account, or a domain with its accounts, that may go with its mail. Repeatable.",
)
@click.option("--allow-last-admin", is_flag=True, help="No account has to be an administrator afterwards.")
@click.option("--allow-many", is_flag=True, help="More than 30 % of ten or more of a kind may be destroyed.")
@click.option("--allow-foreign", is_flag=True, help="DNS values that somebody added to mailstack's records may go.")
@format_option
@no_dns_option
@server_options
@click.option(
    "--overwrite",
    is_flag=True,
    help="With --server: replace the spec there although somebody edited it there since it was applied.",
)
def command(
    spec: Path,
    yes: bool,
    allow_destroy: tuple[str, ...],
    allow_last_admin: bool,
    allow_many: bool,
    allow_foreign: bool,
    form: str,
    no_dns: bool,
    server: str | None,
    token: str,
    ca: Path | None,
    overwrite: bool,
) -> None:
    from mailstack.cli.saved_plan import read_saved
    from mailstack.reconcile.awaiting import CarriedOut
    from mailstack.reconcile.brake import Allowed, refuse_unknown
    from mailstack.spec.collector import collector_paused
    from mailstack.spec.load import load_spec

    saved = read_saved(spec)
    with faults_reported(form), collector_paused():
        loaded = load_spec(spec if saved is None else Path(saved.spec_path))
        allowed = Allowed(destroy=allow_destroy, last_admin=allow_last_admin, many=allow_many, foreign=allow_foreign)
        declared = {*loaded.spec.accounts, *loaded.spec.domains}
        if (there := chosen_server(server, token, ca)) is not None:
            afar = Afar(there, loaded, no_dns=no_dns, allowed=allowed)
            plan = afar.plan()
            refuse_unknown(allow_destroy, plan, declared)
            _agree(plan, saved, form, yes=yes)
            with shown_progress(form) as progress:
                done = afar.apply(plan, progress, overwrite=overwrite)
            _report(plan, done, form)
            return
        reconciler = partial(reconciler_on, loaded=loaded, no_dns=no_dns, allowed=allowed)
        prepared = asyncio.run(_plan(loaded, reconciler))
    refuse_unknown(allow_destroy, prepared.plan, declared)
    _agree(prepared.plan, saved, form, yes=yes)
    done = CarriedOut(generation=prepared.plan.generation, by_hand=prepared.plan.by_hand, waiting=())
    if not prepared.is_done:
        with shown_progress(form) as progress:
            done = asyncio.run(_apply(loaded, prepared, progress, reconciler))
    _report(prepared.plan, done, form)


def _agree(plan: "Plan", saved: "SavedPlan | None", form: str, *, yes: bool) -> None:
    """Goes on where the plan is what was kept, no brake holds it, and nobody has anything against it."""
    from mailstack.cli.saved_plan import refuse_stale

    if saved is not None:
        refuse_stale(saved, plan)
    if form == "text":
        show_plan(plan, form)
    refuse_stopped(plan, form)
    if saved is None and not yes and not plan.is_empty:
        ask(form)


def refuse_stopped(plan: "Plan", form: str) -> None:
    """Ends the command where a brake holds; a plan that was shown has said which, and the way on."""
    from mailstack.reconcile.brake import refuse

    if plan.stops and form == "text":
        fail("nothing was changed: the plan above says what apply stops at, and how it goes on if that is meant")
    refuse(plan.stops, plan.spec_arguments)


async def _plan(loaded: "LoadedSpec", reconciler: "ReconcilerOn") -> "Prepared":
    async with store_to_read(storage_of(loaded)) as store:
        return await reconciler(store).plan(loaded)


async def _apply(
    loaded: "LoadedSpec", prepared: "Prepared", progress: "Progress", reconciler: "ReconcilerOn"
) -> "CarriedOut":
    from mailstack.app.applied_spec import keep_applied
    from mailstack.reconcile.awaiting import carry_out, order

    storage = storage_of(loaded)
    async with AsyncExitStack() as held_turn:
        await held_turn.enter_async_context(turn(storage))
        async with store_to_write(storage) as store:
            made = reconciler(store)
            try:
                done = await carry_out(made, loaded, prepared, progress)
            finally:
                # Also where DNS failed on the way: it is what the state holds.
                if (await store.state.summary()).spec_hash == loaded.digest:
                    keep_applied(storage.folder, loaded)
            await held_turn.aclose()  # an authority takes minutes, and others may have something urgent
            return replace(done, generation=await order(made, loaded, prepared, progress))


def ask(form: str) -> None:
    if form == "json" or not sys.stdin.isatty():
        fail("nobody can be asked here, and nothing was changed; --yes applies without a question")
    if click.prompt(QUESTION, default="", show_default=False).strip() != "yes":
        fail("not applied: the answer was not 'yes'")


@asynccontextmanager
async def turn(storage: "StoreAddress") -> AsyncIterator[None]:
    """Another apply may be at work, `mailstack serve`'s own too; what was planned is refused if it changed anything."""
    from mailstack.app.turn import apply_turn

    async with apply_turn(storage, APPLY, on_wait=lambda who: click.echo(f"waiting for {who}", err=True)):
        yield


@contextmanager
def shown_progress(form: str) -> Iterator["Progress"]:
    """A bar on a terminal, one line a step elsewhere, nothing beside JSON."""
    from mailstack.reconcile.progress import unseen

    if form == "json":
        yield unseen
    elif not sys.stdout.isatty():
        yield _print_line
    else:
        with _bar() as progress:
            yield progress


@contextmanager
def _bar() -> Iterator["Progress"]:
    from rich.progress import Progress as Bar

    from mailstack.reconcile.progress import PasswordHashed
    from mailstack.reconcile.progress_told import told

    with Bar(console=console(), transient=True) as bar:
        hashing = bar.add_task("hashing passwords", visible=False)

        def show(event: "Event") -> None:
            if isinstance(event, PasswordHashed):
                bar.update(hashing, visible=True, completed=event.done, total=event.total)
            else:
                bar.console.print(told(event), markup=False)

        yield show


def _print_line(event: "Event") -> None:
    from mailstack.reconcile.progress import PasswordHashed
    from mailstack.reconcile.progress_told import told

    if not isinstance(event, PasswordHashed) or event.done % HASHED_EVERY == 0 or event.done == event.total:
        click.echo(told(event))


def _report(plan: "Plan", done: "CarriedOut", form: str) -> None:
    from mailstack.model.resource import Operation
    from mailstack.reconcile.plan import by_hand_document, document
    from mailstack.reconcile.render import render_by_hand

    if form == "json":
        by_hand = by_hand_document(done.by_hand)
        found = {"generation": int(done.generation), "plan": document(plan), "by_hand": by_hand}
        print_json({**found, "waiting_for_dns": list(done.waiting)})
    elif not plan.is_empty:
        if plan.is_by_hand_unknown:
            click.echo(f"\n{render_by_hand(done.by_hand, colour=sys.stdout.isatty())}")
        moved = plan.count(Operation.MOVE)
        counts = [
            f"{plan.count(Operation.CREATE)} created",
            f"{plan.count(Operation.UPDATE)} changed",
            *([f"{moved} moved"] if moved else []),
            f"{plan.count(Operation.DESTROY)} destroyed",
        ]
        click.echo(f"Applied: {', '.join(counts)}. Generation {done.generation}.")
        if done.waiting:
            click.echo(_told_waiting(done.waiting))


def _told_waiting(names: "tuple[str, ...]") -> str:
    from mailstack.reconcile.safety import named

    them = "its record is" if len(names) == 1 else "their records are"
    return (
        f"Nothing is signed with {named('dkim_key', names)} before {them} seen in DNS."
        " `mailstack serve` looks again by itself; without it, apply again."
    )
