"""`mailstack adopt`: what exists already comes under the spec: accounts into the file, DNS records under our mark."""

import asyncio
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailstack.cli.reconciling import loaded_spec, reconciler_on, require_applied, storage_of, store_to_write
from mailstack.cli.screen import counted, fail

if TYPE_CHECKING:
    from mailstack.ports.store import Store
    from mailstack.reconcile.adoption import Adoption
    from mailstack.reconcile.dns.adoption import Chosen
    from mailstack.spec.load import LoadedSpec

HELP = """Bring under SPEC what exists without it.

Accounts, aliases and lists that the server has and SPEC does not (it was lost, or restored from an old copy) are
written into it, with the domains that they need: every other line of the file stays as it was. Their passwords go into
files of their own beside SPEC, which only you may read. A plan is empty afterwards.

With --dns, a record set that somebody else made is taken over: a mark is written beside it, and the next plan may
change it to what SPEC asks for. A server that lost its state finds its own records marked by somebody else: --dns-owner
takes all of them over at once; the plan's warnings and `dig TXT _mailstack-owner.mx.DOMAIN` name the owner.

\b
Examples:
  mailstack adopt mailstack.yaml
  mailstack adopt mailstack.yaml bob@example.com
  mailstack adopt mailstack.yaml --out accounts/found.yaml
  mailstack adopt mailstack.yaml --dns example.com example.com MX
  mailstack adopt mailstack.yaml --dns-owner 8f3a90c2d41e77b5 --yes
  mailstack adopt mailstack.yaml --dns-wanted        # all that is there as SPEC wants it

Exit status: 0 adopted, or nothing to adopt; 1 error, or the answer was not yes; 2 the spec has faults.
"""
TAKE_OVER = "put the new lines into it where it is kept: an apply from there that lacks them is refused"
QUESTION = "Do you want mailstack to take these over? Only 'yes' is accepted"


@click.command("adopt", help=HELP, short_help="Bring under the spec what exists without it.")
@click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("addresses", metavar="[ADDRESS]...", nargs=-1)
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="A new file for the entries, instead of SPEC itself."
)
@click.option("--dns", "records", metavar="ZONE NAME TYPE", nargs=3, multiple=True, help="This record set. Repeatable.")
@click.option("--dns-owner", metavar="ID", default="", help="All record sets that are marked with this owner.")
@click.option("--dns-wanted", is_flag=True, help="All record sets that are as SPEC wants them already.")
@click.option("--yes", is_flag=True, help="Do not ask before DNS records are taken over.")
def command(
    spec: Path,
    addresses: tuple[str, ...],
    out: Path | None,
    records: tuple[tuple[str, str, str], ...],
    dns_owner: str,
    dns_wanted: bool,
    yes: bool,
) -> None:
    from mailstack.reconcile.dns.adoption import Chosen

    loaded = loaded_spec(spec, "text")
    require_applied(storage_of(loaded))
    if not (records or dns_owner or dns_wanted):
        _adopt_accounts(loaded, addresses, out)
        return
    if addresses or out:
        fail("accounts and DNS records are adopted one after the other")
    _require_zones(loaded, [zone.lower().rstrip(".") for zone, _, _ in records])
    keys = tuple((_full(name, zone), kind.upper()) for zone, name, kind in records)
    asyncio.run(_adopt_records(loaded, Chosen(keys=keys, owner=dns_owner, as_wanted=dns_wanted), yes=yes))


def _require_zones(loaded: "LoadedSpec", asked: Iterable[str]) -> None:
    from mailstack.spec.sections.domains import MANUAL_PROVIDER

    known = sorted(name for name, zone in loaded.spec.dns.zones.items() if zone.provider != MANUAL_PROVIDER)
    for zone in asked:
        if zone not in known:
            fail(f"{zone} is no zone that the spec has a provider for (it has one for: {', '.join(known) or 'none'})")


def _full(name: str, zone: str) -> str:
    """`@`, `www` and `www.example.com` are all said of names in a zone."""
    name, zone = name.lower().rstrip("."), zone.lower().rstrip(".")
    if name == "@":
        return zone
    return name if name == zone or name.endswith(f".{zone}") else f"{name}.{zone}"


def _adopt_accounts(loaded: "LoadedSpec", addresses: tuple[str, ...], out: Path | None) -> None:
    from mailstack.spec.insertion import sections_text

    adoption = asyncio.run(_take_accounts(loaded, addresses, out))
    if not adoption.names:
        click.echo("Nothing to adopt: the spec has all that the server has.")
        return
    click.echo(sections_text(adoption.sections), nl=False)
    click.echo(f"\n{click.style('adopted', fg='green')} into {out or loaded.path}")


async def _take_accounts(loaded: "LoadedSpec", addresses: tuple[str, ...], out: Path | None) -> "Adoption":
    from mailstack.reconcile.adoption import adoption_of

    async with store_to_write(storage_of(loaded)) as store:
        snapshot = await store.state.snapshot()
        adoption = adoption_of(loaded.spec, snapshot, _keys(addresses))
        unknown = set(_keys(addresses)).difference(adoption.names)
        if unknown:
            names = ", ".join(sorted(unknown))
            fail(f"{names}: the server has no such account, alias or list, or the spec has it already")
        if adoption.names:
            text = _new_text(loaded, adoption, out)
            with _scripts_written(loaded.directory, adoption), _drafted(loaded, out or loaded.path, text):
                hashes = await _hashes(store, adoption)
                _write_secrets(loaded.directory, hashes)
                await _remember(store, adoption, hashes)
        return adoption


