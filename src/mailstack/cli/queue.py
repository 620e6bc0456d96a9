"""`mailstack queue`: mail that waits to leave, as a person looks through it and decides what becomes of it.

Beside a running server, which hears of it at once; without one, the next that starts goes by it. What is being
attempted just now is left alone: nobody can call back what a peer may have taken already.
"""

import asyncio
import secrets
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import click

from mailstack.cli.account_facts import Facts, show_pairs
from mailstack.cli.lengths import Length
from mailstack.cli.person import name_of_person
from mailstack.cli.place import state_option
from mailstack.cli.queue_facts import (
    Options,
    entries,
    entry_of,
    facts_of,
    filter_of,
    print_entry,
    print_streamed,
    whole_facts,
)
from mailstack.cli.reconciling import format_option, require_applied, storage_named, store_to_read, store_to_write
from mailstack.cli.screen import EXIT_ERROR, counted, fail, print_json

if TYPE_CHECKING:
    from mailstack.app.store_address import StoreAddress
    from mailstack.model.ids import QueueItemId
    from mailstack.ports.store import Store
    from mailstack.services.outbound.by_hand import Hand, Returned

BATCH = 500
OWNER_BYTES = 8
spec_argument = click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))
ids_argument = click.argument("ids", metavar="[ID]...", type=click.IntRange(min=1), nargs=-1)
all_option = click.option(
    "--all", "everything", is_flag=True, help="The whole queue, where no ID and no filter is given."
)
yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask.")
Act = Callable[["Store", Sequence["QueueItemId"]], Awaitable[int]]
FILTERS = (
    click.option("--sender", default="", help='The envelope\'s sender, or a pattern: "*@example.com"; "<>": notices.'),
    click.option("--recipient", default="", help="The recipient, or a pattern."),
    click.option("--domain", default="", help='The recipient\'s domain, or a pattern: "*.example.com".'),
    click.option("--older-than", type=Length(), help="In the queue for longer than: 30m, 12h, 3d."),
    click.option("--trace", "trace_id", default="", help="The trace id that the log and notices name."),
    click.option("--reply", default="", help="Part of the last reply: 4.7.28, 'rate limit'."),
    click.option("--mail", "mail_id", type=click.IntRange(min=1), help="All recipients of one mail, by its number."),
)

status_option = click.option(
    "--status",
    "statuses",
    type=click.Choice(["waiting", "sending", "held"]),
    multiple=True,
    help="What becomes of it now. Can be repeated.",
)


