"""A client that comes and goes, and knows only what QRESYNC tells it: it ends with what is there. RFC 7162 §3.2."""

import random
import re

import pytest

from tests.servers.imap.conftest import message
from tests.support.imap_dialogue import ImapClient, imap_client
from tests.support.imap_server import RunningImap

ROUNDS, CHANGES = 12, 8
_FETCH = re.compile(r"\* \d+ (?:UID)?FETCH \(UID (\d+) FLAGS \(([^)]*)\)")
_VANISHED = re.compile(r"\* VANISHED (?:\(EARLIER\) )?(\S+)")
_CODE = re.compile(r"\[(HIGHESTMODSEQ|UIDVALIDITY) (\d+)\]")
FLAGS = ("\\Seen", "\\Flagged", "\\Deleted", "work", "$Forwarded")


class ReturningClient:
    """flags: by UID. Everything it knows came in a line."""

    def __init__(self) -> None:
        self.flags: dict[int, frozenset[str]] = {}
        self.codes: dict[str, int] = {}

    async def visit(self, port: int, chance: random.Random, others: list[ImapClient]) -> None:
        async with imap_client(port) as client:
            await client.login()
            await self.command(client, "ENABLE QRESYNC")
            known = f" (QRESYNC ({self.codes['UIDVALIDITY']} {self.codes['HIGHESTMODSEQ']}))" if self.codes else ""
            await self.command(client, f"SELECT INBOX{known}")
            if not known:
                await self.command(client, "UID FETCH 1:* FLAGS")
            for _ in range(2):
                await change(chance.choice(others), chance)
                await self.command(client, "NOOP")
            # New messages are only counted; what they are, the next question tells.
            await self.command(client, f"UID FETCH 1:* FLAGS (CHANGEDSINCE {self.codes['HIGHESTMODSEQ']} VANISHED)")

    async def command(self, client: ImapClient, text: str) -> None:
        await client.send(f"v {text}\r\n".encode())
        while not (line := await client.line()).startswith("v "):
            self._heard(line)
        assert line.startswith("v OK"), (text, line)

    def _heard(self, line: str) -> None:
        if found := _FETCH.match(line):
            self.flags[int(found.group(1))] = frozenset(found.group(2).split())
        elif found := _VANISHED.match(line):
            for uid in uids_of(found.group(1)):
                self.flags.pop(uid, None)
        elif found := _CODE.search(line):
            self.codes[found.group(1)] = int(found.group(2))


def uids_of(text: str) -> list[int]:
    ranges = [piece.split(":") for piece in text.split(",")]
    return [uid for ends in ranges for uid in range(int(ends[0]), int(ends[-1]) + 1)]


async def change(client: ImapClient, chance: random.Random) -> None:
    """One of the things that other clients do."""
    low = chance.randrange(1, 30)
    kind = chance.randrange(5)
    if kind == 0:
        await client.append(message(chance.randrange(100)))
        return
    commands = {
        1: f"UID STORE {low}:{low + 4} +FLAGS.SILENT ({chance.choice(FLAGS)})",
        2: f"UID STORE {low}:{low + 9} -FLAGS.SILENT ({chance.choice(FLAGS)})",
        3: "EXPUNGE",
        4: f"UID COPY {low} INBOX",
    }
    await client.send(f"c {commands[kind]}\r\n".encode())
    while not (line := await client.line()).startswith("c "):
        pass
    assert line.startswith("c OK"), (commands[kind], line)


@pytest.mark.parametrize("seed", range(4))
async def test_what_a_returning_client_knows_is_what_is_there(server: RunningImap, seed: int) -> None:
    chance = random.Random(seed)
    returning = ReturningClient()
    async with imap_client(server.port) as one, imap_client(server.port) as two:
        for other in (one, two):
            await other.login()
            for number in range(8):
                await other.append(message(number))
            await other.talk("C: s SELECT INBOX\nS: ...\nS: s OK …")
        for _ in range(ROUNDS):
            await returning.visit(server.port, chance, [one, two])
            assert returning.flags == await truth(server.port)
            for _ in range(CHANGES):
                await change(chance.choice((one, two)), chance)


async def truth(port: int) -> dict[int, frozenset[str]]:
    stranger = ReturningClient()
    async with imap_client(port) as client:
        await client.login()
        await stranger.command(client, "EXAMINE INBOX")
        await stranger.command(client, "UID FETCH 1:* FLAGS")
    return stranger.flags