def _keys(addresses: tuple[str, ...]) -> tuple[str, ...]:
    from mailstack.model.address import parse_address

    return tuple(parse_address(address).key for address in addresses)


def _new_text(loaded: "LoadedSpec", adoption: "Adoption", out: Path | None) -> str:
    from mailstack.model.errors import Unsupported
    from mailstack.spec.alteration import with_entries
    from mailstack.spec.insertion import sections_text

    if out is not None:
        if out.exists():
            fail(f"{out} is there already; name a new file")
        return sections_text(adoption.sections)
    # Line ends as they are: what is not new stays as it was to the last character.
    try:
        return with_entries(loaded.path.read_bytes().decode("utf-8"), adoption.sections, str(loaded.path))
    except Unsupported as fault:
        fail(f"{loaded.path}: {fault.detail}; --out FILE writes the entries to a file of their own")


async def _hashes(store: "Store", adoption: "Adoption") -> dict[str, str]:
    """By login; "" has no place in a file, and no account with a password has it."""
    from mailstack.model.resource import Kind

    held = await store.state.secrets(Kind.ACCOUNT)
    return {item.name: held[item.name]["password"] for item in adoption.with_password}


@contextmanager
def _scripts_written(directory: Path, adoption: "Adoption") -> Iterator[None]:
    """Before the spec that names them is looked at; gone again where nothing comes of it. What is there stays."""
    from mailstack.model.resource import ScriptBody, body_of
    from mailstack.reconcile.adoption import script_file

    contents = {directory / script_file(item.name): body_of(ScriptBody, item).content for item in adoption.scripts}
    for path, content in contents.items():
        if path.exists() and path.read_bytes() != content.encode():
            fail(f"{path} is there already, and holds something else; move it away")
    written = [path for path in contents if not path.exists()]
    for path in written:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(contents[path].encode())
    try:
        yield
    except BaseException:  # whatever it was: nothing is left open, and it goes on
        for path in written:
            path.unlink(missing_ok=True)
        raise


def _write_secrets(directory: Path, hashes: Mapping[str, str]) -> None:
    from mailstack.reconcile.adoption import password_file

    for login, hashed in hashes.items():
        path = directory / password_file(login)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.unlink(missing_ok=True)  # one of an account of the same name, long gone
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{hashed}\n")


async def _remember(store: "Store", adoption: "Adoption", hashes: Mapping[str, str]) -> None:
    """The files that the spec now names are what was applied: nothing has changed."""
    from dataclasses import replace

    from mailstack.model.resource import Operation, ResourceChange
    from mailstack.reconcile.adoption import as_file
    from mailstack.reconcile.wanted import keyed_digest

    digest = keyed_digest(await store.state.digest_key())
    snapshot = await store.state.snapshot(())
    changes = [
        ResourceChange(
            operation=Operation.UPDATE,
            resource=replace(item, digests={"password": digest(item.kind, item.name, "password", hashes[item.name])}),
        )
        for item in adoption.with_password
    ]
    changes += [ResourceChange(operation=Operation.UPDATE, resource=as_file(item)) for item in adoption.scripts]
    if changes:
        await store.state.commit(changes, base=snapshot.generation, spec_hash=snapshot.spec_hash)


@contextmanager
def _drafted(loaded: "LoadedSpec", target: Path, text: str) -> Iterator[None]:
    """Beside the file, and in its place once all else is done; not if a spec with these entries has faults."""
    from mailstack.app.received import amend

    path = target.resolve()  # a link stays one
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(text.encode("utf-8"))
        draft.chmod(path.stat().st_mode & 0o7777 if path.exists() else 0o640)
        if target == loaded.path:
            loaded_spec(draft, "text")
        yield
        is_from_afar = target == loaded.path and amend(storage_of(loaded).folder, path.read_bytes(), draft.read_bytes())
        draft.replace(path)
        if is_from_afar:
            click.echo(f"{click.style('note:', bold=True)} {target} came by the API; {TAKE_OVER}")
    finally:
        draft.unlink(missing_ok=True)
    if path not in {file.resolve() for file in loaded_spec(loaded.path, "text").files}:
        click.echo(f"{click.style('note:', bold=True)} {target} is no part of the spec until {loaded.path} includes it")


async def _adopt_records(loaded: "LoadedSpec", chosen: "Chosen", *, yes: bool) -> None:
    from mailstack.reconcile.dns.publish import write_adoption
    from mailstack.reconcile.render import printable

    async with store_to_write(storage_of(loaded)) as store:
        planned = await reconciler_on(store, loaded, no_dns=False).adoptable(loaded, chosen)
        for warning in (warning for _, plan in planned for warning in plan.warnings):
            click.echo(f"{click.style('Warning:', fg='yellow')} {printable(f'{warning.subject}: {warning.text}')}")
        adopted = [record for _, plan in planned for record in plan.adopted]
        busy = [(target, plan) for target, plan in planned if plan.octo_plan is not None]
        if not busy:
            click.echo("Nothing to take over.")
            return
        for record in adopted:
            click.echo(f"  {record.name} {record.type}: {printable(', '.join(record.values))}")
        if not yes:
            _ask()
        await write_adoption(busy)
        count = counted(len(adopted), "record set")
        click.echo(f"{click.style('adopted', fg='green')} {count}; `mailstack plan` shows what the spec makes of them")


def _ask() -> None:
    if not sys.stdin.isatty():
        fail("nobody can be asked here, and nothing was changed; --yes takes them over without a question")
    if click.prompt(QUESTION, default="", show_default=False).strip() != "yes":
        fail("not taken over: the answer was not 'yes'")
