"""An account that shares, and who asks for what it shares over IMAP, JMAP and Sieve."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import orjson

from mailstack.formats.digest import digest_message
from mailstack.model.ids import AccountId, EmailId, MailboxId, MessageId, ThreadId
from mailstack.model.instant import Instant
from mailstack.model.message import NewMessage
from mailstack.model.objectid import MailBlob, blob_object_id, email_object_id, mailbox_object_id, thread_object_id
from mailstack.model.rights import ALL_RIGHTS, Grant, Rights
from mailstack.servers.jmap.dispatch import responses_to
from mailstack.wire.jmap.request import Invocation
from mailstack.wire.jmap.session import MAIL, QUOTA
from tests.support.imap_dialogue import ImapClient, imap_client
from tests.support.imap_server import DOMAIN
from tests.support.jmap_world import JmapWorld, jmap_world

OWNER, VIEWER, STRANGER = "u0", "u1", "u2"
PREFIX = f"Other Users/{OWNER}@{DOMAIN}"
USING = frozenset({MAIL, QUOTA})
_TAGGED = re.compile(r"t (OK|NO|BAD)\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A mailbox of the owner's with one message, as each protocol names them."""

    name: str
    mailbox_id: MailboxId
    message_id: MessageId
    mailbox: str
    email: str
    thread: str
    blob: str
    part: str

    @property
    def path(self) -> str:
        return f"{PREFIX}/{self.name}"


class PermissionWorld:
    """open: a mailbox where the viewer may do everything."""

    def __init__(self, world: JmapWorld, client: ImapClient, owner_id: AccountId, viewer_id: AccountId) -> None:
        self.world = world
        self.owner_id = owner_id
        self.viewer_id = viewer_id
        self._client = client
        self._numbers = count(1)
        self.open: Box

    async def box(self, rights: Rights, *, name: str = "") -> Box:
        store, number = self.world.imap.store, next(self._numbers)
        name = name or f"Box{number:03}"
        made = await store.mailboxes.create(self.owner_id, parent_id=None, name=name)
        (put,) = await store.messages.append(self.owner_id, made.mailbox_id, [message(number)])
        await self.share(made.mailbox_id, rights)
        return box_of(self.owner_id, name, made.mailbox_id, put.message_id)

    async def share(self, mailbox_id: MailboxId, rights: Rights) -> None:
        grant = Grant(identifier=f"{VIEWER}@{DOMAIN}", account_id=self.viewer_id, rights=rights)
        await self.world.imap.store.sharing.change(self.owner_id, mailbox_id, grant)

    def missing(self, like: Box) -> Box:
        """One that is nowhere, of the same form."""
        name = like.name.replace("Box", "Nix")
        return box_of(self.owner_id, name, MailboxId(9_000), MessageId(9_000))

    async def ask(self, method: str, who: str = VIEWER, *, of: str | None = None, **arguments: Any) -> dict[str, Any]:
        """of: an account's id, the owner's by default."""
        call = await self.world.call(who, using=USING)
        given = {"accountId": self.owner_id if of is None else of, **arguments}
        answers = await responses_to([Invocation(name=method, arguments=given, call_id="0")], call)
        return dict(answers[0][1])

    async def state(self) -> str:
        return str((await self.ask("Email/get", OWNER, ids=[]))["state"])

    async def imap(self, *commands: str) -> list[str]:
        """What is said to the last of them; nothing where one before it fails."""
        said: list[str] = []
        for command in commands:
            said = await self._command(command)
            if not said[-1].startswith("t OK"):
                return said if command is commands[-1] else []
        return said

    async def does(self, *commands: str) -> bool:
        said = await self.imap(*commands)
        return bool(said) and said[-1].startswith("t OK")

    async def _command(self, command: str) -> list[str]:
        await self._client.send(f"t {command}\r\n".encode())
        said = [await self._client.line()]
        while not _TAGGED.match(said[-1]):
            said.append(await self._client.line())
        return said


def message(number: int) -> NewMessage:
    raw = f"Message-ID: <m{number}@x>\r\nSubject: word{number}\r\n\r\nbody of {number}\r\n".encode()
    return NewMessage(raw=raw, received_at=Instant(1_700_000_000_000), digest=digest_message(raw))


def box_of(owner_id: AccountId, name: str, mailbox_id: MailboxId, message_id: MessageId) -> Box:
    return Box(
        name=name,
        mailbox_id=mailbox_id,
        message_id=message_id,
        mailbox=mailbox_object_id(owner_id, mailbox_id),
        email=email_object_id(owner_id, EmailId(message_id)),
        thread=thread_object_id(owner_id, ThreadId(message_id)),
        blob=blob_object_id(owner_id, MailBlob(message_id)),
        part=blob_object_id(owner_id, MailBlob(message_id).part(1)),
    )


def without_names(answer: Mapping[str, Any] | Sequence[str], box: Box) -> str:
    """With one word in place of all that names the box, so that answers about two of them can be compared."""
    text = orjson.dumps(answer).decode()
    for name in (box.part, box.blob, box.thread, box.email, box.mailbox, box.path, box.name):
        text = text.replace(name, "…")
    return text


@asynccontextmanager
async def permission_world(folder: Path) -> AsyncIterator[PermissionWorld]:
    async with jmap_world(folder, accounts=(OWNER, VIEWER, STRANGER)) as world, imap_client(world.imap.port) as client:
        await client.login(VIEWER)
        owner, viewer = await world.account(OWNER), await world.account(VIEWER)
        running = PermissionWorld(world, client, owner.account_id, viewer.account_id)
        running.open = await running.box(ALL_RIGHTS, name="Open")
        yield running
