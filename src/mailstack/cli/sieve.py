"""`mailstack sieve`: filter scripts, checked and tried before any mail meets them, with no server and nothing written.

Those of accounts are in cli.account_scripts.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailstack.cli.account_scripts import COMMANDS
from mailstack.cli.mail_file import read_mail
from mailstack.cli.reconciling import format_option
from mailstack.cli.screen import EXIT_ERROR, EXIT_FAULTS, error, print_json
from mailstack.model.errors import Invalid

if TYPE_CHECKING:
    from mailstack.sieve.faults import Broken
    from mailstack.sieve.run import Script


@click.group(
    "sieve",
    help="""Check and try Sieve scripts (RFC 5228), which file, forward, refuse and answer mail, and look after those
    of accounts.

\b
Examples:
  mailstack sieve check filters/*.sieve
  mailstack sieve run filters/alice.sieve mail.eml --trace
  mailstack sieve show mailstack.yaml alice@example.com
  mailstack sieve put mailstack.yaml alice@example.com filters/alice.sieve --activate
""",
    short_help="Check and try filter scripts; show and change those of accounts.",
)
def command() -> None:
    pass


for _of_accounts in COMMANDS:
    command.add_command(_of_accounts)


@command.command("check", short_help="Show what is wrong with scripts.")
@click.argument(
    "scripts", metavar="SCRIPT...", type=click.Path(path_type=Path, dir_okay=False), nargs=-1, required=True
)
@format_option
def check(scripts: tuple[Path, ...], form: str) -> None:
    """Compile scripts, and show everything that is wrong with them, by file, line and column.

    \b
    Examples:
      mailstack sieve check filters/alice.sieve
      mailstack sieve check --format json filters/*.sieve | jq '.[].faults[].text'

    \b
    Exit status: 0 all of them compile, 2 some do not, or cannot be read.
    """
    found = [(path, _compiled(path)) for path in scripts]
    if form == "json":
        print_json([_checked(path, one) for path, one in found])
    else:
        for path, one in found:
            _show_checked(path, one)
    if any(isinstance(one, Exception) for _, one in found):
        raise click.exceptions.Exit(EXIT_FAULTS)


@command.command("run", short_help="Show what a script would do with a mail.")
@click.argument("script", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option("--mail-from", default="", help="The sender of the envelope; without it the null path, as of bounces.")
@click.option("--rcpt", "recipient", default="", help="The recipient of the envelope.")
@click.option("--mailbox", "mailboxes", multiple=True, help="A mailbox that exists besides INBOX; may be repeated.")
@click.option("--spam", "points", type=float, help="What it scores as spam. Default: what a server has written on it.")
@click.option("--trace", is_flag=True, help="Show each command that runs, and what each test finds.")
@format_option
def run_script(
    script: Path,
    file: Path,
    mail_from: str,
    recipient: str,
    mailboxes: tuple[str, ...],
    points: float | None,
    trace: bool,
    form: str,
) -> None:
    """Run SCRIPT over the mail in FILE (or - for standard input), and show what it would do. Nothing is done.

    Scripts that it includes are read from its own folder, as NAME.sieve. What only a server knows is answered as by an
    empty account: no mail was seen before, no list has members, nothing is annotated. A score counts as by the
    defaults: 5 points are junk.

    \b
    Examples:
      mailstack sieve run filters/alice.sieve mail.eml
      mailstack sieve run filters/alice.sieve mail.eml --mail-from x@sender.example --rcpt alice+lists@example.com
      mailstack sieve run filters/alice.sieve - --trace --mailbox Archive < mail.eml

    \b
    Exit status: 0 it ran to its end, 1 it would have failed, and the mail been kept, 2 it does not compile.
    """
    from mailstack.app.clock import system_clock
    from mailstack.app.sieve_trial import Around, outcome, scored
    from mailstack.cli.sieve_facts import document, show
    from mailstack.sieve.run import Mail, SieveEnvelope

    compiled = _compiled(script, is_traced=trace)
    if isinstance(compiled, Exception):
        if form == "json":
            print_json(_checked(script, compiled))
        else:
            _show_checked(script, compiled)
        raise click.exceptions.Exit(EXIT_FAULTS)
    envelope = SieveEnvelope(sender=mail_from.strip("<>"), recipient=recipient.strip("<>"))
    mail = scored(Mail(raw=read_mail(file), envelope=envelope, received_at=system_clock()), points)
    found = outcome(compiled, mail, Around(folder=script.parent, mailboxes=mailboxes))
    if form == "json":
        print_json(document(found))
    else:
        show(found)
    if found.fault:
        raise click.exceptions.Exit(EXIT_ERROR)


def _compiled(path: Path, *, is_traced: bool = False) -> "Script | Broken | Invalid":
    """Invalid: the file cannot be read, which says nothing of the next one."""
    from mailstack.app.sieve_trial import compiled
    from mailstack.sieve.faults import Broken

    try:
        return compiled(path, is_traced=is_traced)
    except (Broken, Invalid) as wrong:
        return wrong


def _checked(path: Path, found: "Script | Broken | Invalid") -> dict[str, object]:
    from dataclasses import asdict

    from mailstack.sieve.faults import Fault
    from mailstack.sieve.run import Script

    if isinstance(found, Script):
        return {"file": str(path), "valid": True, "requires": sorted(found.required), "faults": []}
    faults = (Fault(1, 1, found.detail),) if isinstance(found, Invalid) else found.faults
    return {"file": str(path), "valid": False, "faults": [asdict(fault) for fault in faults]}


def _show_checked(path: Path, found: "Script | Broken | Invalid") -> None:
    from mailstack.sieve.run import Script

    if isinstance(found, Script):
        needs = f"; requires {', '.join(sorted(found.required))}" if found.required else ""
        click.echo(f"{path}: {click.style('good', fg='green')}{needs}")
    elif isinstance(found, Invalid):
        error(found.detail)
    else:
        for fault in found.faults:
            click.echo(f"{path}:{fault.line}:{fault.column}: {fault.said}", err=True)
