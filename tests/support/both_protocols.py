"""Somebody at work on one account by IMAP and by JMAP, at random: refused they may be, and are never wrong."""

import re
from collections.abc import Sequence
from random import Random
from typing import Any

from mailstack.wire.jmap.session import MAIL
from tests.support.imap_dialogue import ImapClient
from tests.support.imap_server import DOMAIN
from tests.support.jmap_world import JmapWorld

FLAGS = (r"\Seen", r"\Flagged", r"\Deleted", r"\Draft", "Work")
KEYWORDS = ("$seen", "$flagged", "$draft", "work")
FIXED = ("INBOX", "Drafts", "Sent", "Junk", "Trash", "Archive")
OTHERS = "Other Users/"
_LISTED = re.compile(r'\* LIST \([^)]*\) "/" "?([^"]*)"?')


class Worker:
    """imap: logged in as `who`, whose account it is. other: the account that emails are copied from. is_alone: nobody
    else is at work there."""

    def __init__(
        self, world: JmapWorld, imap: ImapClient, dice: Random, *, who: str, other: str, is_alone: bool = True
    ) -> None:
        self._world = world
        self._imap = imap
        self._dice = dice
        self._login = who
        self._other = other
        self._is_alone = is_alone
        self._made = 0

    async def act(self) -> None:
        await self._dice.choice((self.act_by_imap, self.act_on_emails, self.act_on_emails, self._folder))()

    async def act_by_imap(self) -> None:
        mail = (self._append, self._append, self._flag, self._flag, self._copy, self._expunge)
        await self._dice.choice((*mail, self._mailbox))()

    async def act_on_emails(self) -> None:
        actions = (self._create, self._change, self._change, self._destroy, self._import, self._copy_over)
        await self._dice.choice(actions)()

    async def _append(self) -> None:
        flags = " ".join(self._some(FLAGS, 2))
        await self._imap.append(self._message(), mailbox=f'"{await self._path()}"', flags=flags)

    async def _flag(self) -> None:
        if uids := await self._selected():
            operation = self._dice.choice(("+FLAGS", "+FLAGS", "-FLAGS", "FLAGS"))
            # More often than not it is the one that hides.
            flags = self._dice.choice((r"\Deleted", r"\Deleted", " ".join(self._some(FLAGS, 2))))
            await self._ask(f"UID STORE {uids} {operation}.SILENT ({flags})")

    async def _copy(self) -> None:
        if uids := await self._selected():
            await self._ask(f'UID {self._dice.choice(("COPY", "MOVE"))} {uids} "{await self._path()}"')

    async def _expunge(self) -> None:
        if uids := await self._selected():
            await self._ask(self._dice.choice(("EXPUNGE", "CLOSE", f"UID EXPUNGE {uids}")))

    async def _mailbox(self) -> None:
        path, new = await self._path(), self._dice.choice(("", f"{await self._path()}/")) + self._name()
        match self._dice.randrange(7):
            case 0:
                await self._ask(f'CREATE "{new}"')
            case 1:
                await self._ask(f'RENAME "{path}" "{new}"')
            case 2:
                await self._ask(f'{self._dice.choice(("SUBSCRIBE", "UNSUBSCRIBE"))} "{path}"')
            case 3 | 4 if path not in FIXED:
                await self._ask(f'DELETE "{path}"')
            case 5 | 6 if path != "INBOX":  # whose is shared for good
                await self._ask(f'SETACL "{path}" {self._other}@{DOMAIN} {self._dice.choice(("lr", "r", "lrs"))}')

    async def _create(self) -> None:
        email = {
            "mailboxIds": dict.fromkeys(self._some(await self._folders(), 2), True),
            "keywords": dict.fromkeys(self._some(KEYWORDS, 2), True),
            "subject": self._dice.choice(("alpha", "beta")),
            "messageId": [self._message_id()],
            "inReplyTo": [self._message_id()],
        }
        await self._call("Email/set", create={"new": email})

    async def _change(self) -> None:
        folders = await self._folders()
        patches: dict[str, dict[str, Any]] = {}
        for email_id in await self._emails():
            folder, keyword = self._dice.choice(folders), self._dice.choice(KEYWORDS)
            patches[email_id] = self._dice.choice(
                (
                    {f"keywords/{keyword}": self._dice.choice((True, None))},
                    {"keywords": dict.fromkeys(self._some(KEYWORDS, 2), True)},
                    {f"mailboxIds/{folder}": self._dice.choice((True, None))},
                    {"mailboxIds": dict.fromkeys(self._some(folders, 2), True), f"keywords/{keyword}": True},
                )
            )
        await self._call("Email/set", update=patches)

    async def _destroy(self) -> None:
        await self._call("Email/set", destroy=(await self._emails())[:2])

    async def _import(self) -> None:
        (found,) = await self._call("Email/get", ids=(await self._emails())[:1], properties=["blobId"])
        emails = {
            email["id"]: {
                "blobId": email["blobId"],
                "mailboxIds": dict.fromkeys(self._some(await self._folders(), 2), True),
            }
            for email in found["list"]
        }
        await self._call("Email/import", emails=emails)

    async def _copy_over(self) -> None:
        own = (await self._world.account(self._login)).account_id
        source = (await self._world.account(self._other)).account_id
        (found,) = await self._call("Email/query", accountId=source, limit=1)
        copy = {"id": found["ids"][0], "mailboxIds": dict.fromkeys(self._some(await self._folders(), 2), True)}
        await self._call("Email/copy", accountId=own, fromAccountId=source, create={"copy": copy})

    async def _folder(self) -> None:
        (found,) = await self._call("Mailbox/get", properties=["name"])
        ids = [each["id"] for each in found["list"]]
        own = [each["id"] for each in found["list"] if each["name"] not in ("Inbox", *FIXED)]
        parent = self._dice.choice((None, self._dice.choice(ids)))
        match self._dice.randrange(5):
            case 0:
                await self._call("Mailbox/set", create={"new": {"name": self._name(), "parentId": parent}})
            case 1:
                order = {"sortOrder": self._dice.choice((None, self._dice.randrange(4)))}
                patch = self._dice.choice(({"name": self._name()}, {"parentId": parent}, {"name": "Same"}, order))
                await self._call("Mailbox/set", update={self._dice.choice(ids): patch})
            case 2:
                subscribed = {"isSubscribed": self._dice.choice((True, False))}
                await self._call("Mailbox/set", update={self._dice.choice(ids): subscribed})
            case 3:
                names = {each["id"]: each["name"] for each in found["list"]}
                one, two = self._dice.sample(ids, 2)
                await self._call("Mailbox/set", update={one: {"name": names[two]}, two: {"name": names[one]}})
            case _ if own:
                # Whose selected mailbox another session destroys is sent away.
                await self._ask("EXAMINE INBOX")
                with_emails = self._dice.choice((True, False))
                await self._call("Mailbox/set", destroy=[self._dice.choice(own)], onDestroyRemoveEmails=with_emails)

    async def _selected(self) -> str:
        """UIDs in a mailbox that is selected then, "" for none."""
        if not await self._ask(f'SELECT "{await self._path()}"'):
            return ""
        (line,) = [each for each in await self._ask("UID SEARCH ALL") if each.startswith("* SEARCH")]
        return ",".join(self._some(line.removeprefix("* SEARCH").split(), 4))

    async def _path(self) -> str:
        """Of one's own."""
        lines = await self._ask('LIST "" "*"')
        paths = [found[1] for line in lines if (found := _LISTED.match(line))]
        return self._dice.choice([path for path in paths if not path.startswith(OTHERS)])

    async def _folders(self) -> list[str]:
        (found,) = await self._call("Mailbox/get", properties=["id"])
        return [each["id"] for each in found["list"]]

    async def _emails(self) -> list[str]:
        (found,) = await self._call("Email/query")
        return self._some(found["ids"], 4)

    async def _ask(self, command: str) -> list[str]:
        """What was said untagged; nothing where it was refused."""
        await self._imap.send(f"x {command}\r\n".encode())
        said: list[str] = []
        while not (line := await self._imap.line()).startswith("x "):
            assert line, f"the server closed at {command!r}: {said}"
            said.append(line)
        assert line.startswith(("x OK", "x NO")), f"{command!r}: {line}"
        return said if line.startswith("x OK") else []

    async def _call(self, method: str, **arguments: Any) -> list[Any]:
        account_id = (await self._world.account(self._login)).account_id
        call = [method, {"accountId": account_id, **arguments}, "0"]
        look = ["Email/get", {"accountId": account_id, "ids": []}, "1"]
        responses = await self._world.api(call, look, using=[MAIL], login=f"{self._login}@{DOMAIN}")
        assert all(name != "error" for name, *_ in responses), f"{call}: {responses}"
        *answers, looked = [found for _, found, _ in responses]
        # What a call has written leads to the state that there is then.
        told = answers[0].get("newState", looked["state"])
        assert told == looked["state"] or not self._is_alone, f"{call}: {answers[0]}"
        return answers

    def _some(self, of: Sequence[str], most: int) -> list[str]:
        return self._dice.sample(of, min(len(of), self._dice.randint(1, most)))

    def _name(self) -> str:
        self._made += 1
        return self._dice.choice((f"Box {self._made}", "Same"))

    def _message_id(self) -> str:
        return f"{self._dice.randrange(9)}@x.example"

    def _message(self) -> bytes:
        subject = self._dice.choice(("alpha", "beta"))
        ids = f"Message-ID: <{self._message_id()}>\r\nReferences: <{self._message_id()}>\r\n"
        return f"{ids}Subject: {subject}\r\n\r\n{'text ' * self._dice.randint(1, 9)}\r\n".encode()
