"""SCRAM with a client that other people wrote: mbsync, by Cyrus SASL."""

import asyncio
import os
from pathlib import Path

import pytest

from mailstack.model.resource import Kind
from mailstack.services.identity.passwords import HashCost, hash_password
from tests.support.imap_server import DOMAIN, RunningImap, running_imap
from tests.support.running import DEADLINE_S
from tests.support.sandbox import need

pytestmark = pytest.mark.slow

PASSWORD = "correct horse, battery = staple"
CONFIG = """\
IMAPStore far
Host 127.0.0.1
Port {port}
User {user}
Pass "{password}"
SSLType None
AuthMechs SCRAM-SHA-256

MaildirStore near
Path {maildir}/
Inbox {maildir}/INBOX

Channel mail
Far :far:
Near :near:
Patterns INBOX
Create Near
SyncState *
"""


async def test_cyrus_sasl_logs_in_and_believes_the_server(tmp_path: Path) -> None:
    """With as many iterations as a new password has: Cyrus has a limit of its own."""
    need_scram()
    async with running_imap(tmp_path / "server") as server:
        hashed = hash_password(PASSWORD, cost=HashCost.NORMAL)
        await server.store.state.write_as_user(Kind.ACCOUNT, f"u0@{DOMAIN}", {"password": hashed})
        assert await synced(server, tmp_path, user="u0", password=PASSWORD) == 0
        assert (tmp_path / "mail" / "INBOX" / "cur").is_dir()
        assert await synced(server, tmp_path, user="u0", password="wrong") != 0
        assert await synced(server, tmp_path, user="nobody", password=PASSWORD) != 0


def need_scram() -> None:
    """The plugin of Debian's libsasl2-modules."""
    need("mbsync")
    if any(Path("/usr/lib").glob("*/sasl2/libscram.so")):
        return
    if os.environ.get("CI"):
        pytest.fail("libsasl2-modules is not installed")
    pytest.skip("libsasl2-modules is not installed")


async def synced(server: RunningImap, folder: Path, *, user: str, password: str) -> int:
    config, maildir = folder / "mbsyncrc", folder / "mail"
    maildir.mkdir(exist_ok=True)
    config.write_text(CONFIG.format(port=server.port, user=user, password=password, maildir=maildir))
    pipe = asyncio.subprocess.PIPE
    command = (need("mbsync"), "-c", str(config), "-a")
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=asyncio.subprocess.STDOUT)
    async with asyncio.timeout(DEADLINE_S):
        said, _ = await process.communicate()
    print(said.decode())  # noqa: T201  for who reads a failure
    return process.returncode or 0
