"""`mailstack status`: what is applied, what waits in the queue, and whether a server runs on it.

A spec that cannot be used must not hide what runs: then its storage is looked for in its text.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailstack.cli.reconciling import format_option, storage_of, store_to_read
from mailstack.cli.remote import chosen_server, server_options, state_of
from mailstack.cli.screen import EXIT_FAULTS, console, counted, print_json

if TYPE_CHECKING:
    from mailstack.app.store_address import StoreAddress
    from mailstack.cli.remote import Server
    from mailstack.spec.faults import SpecInvalid

HELP = """Show what is applied of SPEC, what waits in the queue, and what is running.

With a spec that has faults it shows them, and all the same what runs in the storage that the spec names.

\b
Examples:
  mailstack status mailstack.yaml
  mailstack status mailstack.yaml --format json | jq .queue
  mailstack status mailstack.yaml --server https://mail.example.com

Exit status: 0 shown, 1 error, 2 shown, and the spec has faults.
"""
NOUNS = {
    "acme_account": "ACME account",
    "dkim_key": "DKIM key",
    "dmarc": "DMARC stage",
    "routes": "list of routes",
    "dns_zone": "DNS zone",
}
"""Of kinds of resources whose own word is not what people say."""
NOTHING_APPLIED: Mapping[str, object] = {
    "generation": 0,
    "applied_at": None,
    "spec": "not applied",
    "resources": {},
    "certificates": [],
    "queue": {},
}


@click.command("status", help=HELP, short_help="Show what is applied and running.")
@click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))
@format_option
@server_options
@click.pass_context
def command(context: click.Context, spec: Path, form: str, server: str | None, token: str, ca: Path | None) -> None:
    from mailstack.spec.faults import SpecInvalid
    from mailstack.spec.load import load_spec

    invalid: SpecInvalid | None = None
    there = chosen_server(server, token, ca)
    try:
        loaded = load_spec(spec)
        if there is None:
            found = asyncio.run(_status(storage_of(loaded), loaded.digest))
        else:
            found = _afar(there, loaded.digest)
    except SpecInvalid as fault:
        invalid = fault
        found = _afar(there, "") if there is not None else asyncio.run(_status(_storage_in(spec), ""))
        found |= {"spec": "has faults", "faults": list(invalid.lines())}
    if form == "json":
        print_json(found)
    else:
        _show(found, invalid)
    if invalid is not None:
        context.exit(EXIT_FAULTS)


def _storage_in(spec: Path) -> "StoreAddress":
    """Of a spec with faults: its folder alone where it names a database and does not say which."""
    from mailstack.app.store_address import StoreAddress
    from mailstack.app.whereabouts import find_storage

    found = find_storage(spec)
    return found.storage or StoreAddress(folder=found.folder)


async def _status(storage: "StoreAddress", digest: str) -> dict[str, object]:
    """digest: of the spec as it is now."""
    from mailstack.app.clock import system_clock
    from mailstack.app.runfiles import read_status
    from mailstack.cli.certificate_facts import certificate_facts
    from mailstack.model.instant import iso
    from mailstack.servers.api.documents import TOP_DOMAINS, queue_document

    found: dict[str, object] = {"storage": str(storage), "running": read_status(storage.folder)}
    async with store_to_read(storage) as store:
        if store is None:
            return {**found, **NOTHING_APPLIED}
        summary = await store.state.summary()
        queue = await store.queue.figures(now=await store.now(), domains=TOP_DOMAINS)
        certificates = await certificate_facts(store, system_clock())
    return {
        **found,
        "generation": int(summary.generation),
        "applied_at": None if summary.applied_at is None else iso(summary.applied_at),
        "spec": _compared(summary.spec_hash, digest),
        "resources": {kind.value: count for kind, count in summary.counts.items()},
        "certificates": certificates,
        "queue": queue_document(queue),
    }


def _afar(server: "Server", digest: str) -> dict[str, object]:
    """As _status has it; the storage is the server's own affair."""
    state = dict(state_of(server))
    names = ("running", "generation", "applied_at", "resources", "certificates", "queue")
    told = {name: state.get(name) for name in names}
    return {"storage": server.url, **told, "spec": _compared(str(state.get("spec_hash")), digest)}


