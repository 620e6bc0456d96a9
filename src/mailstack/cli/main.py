"""`mailstack`: the group that finds the commands, and the one place where an unforeseen exception becomes a line.

Commands are imported by name when they are called, so `mailstack --help` loads none of their libraries.
"""

import importlib
import os
import sys
import traceback
from typing import NoReturn

import click

import mailstack
from mailstack.cli.screen import fail, report_faults
from mailstack.model.errors import DomainError

COMMANDS = {
    "init": "Write a commented starter spec.",
    "validate": "Check a spec: every fault at once, with file, line and column.",
    "test": "Prove what the spec's tests promise; no server, no network.",
    "explain": "Show why a mail would be taken or refused, stage by stage.",
    "route": "Show which way mail for an address would go, and by what of the spec.",
    "schema": "Print the JSON Schema that editors complete specs by.",
    "upgrade-spec": "Rewrite a spec of an older version, with its comments kept.",
    "plan": "Show what apply would change, and nothing else.",
    "apply": "Make the server and its DNS what the spec says.",
    "dns": "Look after DNS: show, check, plan, apply.",
    "adopt": "Write what exists on the server into the spec; take over DNS records.",
    "drift": "Show what has changed behind the spec's back since the last apply.",
    "status": "Show what is applied and what is running.",
    "restore": "Give back the mail of a destroyed account.",
    "dkim": "Look after signing keys: list, rotate, export.",
    "tls": "Look after TLS: list, renew, policy.",
    "account": "Look after accounts: list, show, password, stats, verify, reindex.",
    "app-password": "Make, list and revoke app passwords of accounts, for one device each.",
    "list": "Show mailing lists, and who has left them.",
    "sieve": "Filter scripts: check, run; show, list, put, activate, delete those of accounts.",
    "spam": "Spam filter: score a mail; train, stats, top-tokens, forget.",
    "queue": "Look after mail that waits to leave: list, show, retry, hold, release, bounce, drop.",
    "suppress": "Look after addresses that get no mail from us: list, add, remove.",
    "warmup": "Show how much mail goes straight to whom while an address is new.",
    "storage": "Look after what mail and state are kept in: check, copy.",
    "trace": "Show what became of a mail, step by step.",
    "logs": "Show what this node has told, and follow it.",
    "ban": "Show, add and lift bans of addresses.",
    "token": "Make, list and revoke tokens for the API.",
    "serve": "Apply a spec, then serve mail; saving the spec reloads it.",
    "sandbox": "Run any spec harmlessly on loopback: high ports, no mail leaves.",
}
STANDARD_ERROR = 2


class LazyCommands(click.Group):
    """click asks a group for its commands through these methods; there is no other door for late imports."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  click's signature
        if cmd_name not in COMMANDS:
            return None
        found = importlib.import_module(f"mailstack.cli.{cmd_name.replace('-', '_')}").command
        return found if isinstance(found, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as fault:
            from mailstack.spec.nearest import Vocabulary, did_you_mean

            hint = did_you_mean(Vocabulary(COMMANDS), args[0])
            raise click.UsageError(fault.message.rstrip(".") + (hint or "."), ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  click's signature
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, click.ClickException, click.Abort, BrokenPipeError):
            raise  # of a pipe that nobody reads any more, click makes a quiet end
        except Exception as fault:  # noqa: BLE001  the last place that can say it in one line
            if ctx.params.get("debug"):
                traceback.print_exc()
            _drop_output()
            end_with(fault)


def end_with(fault: Exception) -> NoReturn:
    """Ends the program with what the fault means to the person who typed the command."""
    from mailstack.spec.faults import SpecInvalid
    from mailstack.spec.secrets import SecretMissing

    if isinstance(fault, SpecInvalid):
        report_faults(fault)
    if isinstance(fault, DomainError | SecretMissing):
        fail(str(fault) or type(fault).__name__)
    if isinstance(fault, OSError) and fault.filename is not None:
        fail(f"{os.fspath(fault.filename)!s}: {fault.strerror}")
    if isinstance(fault, OSError) and fault.strerror is not None:
        fail(fault.strerror)
    fail(f"internal error: {type(fault).__name__}: {fault} (mailstack --debug … shows where)")


@click.group(
    cls=LazyCommands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start here: mailstack sandbox mailstack.yaml.example",
)
@click.version_option(mailstack.__version__, prog_name="mailstack")
@click.option("--debug", is_flag=True, help="Show a traceback when something fails.")
def cli(debug: bool) -> None:
    """A whole mail server from one YAML file: plan, apply, serve."""


def main() -> None:
    _open_standard_files()
    try:
        cli(prog_name="mailstack")
    except OSError as fault:  # --help itself, onto a full disk
        _drop_output()
        try:
            end_with(fault)
        except click.exceptions.Exit as ended:
            sys.exit(ended.exit_code)


def _open_standard_files() -> None:
    """One that was closed is nothing from here on: a database must not become what somebody prints to."""
    while (nowhere := os.open(os.devnull, os.O_RDWR)) <= STANDARD_ERROR:
        os.set_inheritable(nowhere, True)
    os.close(nowhere)
    sys.stdin = sys.stdin or os.fdopen(0, closefd=False)
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(STANDARD_ERROR, "w", closefd=False)


def _drop_output() -> None:
    """What cannot be written stays in the buffer, and the interpreter would complain of it once more at its end."""
    try:
        sys.stdout.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
