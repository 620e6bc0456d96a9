"""`mailstack sandbox SPEC`: run any spec harmlessly on this machine. What it keeps instead of sending: cli/outbox."""

import asyncio
import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailstack.app.sandbox_state import (
    DEFAULT_BASE_PORT,
    HIGHEST_BASE_PORT,
    ca_file,
    keep_database,
    kept_database,
    new_state,
    write_ca,
    write_ready,
    zones_folder,
)
from mailstack.cli.outbox import command as outbox
from mailstack.cli.place import live_in
from mailstack.cli.screen import EXIT_FAULTS, console, fail

if TYPE_CHECKING:
    from mailstack.app.messages import Job
    from mailstack.app.supervisor import Standing

HELP = """Run SPEC harmlessly on loopback, in the foreground.

High ports, self-signed certificates, generated passwords, DNS records in zone files; outbound mail is kept instead of
sent, and `mailstack sandbox outbox` shows it. No secret that the spec refers to is needed. Connections from this
machine count as secure, so logins work without TLS. Saving the spec changes the running sandbox, as it does a server.

Mail that they bring is neither checked nor scored as spam, unless the spec has `receiving: {trusted_peers: []}`.

\b
Examples:
  mailstack sandbox mailstack.yaml.example
  mailstack sandbox mailstack.yaml --state ./sandbox          # keeps mail and passwords for the next start
  mailstack sandbox mailstack.yaml --passwords pw --ready ready.json
  mailstack sandbox mailstack.yaml --outbound 127.0.0.1:1025  # hands outbound mail to a sink of yours
  mailstack sandbox mailstack.yaml --state ./sandbox --database env/DATABASE_URL   # mail in PostgreSQL, as nodes do it
  mailstack sandbox outbox                                    # what was not sent
  mailstack sandbox outbox 3                                  # one of them, whole

Ports: base + 25 (smtp), + 587 (submission), + 465 (submissions), + 143 (imap), + 993 (imaps),
+ 4190 (managesieve), + 80 (http), + 443 (https), + 90 (metrics).
"""


