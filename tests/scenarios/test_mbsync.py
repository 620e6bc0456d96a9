"""mbsync keeps a Maildir and a mailbox alike, in both directions."""

import asyncio
import random
import re
from pathlib import Path

import pytest

from mailstack.formats.digest import digest_message
from mailstack.model.flags import FLAGGED, SEEN
from mailstack.model.ids import MailboxId
from mailstack.model.instant import Instant
from mailstack.model.message import FlagChange, FlagOperation, NewMessage
from mailstack.model.numset import numset_of
from mailstack.model.principal import Account
from mailstack.services.mailbox.account_mail import AccountMail
from tests.support.engines import size
from tests.support.imap_server import DOMAIN, PASSWORD, running_imap
from tests.support.running import DEADLINE_S
from tests.support.sandbox import need

pytestmark = pytest.mark.slow

MESSAGES = 200
MANY, FEWER = 2_000, 1_000
MAILDIR_FLAGS = {SEEN: "S", FLAGGED: "F", "\\Answered": "R"}
CONFIG = """\
IMAPStore far
Host 127.0.0.1
Port {port}
User u0
Pass {password}
SSLType None
AuthMechs PLAIN

MaildirStore near
Path {maildir}/
Inbox {maildir}/INBOX
SubFolders Verbatim

Channel mail
Far :far:
Near :near:
Patterns * INBOX
Create Both
Expunge Both
SyncState *
"""
# mbsync's own mark in what it writes.
_MARK = re.compile(rb"X-TUID: [^\r\n]*\r?\n")


async def test_two_ways(tmp_path: Path) -> None:
    async with running_imap(tmp_path / "server") as server:
        account = await server.store.accounts.find(f"u0@{DOMAIN}")
        assert isinstance(account, Account)
        mail = server.service.mail_of(account)
        inbox = (await ids(mail))["INBOX"]
        raws = [message(number) for number in range(MESSAGES)]
        for number, raw in enumerate(raws):
            await deliver(mail, inbox, raw, seen=number % 2 == 0)
        near = Nearby(tmp_path / "near", server.port)

        await near.sync()
        assert sorted(near.contents("INBOX")) == sorted(unix(raw) for raw in raws)
        assert sum(file.name.endswith(":2,S") for file in near.files("INBOX")) == MESSAGES // 2

        first, second = near.files("INBOX")[:2]
        ours = message(1_000)
        near.write("INBOX", ours, flags="FS")
        near.write("Sent", message(1_001), flags="S")
        near.write("Entw&APw-rfe", message(1_002), flags="D")  # mbsync leaves names as IMAP spells them
        near.flag(first, "RS")
        second.unlink()
        await near.sync()

        placed = await mail.messages.placements(mail.account_id, inbox)
        assert len(placed) == MESSAGES
        assert unmarked(await mail.messages.read(mail.account_id, placed[-1].message_id)) == ours
        assert placed[-1].keywords == {SEEN, FLAGGED}
        assert [one.keywords_text for one in placed if "Answered" in one.keywords_text] == ["\\Answered \\Seen"]
        assert len(await mail.messages.placements(mail.account_id, (await ids(mail))["Sent"])) == 1
        assert len(await mail.messages.placements(mail.account_id, (await ids(mail))["Entwürfe"])) == 1

        before, mod_seq = near.names(), await mail.changes.mod_seq(mail.account_id)
        await near.sync()
        assert (near.names(), await mail.changes.mod_seq(mail.account_id)) == (before, mod_seq)


