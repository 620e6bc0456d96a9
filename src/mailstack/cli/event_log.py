"""What `mailstack logs` and `mailstack trace` share: the log of this node, and how far back it goes."""

import socket
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailstack.cli.reconciling import storage_named
from mailstack.cli.screen import fail

if TYPE_CHECKING:
    from mailstack.model.instant import Instant


def storage_with_log(spec: Path, form: str, state: Path | None) -> Path:
    """The folder of the storage that it lies in. Ends the command where no log is kept."""
    from mailstack.store.event_log.parts import log_folder

    folder = storage_named(spec, form, state).folder
    if not log_folder(folder).exists():
        fail(f"{folder} has no log: no server has run on it here, or `log.keep` is null")
    return folder


def moment_ago(length: timedelta) -> "Instant":
    from mailstack.app.clock import system_clock
    from mailstack.model.instant import SECOND_MS, Instant

    return Instant(max(0, system_clock() - int(length.total_seconds()) * SECOND_MS))


def node_name() -> str:
    """Each node has a log of its own: whoever reads this one should know whose it is."""
    return socket.gethostname()


def say_where(storage: Path) -> None:
    """On standard error, for it is none of what was found."""
    from mailstack.model.instant import iso
    from mailstack.store.event_log.parts import goes_back_to, log_folder

    begins = goes_back_to(log_folder(storage))
    if begins is None:
        click.echo(f"nothing is in the log of {node_name()} yet", err=True)
    else:
        click.echo(f"the log of {node_name()} begins in the hour from {iso(begins)}", err=True)
