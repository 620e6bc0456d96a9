"""All mail of an account, as a zip of one mbox for each mailbox: written while it is sent, one message in memory at a
time. What comes or goes meanwhile is in it or not."""

import asyncio
import re
import unicodedata
from collections.abc import AsyncIterator, Iterator, Sequence
from io import RawIOBase
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import structlog

from mailstack.formats.mbox import mbox_entry
from mailstack.model.errors import Damaged, NotFound
from mailstack.model.ids import MailboxId
from mailstack.model.instant import Instant, as_datetime
from mailstack.model.mailbox import Mailbox
from mailstack.model.message import Column
from mailstack.services.mailbox.account_mail import AccountMail

log = structlog.get_logger()

# What the file systems of some machine take for more than a letter of a name, and what shows it as another.
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f/\\:*?"<>|\u200e\u200f\u202a-\u202e\u2066-\u2069]')
# Devices, to Windows, whatever stands behind the first full stop.
_DEVICE = re.compile(r"(?:aux|con|nul|prn|(?:com|lpt)[0-9¹²³])(?=\.|\Z)", re.IGNORECASE)
_COLUMNS = (Column.MESSAGE_ID, Column.RECEIVED_AT)


class _Pipe(RawIOBase):
    """What the archive is written to, and taken from piece by piece."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        piece = bytes(data)  # type: ignore[call-overload]  # of the buffer that zipfile writes
        self._pieces.append(piece)
        return len(piece)

    def taken(self) -> bytes:
        found = b"".join(self._pieces)
        self._pieces.clear()
        return found


async def exported(mail: AccountMail, now: Instant) -> AsyncIterator[bytes]:
    pipe = _Pipe()
    moment = as_datetime(now)
    with ZipFile(pipe, "w", ZIP_DEFLATED) as archive:
        for name, mailbox_id in names_of(await mail.mailboxes.list(mail.account_id)):
            # No size is known before: entries and the archive may grow beyond 4 GiB.
            entry = ZipInfo(name, (moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second))
            entry.compress_type = ZIP_DEFLATED
            with archive.open(entry, "w", force_zip64=True) as file:
                async for text in _messages(mail, mailbox_id):
                    await asyncio.to_thread(file.write, text)
                    if piece := pipe.taken():
                        yield piece
            yield pipe.taken()
    yield pipe.taken()


async def _messages(mail: AccountMail, mailbox_id: MailboxId) -> AsyncIterator[bytes]:
    try:
        rows = await mail.messages.columns(mail.account_id, mailbox_id, _COLUMNS)
    except NotFound:
        return  # the mailbox is gone
    for _, message_id, received_at in rows:
        try:
            raw = await mail.messages.read(mail.account_id, message_id)
        except NotFound:
            continue
        except Damaged as fault:
            # One that cannot be read must not keep the others.
            log.error("message not exported", account=mail.account.login, message=message_id, detail=fault.detail)
            continue
        yield mbox_entry(raw, received_at)


def names_of(mailboxes: Sequence[Mailbox]) -> Iterator[tuple[str, MailboxId]]:
    """Names that stay inside the folder that they are unpacked in, each once, whatever the letters' case."""
    by_id = {mailbox.mailbox_id: mailbox for mailbox in mailboxes}
    taken: set[str] = set()
    for mailbox in mailboxes:
        stem = "/".join(_path(mailbox, by_id))
        name, count = f"{stem}.mbox", 1
        while _key(name) in taken:
            count += 1
            name = f"{stem} ({count}).mbox"
        taken.add(_key(name))
        yield name, mailbox.mailbox_id


def _key(name: str) -> str:
    """What macOS takes for the same name is one."""
    return unicodedata.normalize("NFC", name).casefold()


def _path(mailbox: Mailbox, by_id: dict[MailboxId, Mailbox]) -> list[str]:
    names: list[str] = []
    at: Mailbox | None = mailbox
    while at is not None:
        safe = _UNSAFE.sub("_", at.name).strip(" .") or "_"
        names.append(f"_{safe}" if _DEVICE.match(safe) else safe)
        at = by_id.get(at.parent_id) if at.parent_id is not None else None
    return names[::-1]
