"""A client that believes only what the server tells it, and checks that all of it fits together.

RFC 3501 §5.5, §7.4.1: which untagged responses may come when, and what the numbers in them mean.
"""

import re

from tests.support.imap_dialogue import ImapClient

_EXISTS = re.compile(r"\* (\d+) EXISTS")
_EXPUNGE = re.compile(r"\* (\d+) EXPUNGE")
_FETCH = re.compile(r"\* (\d+) FETCH \((.*)\)")
_UID = re.compile(r"UID (\d+)")
_FLAGS = re.compile(r"FLAGS \(([^)]*)\)")
_SEARCH = re.compile(r"\* SEARCH((?: \d+)*)")
_FIXED_NUMBERS = ("FETCH", "STORE", "SEARCH")


class ModelClient:
    """uids, flags: by position; None where the server has not said it yet."""

    def __init__(self, client: ImapClient) -> None:
        self.client = client
        self.uids: list[int | None] = []
        self.flags: list[frozenset[str] | None] = []
        self._found: list[int] = []
        self._told: set[int] = set()
        self._count = 0

    async def select(self, command: str = "SELECT INBOX") -> None:
        self.uids, self.flags = [], []
        await self.command(command)
        await self.command("UID FETCH 1:* FLAGS")

    async def command(self, text: str) -> str:
        """What comes after the tag; it is no BAD."""
        tag = self._next_tag()
        await self.client.send(f"{tag} {text}\r\n".encode())
        return await self._until(tag, text)

    async def append(self, message: bytes) -> None:
        tag = self._next_tag()
        await self.client.send(b"%b APPEND INBOX {%d+}\r\n%b\r\n" % (tag.encode(), len(message), message))
        await self._until(tag, "APPEND")

    async def idle(self) -> None:
        tag = self._next_tag()
        await self.client.send(f"{tag} IDLE\r\n".encode())
        while not (line := await self.client.line()).startswith("+ "):
            self._untagged(line, "IDLE")
        await self.client.send(b"DONE\r\n")
        await self._until(tag, "IDLE")

    async def store(self, numbers: list[int], sign: str, flag: str, *, is_silent: bool) -> None:
        """As the client would do it in its own list when the server keeps silent."""
        self._told.clear()
        item = f"{sign}FLAGS{'.SILENT' if is_silent else ''}"
        await self.command(f"STORE {','.join(map(str, numbers))} {item} ({flag})")
        if not is_silent:
            return
        for number in numbers:
            known = self.flags[number - 1]
            if known is not None and number not in self._told:
                self.flags[number - 1] = known | {flag} if sign == "+" else known - {flag}

    async def search(self, query: str) -> list[int]:
        self._found = []
        await self.command(f"SEARCH {query}")
        assert all(1 <= number <= len(self.uids) for number in self._found)
        return self._found

    def _next_tag(self) -> str:
        self._count += 1
        return f"t{self._count}"

    async def _until(self, tag: str, command: str) -> str:
        while not (line := await self.client.line()).startswith(f"{tag} "):
            assert line.startswith("* "), line
            self._untagged(line, command)
        said = line.removeprefix(f"{tag} ")
        assert not said.startswith("BAD"), (command, said)
        return said

    def _untagged(self, line: str, command: str) -> None:
        if found := _EXISTS.fullmatch(line):
            self._exists(int(found.group(1)))
        elif found := _EXPUNGE.fullmatch(line):
            assert not command.startswith(_FIXED_NUMBERS), f"{line} in answer to {command}"
            self._expunge(int(found.group(1)))
        elif found := _FETCH.fullmatch(line):
            self._fetch(int(found.group(1)), found.group(2))
        elif found := _SEARCH.fullmatch(line):
            self._found = [int(number) for number in found.group(1).split()]
        else:
            assert line.startswith(("* OK ", "* FLAGS ", "* 0 RECENT")), line

    def _exists(self, count: int) -> None:
        assert count >= len(self.uids), "RFC 3501 §7.3.1: only EXPUNGE makes a mailbox smaller"
        fresh = count - len(self.uids)
        self.uids += [None] * fresh
        self.flags += [None] * fresh

    def _expunge(self, number: int) -> None:
        assert 1 <= number <= len(self.uids)
        del self.uids[number - 1]
        del self.flags[number - 1]

    def _fetch(self, number: int, items: str) -> None:
        assert 1 <= number <= len(self.uids), f"{number} of {len(self.uids)}"
        self._told.add(number)
        if uid := _UID.search(items):
            known, said = self.uids[number - 1], int(uid.group(1))
            assert known in (None, said), f"{number} was {known}, is {said}"
            self.uids[number - 1] = said
            numbers = [one for one in self.uids if one is not None]
            assert numbers == sorted(set(numbers))
        if flags := _FLAGS.search(items):
            self.flags[number - 1] = frozenset(flags.group(1).split())
