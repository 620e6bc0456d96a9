"""`mailstack storage copy` between real servers: a mail program sees no change, and a copy that is killed goes on."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from mailstack.app.clock import system_clock
from mailstack.model.ids import ModSeq
from mailstack.model.mailbox import MailboxRole
from mailstack.model.principal import Account
from mailstack.ports.bus import Bus
from mailstack.ports.store import Store
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.store.postgres.link import address_of
from mailstack.store.postgres.open import open_store as open_postgres_store
from mailstack.store.sql.row_blobs import RowBlobs
from mailstack.store.sqlite.open import open_store
from tests.scenarios.test_mbsync import Nearby, deliver, ids, message
from tests.store.transfer.conftest import moved
from tests.support.fake_clock import FakeClock
from tests.support.filled_store import rows_in
from tests.support.imap_server import DOMAIN, RunningImap, running_imap
from tests.support.killed_copy import DONE
from tests.support.recording_bus import RecordingBus
from tests.support.sandbox import MAILSTACK
from tests.support.stores import account_resource, apply, created, mailbox_with, new_message

pytestmark = pytest.mark.slow

HEAD = "server: {hostname: mail.example.com}\ndomains: {example.com: }\n"
KILLED = (sys.executable, "-m", "tests.support.killed_copy")
MESSAGES = 100
ACCOUNTS = 20


def spec_of(file: Path, storage: str) -> Path:
    file.write_text(f"{HEAD}storage: {{{storage}}}\n")
    return file


def copied(
    old: Path, new: Path, url: str, *, program: Sequence[str] = MAILSTACK, status: int = 0
) -> "subprocess.CompletedProcess[str]":
    ended = subprocess.run(
        [*program, "storage", "copy", str(old), str(new)],
        capture_output=True,
        env={**os.environ, "COPY_DATABASE": url},
        text=True,
        timeout=300,
        check=False,
    )
    assert ended.returncode == status, ended.stdout + ended.stderr
    return ended


async def test_mbsync_sees_no_change_on_the_way_to_postgres_and_back(tmp_path: Path, empty_database: str) -> None:
    async with running_imap(tmp_path / "server") as server:
        near, mail = Nearby(tmp_path / "near", server.port), await mail_of(server)
        inbox = (await ids(mail))["INBOX"]
        for number in range(MESSAGES):
            await deliver(mail, inbox, message(number), seen=number % 2 == 0)
        near.write("Sent", message(1_001), flags="S")
        await near.sync()
        port, mod_seq = server.port, await mod_seq_of(server)
    names = near.names()
    old = spec_of(tmp_path / "old.yaml", "path: server/store")
    database = spec_of(tmp_path / "database.yaml", "path: node, database: env/COPY_DATABASE")
    back = spec_of(tmp_path / "back.yaml", "path: back/store")

    async def opened(bus: Bus) -> Store:
        return await open_postgres_store(
            address_of(empty_database), blobs=RowBlobs(tmp_path), clock=system_clock, bus=bus
        )

    copied(old, database, empty_database)
    async with running_imap(tmp_path / "on_postgres", port=port, opened=opened) as server:
        await near.sync()
        assert (near.names(), await mod_seq_of(server)) == (names, mod_seq)
        await deliver(await mail_of(server), inbox, message(2_000), seen=False)
        await near.sync()
        assert len(near.names()) == len(names) + 1
        names, mod_seq = near.names(), await mod_seq_of(server)

    copied(database, back, empty_database)
    async with running_imap(tmp_path / "back", port=port) as server:
        await near.sync()
        assert (near.names(), await mod_seq_of(server)) == (names, mod_seq)


async def test_a_copy_that_is_killed_goes_on(tmp_path: Path, empty_database: str) -> None:
    store = await open_store(tmp_path / "old", clock=FakeClock(), bus=RecordingBus())
    logins = [f"u{number}@example.com" for number in range(ACCOUNTS)]
    await apply(store, *(created(account_resource(login)) for login in logins))
    for login in logins:
        found = await store.accounts.find(login)
        assert isinstance(found, Account)
        inbox = await mailbox_with(store, found.account_id, MailboxRole.INBOX)
        await store.messages.append(found.account_id, inbox, [new_message(number) for number in range(20)])
    await store.close()
    old, new = spec_of(tmp_path / "old.yaml", "path: old"), spec_of(tmp_path / "new.yaml", "path: new")
    copied(old, new, empty_database, program=KILLED, status=-signal.SIGKILL)
    assert DONE <= len(files(tmp_path / "new")) < ACCOUNTS
    said = copied(old, new, empty_database).stdout
    assert f"{ACCOUNTS} accounts, {20 * ACCOUNTS} messages" in said
    assert "by an earlier run" in said
    assert moved(rows_in(tmp_path / "new")) == moved(rows_in(tmp_path / "old"))


def files(path: Path) -> list[Path]:
    return list(path.glob("accounts/*/*/mail.db"))


async def mail_of(server: RunningImap) -> AccountMail:
    account = await server.store.accounts.find(f"u0@{DOMAIN}")
    assert isinstance(account, Account)
    return server.service.mail_of(account)


async def mod_seq_of(server: RunningImap) -> ModSeq:
    mail = await mail_of(server)
    return await mail.changes.mod_seq(mail.account_id)
