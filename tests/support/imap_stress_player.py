"""A client of the stress with dice: one move after the other at random, each held against what it knows."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256

from tests.support.imap_stress_client import DEADLINE_S, Snapshot, StressClient, StressFault, numbers_of
from tests.support.imap_stress_link import StressClosed

MAILBOXES = ("Stress", "Stress/Second")
FLAGS = ("\\Seen", "\\Flagged", "\\Deleted", "\\Deleted", "\\Answered", "$todo")
MOST_MESSAGES = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    host: str
    port: int
    user: str
    password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """What a client has switched on."""

    is_condstore: bool = False
    is_qresync: bool = False
    is_uid_only: bool = False
    is_compressed: bool = False


MODES = (
    Mode(),
    Mode(is_condstore=True, is_qresync=True),
    Mode(is_uid_only=True),
    Mode(is_condstore=True, is_qresync=True, is_compressed=True),
    Mode(is_condstore=True),
    Mode(is_uid_only=True, is_condstore=True, is_compressed=True),
)
RETRY_S = 0.05
LEAST_COMMANDS = 20


class Player:
    """One client and its dice. serial: makes its messages unlike all others."""

    def __init__(self, client: StressClient, dice: random.Random) -> None:
        self.client = client
        self.dice = dice
        self.serial = 0
        self.snapshots: dict[str, Snapshot] = {}
        self.moves: tuple[Callable[[], Awaitable[None]], ...] = (
            *(self.append,) * 3,
            *(self.store,) * 5,
            *(self.fetch,) * 4,
            *(self.copy_or_move,) * 2,
            self.expunge,
            self.search,
            self.idle,
            *(self.poll,) * 2,
            self.reopen,
            self.own_mailbox,
            self.replace,
        )

    async def begin(self, place: Place, mode: Mode) -> None:
        client = self.client
        client.is_condstore = client.is_qresync = client.is_uid_only = False
        await client.connect(place.host, place.port)
        said = await client.command("LOGIN {} {}", place.user.encode(), place.password.encode())
        check(said.startswith("OK"), client, f"LOGIN: {said}")
        if mode.is_compressed:
            await client.compress()
        for word, is_wanted in (
            ("CONDSTORE", mode.is_condstore),
            ("QRESYNC", mode.is_qresync),
            ("UIDONLY", mode.is_uid_only),
        ):
            if is_wanted:
                await client.command(f"ENABLE {word}")
        client.is_condstore, client.is_qresync = mode.is_condstore, mode.is_qresync
        client.is_uid_only = mode.is_uid_only
        await self.open(self.dice.choice(MAILBOXES))

    async def play(self, until: float) -> None:
        """On a busy machine for longer, until it has said enough."""
        while time.monotonic() < until or self.client.commands < LEAST_COMMANDS:
            await self.dice.choice(self.moves)()

    async def play_on(self, place: Place, mode: Mode, until: float) -> None:
        """However often the server goes away, the client comes back, and all that it was told is still true."""
        latest = until + DEADLINE_S
        while True:
            try:
                await self.begin(place, mode)
                return await self.play(until)
            except StressClosed:
                check(time.monotonic() < latest, self.client, "the server stays away")
                await self.client.close()
                await asyncio.sleep(RETRY_S)

    async def open(self, mailbox: str) -> None:
        """With all UIDs and flags; where the client has a snapshot, sometimes by QRESYNC."""
        client, world = self.client, self.client.world
        client.forget()
        gone_before = set(world.gone)
        snapshot = self.snapshots.get(mailbox) if client.is_qresync and self.dice.random() < 0.7 else None
        parameters = f" (QRESYNC ({snapshot.validity} {snapshot.mod_seq}))" if snapshot else ""
        said = await client.command(f'SELECT "{mailbox}"{parameters}')
        check(said.startswith("OK"), client, f"SELECT: {said}")
        client.mailbox = mailbox
        check(client.validity > 0, client, "no UIDVALIDITY")
        check(world.validities.setdefault(mailbox, client.validity) == client.validity, client, "UIDVALIDITY changed")
        client.highest = int(client.codes.get("HIGHESTMODSEQ", 0))
        merged = None
        if snapshot is not None:
            kept = {uid: flags for uid, flags in snapshot.flags.items() if uid not in client.earlier}
            merged = {**kept, **client.flags}
        await self.fetch_all()
        uids = client.known()
        check(not gone_before & {(client.validity, uid) for uid in uids}, client, "what was expunged is back")
        if merged is not None:
            self.compare(merged, client.highest)
        if client.is_qresync:
            self.snapshots[mailbox] = Snapshot(client.validity, client.highest, dict(client.flags))

    async def fetch_all(self) -> None:
        items = "(UID FLAGS MODSEQ)" if self.client.is_condstore else "(UID FLAGS)"
        await self.client.command(f"UID FETCH 1:* {items}")

    def compare(self, merged: dict[int, frozenset[str]], highest: int) -> None:
        """RFC 7162 §3.2.5: snapshot and news make up the mailbox; what came after the SELECT has a larger MODSEQ."""
        client = self.client
        for uid, flags in client.flags.items():
            is_later = client.mod_seqs.get(uid, 0) > highest
            check(is_later or merged.get(uid) == flags, client, f"QRESYNC: {uid} has {flags}, was {merged.get(uid)}")
        for uid in merged.keys() - client.flags.keys():
            is_told = (client.validity, uid) in client.world.gone
            check(is_told, client, f"QRESYNC: {uid} is gone, and nobody said so")

    async def append(self) -> None:
        client = self.client
        if len(client.uids) > MOST_MESSAGES and self.dice.random() < 0.8:
            return
        mailbox = self.dice.choice(MAILBOXES)
        messages = [self.message() for _ in range(self.dice.choice((1, 1, 1, 2, 5)))]
        flags = self.dice.choice(("", f" ({self.dice.choice(FLAGS)})"))
        said = await client.command(f'APPEND "{mailbox}"' + f"{flags} {{}}" * len(messages), *messages)
        check(said.startswith("OK"), client, f"APPEND: {said}")
        self.born(client.codes["APPENDUID"], messages)

    def born(self, code: str, messages: list[bytes]) -> None:
        validity, uids = code.split()
        numbers = numbers_of(uids)
        check(len(numbers) == len(messages), self.client, f"APPENDUID {code} for {len(messages)}")
        for uid, message in zip(numbers, messages, strict=True):
            self.client.world.is_born((int(validity), uid))
            self.client.world.holds((int(validity), uid), sha256(message).hexdigest())

    async def store(self) -> None:
        client = self.client
        numbers = self.some()
        if not numbers:
            return
        sign, flag = self.dice.choice(("+", "-", "")), self.dice.choice(FLAGS)
        is_silent, is_uid = self.dice.random() < 0.5, client.is_uid_only or self.dice.random() < 0.5
        uids = [uid for number in numbers if (uid := client.uids[number - 1]) is not None]
        if is_uid and not uids:
            return
        before = {uid: client.flags.get(uid) for uid in uids}
        chosen = ",".join(map(str, uids if is_uid else numbers))
        command = f"{'UID STORE' if is_uid else 'STORE'} {chosen}"
        if client.is_condstore and self.dice.random() < 0.3 and all(uid in client.mod_seqs for uid in uids):
            command += f" (UNCHANGEDSINCE {max((client.mod_seqs[uid] for uid in uids), default=1)})"
            is_silent = False
        said = await client.command(f"{command} {sign}FLAGS{'.SILENT' if is_silent else ''} ({flag})")
        check(said.startswith(("OK", "NO")), client, f"STORE: {said}")
        if is_silent and said.startswith("OK"):
            self.apply_silently(before, sign, flag)

    def apply_silently(self, before: dict[int, frozenset[str] | None], sign: str, flag: str) -> None:
        """As a client does that is told nothing; what it is told of a message meanwhile goes first."""
        client = self.client
        for uid, old in before.items():
            if old is None or uid in client.told or uid not in client.flags:
                continue
            changed = {"+": old | {flag}, "-": old - {flag}, "": frozenset({flag})}[sign]
            client.flags[uid] = changed

    async def fetch(self) -> None:
        client, numbers = self.client, self.some()
        uids = [uid for number in numbers if (uid := client.uids[number - 1]) is not None]
        chosen, word = (uids, "UID FETCH") if client.is_uid_only else (numbers, "FETCH")
        if chosen:
            items = self.dice.choice(("(UID FLAGS)", "(UID BODY.PEEK[])", "FLAGS", "(UID RFC822.SIZE)"))
            said = await client.command(f"{word} {','.join(map(str, chosen))} {items}")
            check(said.startswith(("OK", "NO")), client, f"FETCH: {said}")
        else:
            await self.fetch_all()

    async def copy_or_move(self) -> None:
        client = self.client
        uids = client.known()
        if not uids or len(client.uids) > 2 * MOST_MESSAGES:
            return
        chosen = sorted(self.dice.sample(uids, min(len(uids), self.dice.randint(1, 3))))
        word = self.dice.choice(("COPY", "MOVE", "MOVE"))
        source, target = client.validity, self.dice.choice(MAILBOXES)
        said = await client.command(f'UID {word} {",".join(map(str, chosen))} "{target}"')
        check(said.startswith(("OK", "NO")), client, f"{word}: {said}")
        code = client.codes.get("COPYUID")
        if code:
            validity, old, new = code.split()
            for old_uid, new_uid in zip(numbers_of(old), numbers_of(new), strict=True):
                client.world.is_born((int(validity), new_uid))
                content = client.world.contents.get((source, old_uid))
                if content is not None:
                    client.world.holds((int(validity), new_uid), content)

    async def replace(self) -> None:
        client = self.client
        uids = client.known()
        if uids:
            message = self.message()
            said = await client.command(f'UID REPLACE {self.dice.choice(uids)} "{client.mailbox}" {{}}', message)
            if said.startswith("OK"):
                self.born(client.codes["APPENDUID"], [message])

    async def expunge(self) -> None:
        await self.client.command(self.dice.choice(("EXPUNGE", "UID EXPUNGE 1:*")))

    async def search(self) -> None:
        client = self.client
        is_uid = client.is_uid_only or self.dice.random() < 0.5
        query = self.dice.choice(("ALL", "SEEN", "DELETED", "UID 1:*" if is_uid else "1:*", "NOT FLAGGED"))
        if query == "1:*" and not client.uids:
            return
        returns = self.dice.choice(("", "RETURN (MIN MAX COUNT ALL) "))
        await client.command(f"{'UID ' if is_uid else ''}SEARCH {returns}{query}")
        if not is_uid:
            check(all(1 <= one <= len(client.uids) for one in client.found), client, "SEARCH found what is not there")

    async def idle(self) -> None:
        await self.client.idle(self.dice.random() * 0.05)

    async def poll(self) -> None:
        await self.client.command(self.dice.choice(("NOOP", "CHECK", f'STATUS "{MAILBOXES[1]}" (MESSAGES UIDNEXT)')))

    async def reopen(self) -> None:
        if self.dice.random() < 0.5:
            await self.client.command("UNSELECT")
        await self.open(self.dice.choice(MAILBOXES))

    async def own_mailbox(self) -> None:
        """What is renamed keeps its messages and its UIDVALIDITY, or gets another one."""
        client = self.client
        name, new = f"own-{client.name}-{self.serial}", f"renamed-{client.name}-{self.serial}"
        message = self.message()
        for left in (name, new):
            await client.command(f'DELETE "{left}"')
        for command in (f'CREATE "{name}"', f'RENAME "{name}" "{new}"'):
            said = await client.command(command)
            check(said.startswith("OK"), client, f"{command}: {said}")
        said = await client.command(f'APPEND "{new}" {{}}', message)
        check(said.startswith("OK"), client, f"APPEND after RENAME: {said}")
        self.born(client.codes["APPENDUID"], [message])
        for command in (f'RENAME "{new}" "{name}"', f'DELETE "{name}"'):
            said = await client.command(command)
            check(said.startswith("OK"), client, f"{command}: {said}")

    def some(self) -> list[int]:
        count = len(self.client.uids)
        return sorted(self.dice.sample(range(1, count + 1), min(count, self.dice.randint(1, 5))))

    def message(self) -> bytes:
        self.serial += 1
        body = f"line {self.dice.random()}\r\n" * self.dice.choice((1, 10, 200))
        return f"From: {self.client.name}@a.example\r\nSubject: {self.serial}\r\n\r\n{body}".encode()


def check(holds: bool, client: StressClient, text: str) -> None:
    if not holds:
        raise StressFault(f"{client.name}: {text}\n" + "\n".join(client.log[-25:]))
