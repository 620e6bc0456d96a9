"""`mailstack serve`: apply a spec and serve it in the foreground until told to stop."""

import os
from pathlib import Path

import click

from mailstack.cli.screen import EXIT_FAULTS, fail

HELP = """Apply SPEC, then serve mail in the foreground.

Saving the spec, or any file it includes, is enough to change the running server: the new generation is built beside
the old one on the same sockets, and connections that are open go on. A spec with faults changes nothing; the log says
what is wrong. A start with such a spec serves what was applied last, until the spec is mended. SIGHUP reloads too;
SIGTERM and Ctrl-C end the server politely, a second one at once.

\b
Examples:
  mailstack serve /etc/mailstack/mailstack.yaml
  mailstack serve mailstack.yaml --log-format json --log-level debug
  sudo mailstack serve mailstack.yaml --user mail     # binds port 25, then is mail

Exit status: 0 ended when asked to, 1 could not start, 2 the spec has faults and
nothing was ever applied.
"""


@click.command("serve", help=HELP, short_help="Apply a spec, then serve mail.")
@click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--user", metavar="NAME", help="Whom root becomes once the ports are bound. Default: mailstack, if any.")
@click.option(
    "--log-format",
    type=click.Choice(["auto", "json", "console"]),
    default="auto",
    show_default=True,
    help="auto: console on a terminal, JSON elsewhere.",
)
@click.option(
    "--log-level", type=click.Choice(["debug", "info", "warning", "error"]), default="info", show_default=True
)
def command(spec: Path, user: str | None, log_format: str, log_level: str) -> None:
    from mailstack.app.apply_process import ApplyProcess
    from mailstack.app.faults import CannotServe, PortBusy, SpecFaulty
    from mailstack.app.log import configure_log
    from mailstack.app.messages import Job
    from mailstack.app.privileges import service_user

    configure_log(log_format, log_level)
    job = Job(spec=os.fspath(spec), log_format=log_format, log_level=log_level)
    try:
        owner = service_user(user)
        # It reads the spec while this process imports what serves it.
        first_apply = ApplyProcess.start(job, user=owner)
        from mailstack.app.supervisor import Service, run

        run(Service(job=job, user=owner, on_standing=lambda _standing: None), first_apply)
    except SpecFaulty as faulty:
        for line in faulty.lines:
            click.echo(line, err=True)
        fail(f"{spec}: not served", code=EXIT_FAULTS)
    except PortBusy as fault:
        fail(f"{fault}; server.listeners says where each service listens, and [] switches one off")
    except CannotServe as fault:
        fail(str(fault))
