"""A stress that checks state: several clients of one account do at random what comes to their minds, at two mailboxes
and some of their own, and hold every response against what they know. Ends with a fault, or with numbers.

python -m tests.support.imap_stress --host H --port P --user U --password PW --seconds 60 --clients 5 --seed 1
"""

import argparse
import asyncio
import random
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256

from tests.support.imap_stress_client import Snapshot, StressClient, StressFault, World, numbers_of

MAILBOXES = ("Stress", "Stress/Second")
FLAGS = ("\\Seen", "\\Flagged", "\\Deleted", "\\Deleted", "\\Answered", "$todo")
MOST_MESSAGES = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    host: str
    port: int
    user: str
    password: str


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

    async def begin(self, place: Place, *, is_qresync: bool) -> None:
        await self.client.connect(place.host, place.port)
        await self.client.command("LOGIN {} {}", place.user.encode(), place.password.encode())
        if is_qresync:
            await self.client.command("ENABLE QRESYNC")
            self.client.is_qresync = True
        await self.open(MAILBOXES[0])

    async def play(self, until: float) -> None:
        while time.monotonic() < until:
            await self.dice.choice(self.moves)()

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
        items = "(UID FLAGS MODSEQ)" if self.client.is_qresync else "(UID FLAGS)"
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
        is_silent, is_uid = self.dice.random() < 0.5, self.dice.random() < 0.5
        uids = [uid for number in numbers if (uid := client.uids[number - 1]) is not None]
        if is_uid and not uids:
            return
        before = {uid: client.flags.get(uid) for uid in uids}
        chosen = ",".join(map(str, uids if is_uid else numbers))
        command = f"{'UID STORE' if is_uid else 'STORE'} {chosen}"
        if client.is_qresync and self.dice.random() < 0.3 and all(uid in client.mod_seqs for uid in uids):
            command += f" (UNCHANGEDSINCE {max((client.mod_seqs[uid] for uid in uids), default=1)})"
            is_silent = False
        said = await client.command(f"{command} {sign}FLAGS{'.SILENT' if is_silent else ''} ({flag})")
        check(said.startswith(("OK", "NO")), client, f"STORE: {said}")
        if is_silent and said.startswith("OK"):
            self.apply_silently(before, sign, flag)

    def apply_silently(self, before: dict[int, frozenset[str] | None], sign: str, flag: str) -> None:
        """As a client does that is told nothing; what it is told of a message meanwhile goes first."""
        client = self.client
        told = {client.uids[number - 1] for number in client.told if number <= len(client.uids)}
        for uid, old in before.items():
            if old is None or uid in told or uid not in client.flags:
                continue
            changed = {"+": old | {flag}, "-": old - {flag}, "": frozenset({flag})}[sign]
            client.flags[uid] = changed

    async def fetch(self) -> None:
        numbers = self.some()
        if numbers:
            items = self.dice.choice(("(UID FLAGS)", "(UID BODY.PEEK[])", "FLAGS", "(UID RFC822.SIZE)"))
            said = await self.client.command(f"FETCH {','.join(map(str, numbers))} {items}")
            check(said.startswith(("OK", "NO")), self.client, f"FETCH: {said}")
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
        is_uid = self.dice.random() < 0.5
        query = self.dice.choice(("ALL", "SEEN", "DELETED", "1:*", "NOT FLAGGED"))
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


async def stress(place: Place, *, seconds: float, clients: int, seed: int) -> int:
    """The number of commands. Raises StressFault, as soon as one client finds something."""
    world = World()
    await prepare(place, world)
    players = [Player(StressClient(f"c{at}x", world), random.Random(f"{seed}/{at}")) for at in range(clients)]
    until = time.monotonic() + seconds
    try:
        async with asyncio.TaskGroup() as group:
            for at, player in enumerate(players):
                group.create_task(run(player, place, until, is_qresync=at % 2 == 1))
        await converge(players)
    finally:
        for player in players:
            await player.client.close()
    return sum(player.client.commands for player in players)


async def prepare(place: Place, world: World) -> None:
    client = StressClient("prepare", world)
    await client.connect(place.host, place.port)
    await client.command("LOGIN {} {}", place.user.encode(), place.password.encode())
    for mailbox in reversed(MAILBOXES):
        await client.command(f'DELETE "{mailbox}"')
    for mailbox in MAILBOXES:
        await client.command(f'CREATE "{mailbox}"')
    await client.close()


async def run(player: Player, place: Place, until: float, *, is_qresync: bool) -> None:
    await player.begin(place, is_qresync=is_qresync)
    await player.play(until)


async def converge(players: list[Player]) -> None:
    """With nobody at work any more, all know the same, and it is what the server has."""
    for mailbox in MAILBOXES:
        views = []
        for player in players:
            client = player.client
            if client.mailbox == mailbox:
                await client.command("NOOP")
                believed = dict(client.flags)
                await player.fetch_all()
                for uid, flags in believed.items():
                    check(
                        client.flags.get(uid) == flags, client, f"believed {uid} to be {flags}: {client.flags.get(uid)}"
                    )
            else:
                await player.open(mailbox)
            await check_status(client, mailbox)
            views.append((client.known(), {uid: client.flags.get(uid) for uid in client.known()}))
        check(all(view == views[0] for view in views), players[0].client, "the clients do not agree")


async def check_status(client: StressClient, mailbox: str) -> None:
    """RFC 9051 §6.3.11, RFC 7162 §3.1.2.2: it fits what the client has seen."""
    items = "MESSAGES UIDNEXT UNSEEN DELETED"
    await client.command(f'STATUS "{mailbox}" ({items}{" HIGHESTMODSEQ" if client.is_qresync else ""})')
    flags = [client.flags[uid] for uid in client.known()]
    status = client.status
    check(status["MESSAGES"] == len(client.uids), client, f"STATUS {status}")
    check(status["UIDNEXT"] > max(client.known(), default=0), client, f"STATUS {status}")
    check(status["UNSEEN"] == sum("\\Seen" not in each for each in flags), client, f"STATUS {status}")
    check(status["DELETED"] == sum("\\Deleted" in each for each in flags), client, f"STATUS {status}")
    if client.is_qresync:
        check(status["HIGHESTMODSEQ"] >= max(client.mod_seqs.values(), default=0), client, f"STATUS {status}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--user", required=True)
    parser.add_argument("--password", required=True)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--clients", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    place = Place(host=chosen.host, port=chosen.port, user=chosen.user, password=chosen.password)
    try:
        commands = asyncio.run(stress(place, seconds=chosen.seconds, clients=chosen.clients, seed=chosen.seed))
    except ExceptionGroup as found:
        sys.stdout.write("".join(f"{fault!s}\n" for fault in found.exceptions))
        return 1
    except StressFault as fault:
        sys.stdout.write(f"{fault}\n")
        return 1
    sys.stdout.write(f"{commands} commands, nothing wrong\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