class SandboxCommand(click.Command):
    """`sandbox outbox …` is the outbox's; anything else names a spec."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: object
    ) -> click.Context:
        if args[:1] == ["outbox"]:
            return outbox.make_context(f"{info_name} outbox", args[1:], parent=parent, **extra)
        return super().make_context(info_name, args, parent=parent, **extra)


class HostPort(click.ParamType[tuple[str, int]]):
    name = "host:port"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int]:
        host, colon, port = str(value).rpartition(":")
        if not colon or not host or not port.isdecimal() or not 0 < int(port) < 65_536:
            self.fail(f"{value!r} is no HOST:PORT", param, ctx)
        return host.strip("[]"), int(port)


class AddressSecret(click.ParamType[tuple[str, str]]):
    name = "address=secret"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        address, equals, secret = str(value).partition("=")
        if not equals or "@" not in address or not secret:
            self.fail("not ADDRESS=SECRET", param, ctx)
        return address, secret


class Reference(click.ParamType[str]):
    """To a secret, as specs have them; relative files are those of the working folder."""

    name = "reference"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from mailstack.spec.secrets import is_reference

        if not is_reference(str(value)):
            self.fail("not a reference; write env/NAME or file/PATH", param, ctx)
        source, _, name = str(value).partition("/")
        return f"file/{Path(name).absolute()}" if source == "file" else str(value)


@click.command("sandbox", cls=SandboxCommand, help=HELP, short_help="Run any spec harmlessly on loopback.")
@click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where everything is kept. Default: a temporary folder, gone at the end.",
)
@click.option(
    "--database",
    type=Reference(),
    help="With --state: a PostgreSQL database that holds the mail instead, empty at the first start, as env/NAME or"
    " file/PATH. The folder remembers it.",
)
@click.option("--base-port", type=click.IntRange(1, HIGHEST_BASE_PORT), default=DEFAULT_BASE_PORT, show_default=True)
@click.option(
    "--ready", type=click.Path(path_type=Path, dir_okay=False), help="Written as JSON once every port accepts."
)
@click.option("--outbound", type=HostPort(), help="A smart host that gets outbound mail instead of the outbox.")
@click.option("--password", type=AddressSecret(), multiple=True, help="Of one account; may be repeated.")
@click.option("--passwords", metavar="SECRET", default="", help="Of all accounts.")
@click.option("--log-format", type=click.Choice(["auto", "json", "console"]), default="auto", show_default=True)
@click.option(
    "--log-level", type=click.Choice(["debug", "info", "warning", "error"]), default="info", show_default=True
)
def command(
    spec: Path,
    state: Path | None,
    database: str | None,
    base_port: int,
    ready: Path | None,
    outbound: tuple[str, int] | None,
    password: tuple[tuple[str, str], ...],
    passwords: str,
    log_format: str,
    log_level: str,
) -> None:
    from mailstack.app.log import configure_log
    from mailstack.app.messages import Job

    if database is not None and state is None:
        raise click.UsageError("--database goes with --state, the folder that remembers it")
    with _state_folder(state) as folder:
        _take_folder(folder)
        _take_database(folder, database)
        configure_log(log_format, log_level)  # last, for who looks into a store has set it up for a command's output
        sandbox = {
            "state": str(folder),
            "base_port": base_port,
            "outbound": outbound,
            "passwords": _by_key(password),
            "every_password": passwords,
        }
        job = Job(spec=os.fspath(spec), log_format=log_format, log_level=log_level, sandbox=sandbox)
        _run(job, Scene(folder, ready, is_kept=state is not None), hold_outbound=outbound is None)


class Scene:
    """What the person at the terminal, and whoever waits for the ready file, are shown."""

    def __init__(self, folder: Path, ready: Path | None, *, is_kept: bool) -> None:
        self._folder = folder
        self._ready = ready
        self._is_kept = is_kept
        self._shown: Mapping[str, str] = {}
        self._is_first = True

    def show(self, standing: "Standing") -> None:
        from mailstack.model.resource import CertificateBody

        certificates = standing.blueprint.bodies(CertificateBody)
        for body in certificates.values():
            write_ca(self._folder, body.certificate)
        endpoints = {endpoint.service: (endpoint.host, endpoint.port) for endpoint in standing.endpoints}
        accounts = standing.accounts or self._shown
        if self._ready is not None:
            write_ready(self._ready, self._folder, endpoints, accounts)
        if self._is_first:
            self._show_endpoints(endpoints)
        new = {login: secret for login, secret in accounts.items() if self._shown.get(login) != secret}
        self._show_accounts(new, admins=standing.admins)
        self._shown, self._is_first = accounts, False

    def _show_endpoints(self, endpoints: Mapping[str, tuple[str, int]]) -> None:
        from rich.table import Table

        from mailstack.servers.account.pages import PATH as ACCOUNT_PATH
        from mailstack.servers.admin.overview import PATH as ADMIN_PATH
        from mailstack.servers.http.metrics import PATH as METRICS_PATH
        from mailstack.servers.webmail.pages import PAGE_PATH
        from mailstack.wire.jmap.session import SESSION_PATH

        table = Table(title="mailstack sandbox", title_justify="left")
        table.add_column("service")
        table.add_column("address")
        for service, (host, port) in sorted(endpoints.items()):
            table.add_row(service, f"{host}:{port}")
        out = console()
        out.print(table)
        if "https" in endpoints:
            # By a name that browsers know to be this machine: they keep cookies and certificates by name.
            for what, path in (("webmail", PAGE_PATH), ("account", ACCOUNT_PATH), ("admin", ADMIN_PATH)):
                out.print(f"{what:<23}https://localhost:{endpoints['https'][1]}{path}")
        if "http" in endpoints:
            # In the clear, which is for programs of this machine.
            out.print(f"JMAP                   http://127.0.0.1:{endpoints['http'][1]}{SESSION_PATH}")
        if "metrics" in endpoints:
            out.print(f"figures                http://127.0.0.1:{endpoints['metrics'][1]}{METRICS_PATH}")
        out.print(f"certificate authority  {ca_file(self._folder)}")
        out.print(f"DNS records            {zones_folder(self._folder)}")
        out.print(f"state                  {self._folder}{'' if self._is_kept else '  (gone at the end)'}")

    def _show_accounts(self, accounts: Mapping[str, str], *, admins: Collection[str]) -> None:
        from rich.table import Table

        from mailstack.model.principal import Role

        if not accounts:
            return
        table = Table(title="accounts" if self._is_first else "new accounts", title_justify="left")
        table.add_column("login")
        table.add_column("password")
        table.add_column("role")
        # Administrators first, so that one is among those who are shown.
        for login in sorted(accounts, key=lambda login: login not in admins)[:ACCOUNTS_SHOWN]:
            table.add_row(login, accounts[login], Role.ADMIN if login in admins else "")
        out = console()
        out.print(table)
        if len(accounts) > ACCOUNTS_SHOWN:
            out.print(f"and {len(accounts) - ACCOUNTS_SHOWN} more, in {self._folder / 'passwords.json'}")


ACCOUNTS_SHOWN = 30


def _run(job: "Job", scene: Scene, *, hold_outbound: bool) -> None:
    from mailstack.app.apply_process import ApplyProcess
    from mailstack.app.faults import CannotServe, PortBusy, SpecFaulty

    first_apply = ApplyProcess.start(job, user=None)
    from mailstack.app.supervisor import Service, run

    try:
        run(Service(job=job, trust_loopback=True, hold_outbound=hold_outbound, on_standing=scene.show), first_apply)
    except SpecFaulty as faulty:
        for line in faulty.lines:
            click.echo(line, err=True)
        fail(f"{job.spec}: not started", code=EXIT_FAULTS)
    except PortBusy as fault:
        fail(f"{fault}; choose other ports with --base-port")
    except CannotServe as fault:
        fail(str(fault))


def _take_folder(folder: Path) -> None:
    """Raises Invalid where a server keeps its mail: it would be served under this spec, with passwords made up here."""
    from mailstack.app.store_address import StoreAddress
    from mailstack.app.stores import is_made

    storage = StoreAddress(folder=folder)
    if is_made(storage) and (live := asyncio.run(live_in(storage))).generation:
        from mailstack.app.sandbox import job_of

        job_of(folder, live)


def _take_database(folder: Path, wanted: str | None) -> None:
    """wanted: a reference; None for what the folder remembers. Ends the command where the folder's mail is elsewhere,
    or the database may be a server's."""
    reference, name = kept_database(folder)
    if wanted is None and not reference:
        return
    from mailstack.app.sandbox import sandbox_storage
    from mailstack.app.stores import is_made

    if wanted not in (None, reference) and (reference or is_made(sandbox_storage(folder))):
        where = f"in the database that {reference} names" if reference else "in the folder itself"
        fail(f"the sandbox in {folder} keeps its mail {where}; name another folder with --state")
    storage = sandbox_storage(folder, wanted)
    if str(storage) != name and is_made(storage):
        fail(f"{storage} holds mail already, of a server or another sandbox; name an empty one")
    keep_database(folder, wanted or reference, str(storage))


@contextmanager
def _state_folder(state: Path | None) -> Iterator[Path]:
    if state is not None:
        state.mkdir(parents=True, exist_ok=True, mode=0o750)
        yield state.absolute()
        return
    folder = new_state()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _by_key(passwords: tuple[tuple[str, str], ...]) -> dict[str, str]:
    from mailstack.model.address import parse_address

    return {parse_address(address).key: secret for address, secret in passwords}
