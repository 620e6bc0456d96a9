"""Where a sandbox keeps itself: its state folder, what is in it, and how its outbox finds the one that runs.

Light on purpose: the command line looks here before it loads anything else.
"""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from mailstack.app.runfiles import running_pid, write_json

LOOPBACK = "127.0.0.1"
# As the standard ports, above a base that needs no root; of metrics there is none.
PORTS = {
    "smtp": 25,
    "submission": 587,
    "submissions": 465,
    "imap": 143,
    "imaps": 993,
    "managesieve": 4190,
    "http": 80,
    "metrics": 90,
    "https": 443,
}
DEFAULT_BASE_PORT = 20_000
HIGHEST_BASE_PORT = 65_535 - max(PORTS.values())
PREFIX = "mailstack-sandbox-"
DATABASE = "database"
PEM_BEGIN = "-----BEGIN CERTIFICATE-----"


def new_state() -> Path:
    return Path(tempfile.mkdtemp(prefix=PREFIX))


def running_state() -> Path | None:
    """The newest temporary sandbox of this user that runs now."""
    folders = [folder for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*") if _is_own(folder)]
    running = [folder for folder in folders if running_pid(folder) is not None]
    return max(running, key=lambda folder: folder.stat().st_mtime_ns, default=None)


def passwords_file(state: Path) -> Path:
    return state / "passwords.json"


def kept_database(state: Path) -> tuple[str, str]:
    """A reference to the database that holds its mail, and what that is called; ("", "") where the folder holds it."""
    file = state / DATABASE
    reference, _, name = file.read_text().rstrip("\n").partition("\n") if file.exists() else ("", "", "")
    return reference, name


def keep_database(state: Path, reference: str, name: str) -> None:
    """A secret may come to mean another database, which a sandbox must not take for its own."""
    (state / DATABASE).write_text(f"{reference}\n{name}\n")


def zones_folder(state: Path) -> Path:
    return state / "dns"


def ca_file(state: Path) -> Path:
    return state / "ca.pem"


def write_ca(state: Path, chain: str) -> None:
    """chain: a self-signed certificate's, its authority last."""
    draft = ca_file(state).with_suffix(".new")
    draft.write_text(PEM_BEGIN + chain.rpartition(PEM_BEGIN)[2])
    draft.replace(ca_file(state))


def write_ready(file: Path, state: Path, endpoints: Mapping[str, tuple[str, int]], accounts: Mapping[str, str]) -> None:
    value = {
        "pid": os.getpid(),
        "endpoints": {service: list(endpoint) for service, endpoint in endpoints.items()},
        "accounts": dict(accounts),
        "ca": str(ca_file(state)),
        "state": str(state),
    }
    # It holds passwords.
    write_json(file, value, mode=0o600)


def _is_own(folder: Path) -> bool:
    try:
        return folder.is_dir() and folder.stat().st_uid == os.getuid()
    except OSError:
        return False