def _compared(applied: str, digest: str) -> str:
    return "as applied" if applied == digest else "changed since the last apply"


def _show(found: Mapping[str, object], invalid: "SpecInvalid | None") -> None:
    from rich.table import Table
    from rich.text import Text

    from mailstack.cli.certificate_facts import certificate_lines
    from mailstack.cli.queue_facts import queue_lines

    rows = [(name, _told(name, found)) for name in ("running", "storage", "generation", "applied_at", "spec")]
    rows += [("upkeep", text) for text in _upkeep(found["running"])]
    rows += [("drift", text) for text in _drift(found["running"])]
    rows += [("leaves from", text) for text in _sources(found["running"])]
    rows += [("resources", _told("resources", found))]
    rows += [("certificate", text) for text in certificate_lines(found["certificates"])]
    rows += [("queue", text) for text in queue_lines(found["queue"])]
    rows += [("slowed", text) for text in _slowed(found["running"])]
    rows[1:1] = [("last_reload", text) for text in _reload(found["running"])]
    table = Table.grid(padding=(0, 2))
    for name, text in rows:
        table.add_row(Text(name.replace("_", " "), style="bold"), Text(text))
    console().print(table)
    for line in invalid.lines() if invalid is not None else ():
        click.echo(line, err=True)


def _reload(running: object) -> list[str]:
    """Nothing when the server was never asked to change, or does not run."""
    last = running.get("reload") if isinstance(running, Mapping) else None
    if not isinstance(last, Mapping):
        return []
    return [f"{last.get('at')}, {'done' if last.get('ok') else 'refused: ' + str(last.get('message'))}"]


def _upkeep(running: object) -> list[str]:
    """When the server looks by itself at what keys and records need; nothing when it has not said yet."""
    found = running.get("upkeep") if isinstance(running, Mapping) else None
    if not isinstance(found, Mapping):
        return []
    following = f"next at {found.get('next_at')}" if found.get("next_at") else "nothing is due"
    why = found.get("message")
    if why and [f": {why}"] == [text[-len(f": {why}") :] for text in _reload(running)]:
        return [f"{following}; undone, as the last reload"]
    return [f"{following}; undone: {why}" if why else following]


def _drift(running: object) -> list[str]:
    """What was not as it was applied when the server looked last and found something."""
    last = running.get("drift") if isinstance(running, Mapping) else None
    if not isinstance(last, Mapping) or not isinstance(last.get("found"), list):
        return []
    return [f"{last.get('at')}, {last.get('count')} not as applied: {', '.join(map(str, last['found']))}"]


def _slowed(running: object) -> list[str]:
    """Destinations that complained or closed, and get fewer connections for it."""
    from mailstack.cli.account_facts import told

    found = running.get("slowed") if isinstance(running, Mapping) else None
    lines = []
    for each in found if isinstance(found, list) else ():
        alone = f", left alone until {each['until']}" if each["until"] else ""
        connections = f"{each['connections']} of {counted(each['most'], 'connection')}{alone}"
        lines.append(f"{told('destination', each['destination'])}: {connections}: {told('reply', each['why'])}")
    return lines


def _sources(running: object) -> list[str]:
    """What mail leaves from, as it was when the server started or was changed last."""
    found = running.get("sources") if isinstance(running, Mapping) else None
    return [
        f"{each.get('address')} as {each.get('ehlo')}" + ("" if each.get("is_here") else " (not on its machine)")
        for each in (found if isinstance(found, list) else ())
    ]


def _told(name: str, found: Mapping[str, object]) -> str:
    value = found[name]
    if isinstance(value, Mapping) and name == "running":
        return f"process {value.get('pid')}, generation {value.get('generation')}, since {value.get('started_at')}"
    if isinstance(value, Mapping) and name == "resources":
        return ", ".join(counted(count, NOUNS.get(str(kind), str(kind))) for kind, count in value.items()) or "none"
    if value is None:
        return f"no (no server on this machine has {found['storage']})" if name == "running" else "never"
    return str(value)