async def test_thousands_with_flags_both_ways_end_identical(tmp_path: Path) -> None:
    dice, many = random.Random(5_000), size(MANY, on_postgres=FEWER)
    async with running_imap(tmp_path / "server") as server:
        account = await server.store.accounts.find(f"u0@{DOMAIN}")
        assert isinstance(account, Account)
        mail = server.service.mail_of(account)
        inbox = (await ids(mail))["INBOX"]
        for start in range(0, many, 500):
            await mail.messages.append(mail.account_id, inbox, [new_mail(message(start + n)) for n in range(500)])
        near = Nearby(tmp_path / "near", server.port)
        await near.sync()
        assert len(near.files("INBOX")) == many

        # Each side changes a third, and no message is changed on both.
        files = near.files("INBOX")
        dice.shuffle(files)
        for file in files[: many // 3]:
            near.flag(file, dice.choice(("F", "FS", "RS", "S")))
        for file in files[many // 3 : many // 3 + 100]:
            file.unlink()
        kept = [number_of(file.read_bytes()) for file in files[many // 3 + 100 :]]
        placed = await mail.messages.placements(mail.account_id, inbox)
        by_number = {number_of(await mail.messages.read(mail.account_id, one.message_id)): one.uid for one in placed}
        theirs = [by_number[number] for number in dice.sample(kept, many // 3)]
        for at, flag in enumerate((SEEN, FLAGGED, "\\Answered")):
            change = FlagChange(operation=FlagOperation.ADD, keywords=frozenset({flag}), is_deleted=False)
            await mail.messages.change_flags(mail.account_id, inbox, numset_of(sorted(theirs[at::3])), change)
        gone = FlagChange(operation=FlagOperation.ADD, keywords=frozenset(), is_deleted=True)
        await mail.messages.change_flags(mail.account_id, inbox, numset_of(sorted(theirs[:100])), gone)
        await mail.messages.expunge(mail.account_id, inbox)
        await near.sync()

        far = {}
        for one in await mail.messages.placements(mail.account_id, inbox):
            number = number_of(await mail.messages.read(mail.account_id, one.message_id))
            far[number] = "".join(sorted(letter for flag, letter in MAILDIR_FLAGS.items() if flag in one.keywords))
        here = {number_of(file.read_bytes()): file.name.partition(":2,")[2] for file in near.files("INBOX")}
        assert len(here) == many - 200
        assert here == far
        before, mod_seq = near.names(), await mail.changes.mod_seq(mail.account_id)
        await near.sync()
        assert (near.names(), await mail.changes.mod_seq(mail.account_id)) == (before, mod_seq)
        assert await server.store.upkeep.verify(mail.account_id, reads_messages=True, progress=lambda *_: None) == []


class Nearby:
    """The Maildirs on this side."""

    def __init__(self, folder: Path, port: int) -> None:
        self._maildir = folder / "mail"
        self._maildir.mkdir(parents=True)
        self._config = folder / "mbsyncrc"
        self._config.write_text(CONFIG.format(port=port, password=PASSWORD, maildir=self._maildir))

    async def sync(self) -> None:
        command = (need("mbsync"), "-c", str(self._config), "-a")
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=asyncio.subprocess.STDOUT)
        async with asyncio.timeout(DEADLINE_S):
            said, _ = await process.communicate()
        assert process.returncode == 0, said.decode()

    def files(self, mailbox: str) -> list[Path]:
        folder = self._maildir / mailbox
        return [file for place in ("cur", "new") for file in (folder / place).iterdir()]

    def names(self) -> list[str]:
        return sorted(str(file) for place in ("cur", "new") for file in self._maildir.rglob(f"{place}/*"))

    def contents(self, mailbox: str) -> list[bytes]:
        return [unmarked(file.read_bytes()) for file in self.files(mailbox)]

    def write(self, mailbox: str, raw: bytes, *, flags: str) -> None:
        folder = self._maildir / mailbox
        for place in ("cur", "new", "tmp"):
            (folder / place).mkdir(parents=True, exist_ok=True)
        (folder / "cur" / f"1.{random.Random(raw).random()}.host:2,{flags}").write_bytes(unix(raw))

    def flag(self, file: Path, flags: str) -> None:
        name = file.name.partition(":2,")[0]
        file.rename(file.parent.parent / "cur" / f"{name}:2,{flags}")


def message(number: int) -> bytes:
    dice = random.Random(number)
    lines = "".join(f"{dice.random()} Grüße\r\n..\r\n.\r\nFrom here\r\n" for _ in range(dice.randrange(60)))
    return f"From: x@a.example\r\nSubject: {number}\r\nMessage-ID: <{number}@a.example>\r\n\r\n{lines}".encode()


def unix(raw: bytes) -> bytes:
    """As mbsync keeps it in a Maildir."""
    return raw.replace(b"\r\n", b"\n")


def unmarked(raw: bytes) -> bytes:
    return _MARK.sub(b"", raw)


async def ids(mail: AccountMail) -> dict[str, MailboxId]:
    return {one.name: one.mailbox_id for one in await mail.mailboxes.list(mail.account_id)}


def number_of(raw: bytes) -> int:
    found = re.search(rb"^Subject: (\d+)", raw, re.MULTILINE)
    assert found is not None
    return int(found.group(1))


def new_mail(raw: bytes, *, seen: bool = False) -> NewMessage:
    keywords = frozenset({SEEN}) if seen else frozenset[str]()
    return NewMessage(raw=raw, received_at=Instant(1_000), digest=digest_message(raw), keywords=keywords)


async def deliver(mail: AccountMail, mailbox_id: MailboxId, raw: bytes, *, seen: bool) -> None:
    await mail.messages.append(mail.account_id, mailbox_id, [new_mail(raw, seen=seen)])