def filter_options(function: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(FILTERS):
        function = option(function)
    return function


@click.group(
    "queue",
    help="""Look after mail that waits to leave. One ID is one recipient of one mail.

\b
Examples:
  mailstack queue list mailstack.yaml --domain example.net --older-than 1h
  mailstack queue show mailstack.yaml 4711
  mailstack queue retry mailstack.yaml --domain example.net
  mailstack queue hold mailstack.yaml --sender "news@*"
  mailstack queue bounce mailstack.yaml --reply "no such user" --yes
""",
    short_help="Look after mail that waits to leave.",
)
def command() -> None:
    pass


@command.command("list", short_help="List what waits, oldest first.")
@spec_argument
@filter_options
@status_option
@click.option("--limit", type=click.IntRange(min=1), help="Not more than so many.")
@state_option
@format_option
def list_queue(spec: Path, state: Path | None, form: str, limit: int | None, **options: Unpack[Options]) -> None:
    """List what waits to leave, oldest first, with the last reply to each; however long the queue is.

    \b
    Examples:
      mailstack queue list mailstack.yaml
      mailstack queue list mailstack.yaml --status held --sender "*@example.com"
      mailstack queue list mailstack.yaml --reply 4.7.28 --format json | jq -r '.[].recipient'
    """
    asyncio.run(_listed(storage_named(spec, form, state), form, limit, options))


@command.command("show", short_help="Show one recipient, and the mail.")
@spec_argument
@click.argument("item_id", metavar="ID", type=click.IntRange(min=1))
@click.option("--content", is_flag=True, help="The mail itself instead, as it will be sent.")
@state_option
@format_option
def show(spec: Path, item_id: int, content: bool, state: Path | None, form: str) -> None:
    """Show one recipient of one mail: when it is tried next, what the last server said, what its sender asked for.

    \b
    Examples:
      mailstack queue show mailstack.yaml 4711
      mailstack queue show mailstack.yaml 4711 --content > mail.eml
    """
    found = asyncio.run(_shown(storage_named(spec, form, state), item_id, content))
    if isinstance(found, bytes):
        click.echo(found, nl=False)
    elif form == "json":
        print_json(found)
    else:
        show_pairs(found)


@command.command("retry", short_help="Try at once what waits.")
@spec_argument
@ids_argument
@filter_options
@all_option
@state_option
@format_option
def retry(spec: Path, state: Path | None, form: str, **options: Unpack[Options]) -> None:
    """Try at once what waits for its next attempt. When it comes back for good stays as it was.

    \b
    Examples:
      mailstack queue retry mailstack.yaml 4711 4712
      mailstack queue retry mailstack.yaml --domain example.net
      mailstack queue retry mailstack.yaml --all
    """
    _put(spec, state, form, options, "to be tried now", was="waiting", becomes="waiting")


@command.command("hold", short_help="Keep in the queue what waits, untried.")
@spec_argument
@ids_argument
@filter_options
@all_option
@state_option
@format_option
def hold(spec: Path, state: Path | None, form: str, **options: Unpack[Options]) -> None:
    """Keep in the queue what waits, until it is released: it is not tried and does not come back.

    \b
    Examples:
      mailstack queue hold mailstack.yaml --sender "news@*"
      mailstack queue hold mailstack.yaml 4711
    """
    _put(spec, state, form, options, "held", was="waiting", becomes="held")


@command.command("release", short_help="Try at once what is held.")
@spec_argument
@ids_argument
@filter_options
@all_option
@state_option
@format_option
def release(spec: Path, state: Path | None, form: str, **options: Unpack[Options]) -> None:
    """Try at once what is held; from then on it waits as other mail does.

    \b
    Examples:
      mailstack queue release mailstack.yaml --sender "news@*"
      mailstack queue release mailstack.yaml --all
    """
    _put(spec, state, form, options, "released", was="held", becomes="waiting")


@command.command("bounce", short_help="Give up what waits, and tell its sender now.")
@spec_argument
@ids_argument
@filter_options
@status_option
@all_option
@yes_option
@state_option
@format_option
def bounce(spec: Path, state: Path | None, form: str, yes: bool, **options: Unpack[Options]) -> None:
    """Give up what waits or is held: its sender has a notice at once, where one may be sent.

    \b
    Examples:
      mailstack queue bounce mailstack.yaml 4711
      mailstack queue bounce mailstack.yaml --domain exmaple.net --yes
    """
    storage, item_ids = _chosen(spec, state, form, options)
    _ask(item_ids, form, "Give up {} and tell the sender?", yes=yes)
    notices = 0

    async def act(store: "Store", batch: Sequence["QueueItemId"]) -> int:
        nonlocal notices
        returned = await _given_back(store, batch)
        notices += returned.notices
        return returned.items

    done = asyncio.run(_acted(storage, item_ids, act))
    _tell(form, options, "given up", {"found": len(item_ids), "done": done, "notices": notices})


@command.command("drop", short_help="Remove what waits, and tell nobody.")
@spec_argument
@ids_argument
@filter_options
@status_option
@all_option
@yes_option
@state_option
@format_option
def drop(spec: Path, state: Path | None, form: str, yes: bool, **options: Unpack[Options]) -> None:
    """Remove what waits or is held. It is gone, and nobody hears of it.

    \b
    Examples:
      mailstack queue drop mailstack.yaml 4711
      mailstack queue drop mailstack.yaml --sender "<>" --older-than 1d --yes
    """
    storage, item_ids = _chosen(spec, state, form, options)
    _ask(item_ids, form, "Remove {} and tell nobody?", yes=yes)

    async def act(store: "Store", batch: Sequence["QueueItemId"]) -> int:
        from mailstack.services.outbound.by_hand import drop

        return await drop(_hand(store), batch)

    done = asyncio.run(_acted(storage, item_ids, act))
    _tell(form, options, "dropped", {"found": len(item_ids), "done": done})


async def _listed(storage: "StoreAddress", form: str, limit: int | None, options: Options) -> None:
    async with store_to_read(storage) as store:
        if store is None:
            print_json([]) if form == "json" else click.echo("nothing was applied yet")
            return
        wanted = filter_of(options, options["statuses"], now=await store.now())
        if form == "json":
            await print_streamed(entries(store, wanted, limit=limit))
            return
        count = 0
        async for entry in entries(store, wanted, limit=limit):
            print_entry(facts_of(entry))
            count += 1
        click.echo(counted(count, "recipient") if count else "none")


async def _shown(storage: "StoreAddress", item_id: int, content: bool) -> Facts | bytes:
    async with store_to_read(storage) as store:
        found = None if store is None else await entry_of(store, item_id)
        if store is None or found is None:
            fail(f"there is no {item_id} in the queue")
        return await store.queue.content(found.item.mail_id) if content else await whole_facts(store, found)


def _put(spec: Path, state: Path | None, form: str, options: Options, done: str, *, was: str, becomes: str) -> None:
    storage, item_ids = _chosen(spec, state, form, options, only=was)

    async def act(store: "Store", batch: Sequence["QueueItemId"]) -> int:
        from mailstack.model.delivery import QueueState

        now = await store.now()
        return len(await store.queue.put(batch, was=QueueState(was), state=QueueState(becomes), now=now))

    changed = asyncio.run(_acted(storage, item_ids, act))
    _tell(form, options, done, {"found": len(item_ids), "done": changed})


def _chosen(
    spec: Path, state: Path | None, form: str, options: Options, *, only: str = ""
) -> "tuple[StoreAddress, Sequence[QueueItemId]]":
    """only: a status that is meant whatever the options say. Ends the command where nothing says what is meant: nobody
    means the whole queue by nothing."""
    given = [name for name, value in options.items() if value]
    if not given:
        raise click.UsageError("say which: an ID, a filter, or --all")
    if "everything" in given and len(given) > 1:
        raise click.UsageError("--all is the whole queue: no ID and no filter goes with it")
    storage = storage_named(spec, form, state)
    require_applied(storage)
    return storage, asyncio.run(_found(storage, options, (only,) if only else options.get("statuses", ())))


async def _found(storage: "StoreAddress", options: Options, statuses: Sequence[str]) -> "Sequence[QueueItemId]":
    async with store_to_read(storage) as store:
        if store is None:
            return ()
        wanted = filter_of(options, statuses, now=await store.now())
        return [entry.item.item_id async for entry in entries(store, wanted)]


async def _acted(storage: "StoreAddress", item_ids: Sequence["QueueItemId"], act: Act) -> int:
    async with store_to_write(storage) as store:
        return sum([await act(store, item_ids[at : at + BATCH]) for at in range(0, len(item_ids), BATCH)])


async def _given_back(store: "Store", item_ids: Sequence["QueueItemId"]) -> "Returned":
    from mailstack.app.blueprint import read_blueprint
    from mailstack.app.mail_work import forwarding_of
    from mailstack.services.outbound.by_hand import HandReporter, give_back

    forwarding = forwarding_of(await read_blueprint(store.state), store.accounts, {})
    reporter = HandReporter(hostname=forwarding.hostname, forwarding=forwarding, token=secrets.token_bytes)
    owner = f"by hand {secrets.token_hex(OWNER_BYTES)}"
    return await give_back(_hand(store), reporter, item_ids, owner=owner)


def _hand(store: "Store") -> "Hand":
    from mailstack.services.outbound.by_hand import Hand

    return Hand(queue=store.queue, notes=store.hand_notes, by=name_of_person(), clock=store.clock)


def _ask(item_ids: Sequence["QueueItemId"], form: str, question: str, *, yes: bool) -> None:
    if yes or not item_ids:
        return
    if form == "json" or not sys.stdin.isatty():
        fail("nobody can be asked here, and nothing was changed; --yes does it without a question")
    click.confirm(question.format(counted(len(item_ids), "recipient")), abort=True, err=True)


def _tell(form: str, options: Options, done: str, facts: Facts) -> None:
    """Exit status 1 where one that was named is left as it was."""
    left = max(len(set(options.get("ids", ()))), facts["found"]) - facts["done"]
    if form == "json":
        print_json(facts)
    else:
        notices = f", {counted(facts['notices'], 'notice')} queued" if "notices" in facts else ""
        click.echo(f"{counted(facts['done'], 'recipient')} {done}{notices}")
    if left:
        why = "not in the queue, not in that state, or being attempted just now"
        click.echo(f"{counted(left, 'recipient')} left as before: {why}", err=True)
    if left and options.get("ids"):
        raise SystemExit(EXIT_ERROR)
