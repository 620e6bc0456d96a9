"""One client of the stress: it believes only what the server tells it, and holds every word against what it knows, and
against what all clients together know (World). RFC 3501 §5.5, §7.4.1, RFC 4315 §3, RFC 7162 §3.1, §3.2.
"""

import asyncio
import re
import ssl
from bisect import bisect_left
from dataclasses import dataclass, field
from hashlib import sha256

from tests.support.imap_stress_link import StressLink

DEADLINE_S = 120
Key = tuple[int, int]
"""UIDVALIDITY and UID: one message in one mailbox for ever."""

_EXISTS = re.compile(r"\* (\d+) EXISTS")
_EXPUNGE = re.compile(r"\* (\d+) EXPUNGE")
_VANISHED = re.compile(r"\* VANISHED (\(EARLIER\) )?([\d:,]+)")
_FETCH = re.compile(r"\* (\d+) FETCH \((.*)\)", re.DOTALL)
_UID_FETCH = re.compile(r"\* (\d+) UIDFETCH \((.*)\)", re.DOTALL)
_SEARCH = re.compile(r"\* SEARCH((?: \d+)*)(?: \(MODSEQ \d+\))?")
_ESEARCH = re.compile(r'\* ESEARCH \(TAG "([^"]+)"\)( UID)?((?: [A-Z]+ \S+)*)')
_STATUS = re.compile(r'\* STATUS "[^"]*" \((.*)\)')
_UID = re.compile(r"\bUID (\d+)")
_FLAGS = re.compile(r"\bFLAGS \(([^)]*)\)")
_MOD_SEQ = re.compile(r"\bMODSEQ \((\d+)\)")
_CODE = re.compile(r"\[([A-Z]+)(?: ([^\]]*))?\]")
_OTHERS = ("* OK", "* NO", "* FLAGS ", "* LIST ", "* CAPABILITY ", "* ENABLED", "* 0 RECENT")


class StressFault(AssertionError):
    """The server broke a rule."""


def numbers_of(text: str) -> list[int]:
    """Of a set as the server writes it."""
    found: list[int] = []
    for piece in text.split(","):
        first, _, last = piece.partition(":")
        found.extend(range(int(first), int(last or first) + 1))
    return found


@dataclass(slots=True)
class World:
    """What is true for everybody. gone: told by the server to somebody."""

    contents: dict[Key, str] = field(default_factory=dict)
    gone: set[Key] = field(default_factory=set)
    validities: dict[str, int] = field(default_factory=dict)
    born: set[Key] = field(default_factory=set)

    def holds(self, key: Key, content: str) -> None:
        if self.contents.setdefault(key, content) != content:
            raise StressFault(f"message {key} changed its contents")

    def is_born(self, key: Key) -> None:
        """APPENDUID and COPYUID name each UID once."""
        if key in self.born:
            raise StressFault(f"UID {key} was given twice")
        self.born.add(key)


@dataclass(slots=True)
class Snapshot:
    """A mailbox as a client has kept it since mod_seq. RFC 7162 §3.2.5."""

    validity: int
    mod_seq: int
    flags: dict[int, frozenset[str]]


class StressClient:
    """uids: by position, None where not yet told; flags, mod_seqs: by UID, as far as told. told: UIDs whose flags the
    running command was told."""

    def __init__(self, name: str, world: World) -> None:
        self.name = name
        self.world = world
        self.is_condstore = False
        self.is_qresync = False
        self.is_uid_only = False
        self.mailbox = ""
        self.validity = 0
        self.highest = 0
        self.uids: list[int | None] = []
        self.flags: dict[int, frozenset[str]] = {}
        self.mod_seqs: dict[int, int] = {}
        self.earlier: set[int] = set()
        self.told: set[int] = set()
        self.found: list[int] = []
        self.codes: dict[str, str] = {}
        self.status: dict[str, int] = {}
        self.commands = 0
        self.log: list[str] = []
        self._running = ""
        self._link = StressLink()

    async def connect(self, host: str, port: int, *, tls: ssl.SSLContext | None = None) -> None:
        await self._link.connect(host, port, tls=tls)
        await self._response()

    async def close(self) -> None:
        await self._link.close()

    async def compress(self) -> None:
        said = await self.command("COMPRESS DEFLATE")
        if not said.startswith("OK"):
            raise self._fault(f"COMPRESS: {said}")
        self._link.compress()

    async def command(self, text: str, *literals: bytes) -> str:
        """The tagged response behind its tag. text: with {} where a literal stands."""
        self.commands += 1
        tag = f"{self.name}{self.commands}"
        self.told, self.found, self.codes = set(), [], {}
        self._running = text
        self.log.append(f"C {text}")
        pieces = text.split("{}")
        written = f"{tag} {pieces[0]}".encode()
        for literal, rest in zip(literals, pieces[1:], strict=True):
            written += b"{%d+}\r\n" % len(literal) + literal + rest.encode()
        await self._link.send(written + b"\r\n")
        said = await self._until(f"{tag} ")
        if said.startswith("BAD"):
            raise self._fault(f"{text!r} was answered {said!r}")
        self._note_codes(said)
        self._running = ""
        return said

    async def idle(self, seconds: float) -> None:
        self.commands += 1
        tag = f"{self.name}{self.commands}"
        self._running = "IDLE"
        await self._link.send(f"{tag} IDLE\r\n".encode())
        await self._until("+ ")
        try:
            async with asyncio.timeout(seconds):
                while True:
                    self._untagged(*await self._response())
        except TimeoutError:
            pass
        await self._link.send(b"DONE\r\n")
        await self._until(f"{tag} ")
        self._running = ""

    def forget(self) -> None:
        """Before another mailbox is opened, and after one was closed."""
        self.mailbox, self.validity, self.highest = "", 0, 0
        self.uids, self.flags, self.mod_seqs, self.earlier = [], {}, {}, set()

    def known(self) -> list[int]:
        return [uid for uid in self.uids if uid is not None]

    async def _until(self, start: str) -> str:
        while True:
            text, literals = await self._response()
            if text.startswith(start):
                return text.removeprefix(start)
            self._untagged(text, literals)

    async def _response(self) -> tuple[str, list[bytes]]:
        async with asyncio.timeout(DEADLINE_S):
            text, literals = await self._link.response()
        self.log.append(f"S {text[:300]}")
        del self.log[:-40]
        return text, literals

    def _untagged(self, text: str, literals: list[bytes]) -> None:
        if found := _EXISTS.fullmatch(text):
            self._exists(int(found.group(1)))
        elif found := _EXPUNGE.fullmatch(text):
            self._expunge(int(found.group(1)))
        elif found := _VANISHED.fullmatch(text):
            self._vanished(numbers_of(found.group(2)), is_earlier=found.group(1) is not None)
        elif found := _FETCH.fullmatch(text):
            self._fetch(int(found.group(1)), found.group(2), literals)
        elif found := _UID_FETCH.fullmatch(text):
            self._uid_fetch(int(found.group(1)), found.group(2), literals)
        elif found := _SEARCH.fullmatch(text):
            self.found = [int(number) for number in found.group(1).split()]
        elif found := _ESEARCH.fullmatch(text):
            self._esearch(found.group(1), found.group(3))
        elif found := _STATUS.fullmatch(text):
            words = found.group(1).split()
            self.status = dict(zip(words[::2], map(int, words[1::2]), strict=True))
        elif text.startswith(_OTHERS):
            self._note_codes(text)
        else:
            raise self._fault(f"unexpected {text!r}")

    def _esearch(self, tag: str, data: str) -> None:
        """RFC 4731 §3.1: COUNT, MIN and MAX are those of ALL."""
        if tag != f"{self.name}{self.commands}":
            raise self._fault(f"ESEARCH for {tag}")
        words = data.split()
        told = dict(zip(words[::2], words[1::2], strict=True))
        self.found = numbers_of(told["ALL"]) if "ALL" in told else []
        ends = (min(self.found), max(self.found)) if self.found else ()
        expected = (str(len(self.found)), *map(str, ends))
        if (told["COUNT"], *(told[word] for word in ("MIN", "MAX") if word in told)) != expected:
            raise self._fault(f"ESEARCH does not fit together:{data}")

    def _note_codes(self, text: str) -> None:
        if found := _CODE.search(text):
            self.codes[found.group(1)] = found.group(2) or ""
            if found.group(1) == "UIDVALIDITY":
                # What SELECT says behind it is of the new mailbox already, what vanished meanwhile too.
                self.validity = int(self.codes["UIDVALIDITY"])

    def _exists(self, count: int) -> None:
        if count < len(self.uids):
            raise self._fault(f"{count} EXISTS after {len(self.uids)}: only EXPUNGE makes a mailbox smaller")
        self.uids += [None] * (count - len(self.uids))

    def _check_may_shrink(self) -> None:
        """RFC 3501 §7.4.1, RFC 7162 §3.2.10."""
        if self._running.startswith(("FETCH", "STORE", "SEARCH")) or not self._running:
            raise self._fault(f"numbers shift in answer to {self._running!r}")

    def _expunge(self, number: int) -> None:
        if self.is_qresync or self.is_uid_only:
            raise self._fault("EXPUNGE after ENABLE QRESYNC or UIDONLY")
        self._check_may_shrink()
        if not 1 <= number <= len(self.uids):
            raise self._fault(f"EXPUNGE of {number} of {len(self.uids)}")
        uid = self.uids.pop(number - 1)
        if uid is not None:
            self._is_gone(uid)

    def _vanished(self, uids: list[int], *, is_earlier: bool) -> None:
        if not self.is_qresync and not self.is_uid_only:
            raise self._fault("VANISHED without ENABLE QRESYNC or UIDONLY")
        if is_earlier:
            self.earlier.update(uids)
            return
        self._check_may_shrink()
        for uid in uids:
            self._remove(uid)
            self._is_gone(uid)

    def _remove(self, uid: int) -> None:
        """Where the UID was not yet told, it is one of the untold between its neighbours."""
        if self.is_uid_only and uid not in self.uids and None in self.uids:
            self.uids.remove(None)
            return
        below = max((at for at, known in enumerate(self.uids) if known is not None and known <= uid), default=-1)
        at = below if below >= 0 and self.uids[below] == uid else below + 1
        if at >= len(self.uids) or self.uids[at] not in (None, uid):
            raise self._fault(f"VANISHED {uid}, which is none of ours")
        del self.uids[at]

    def _is_gone(self, uid: int) -> None:
        self.flags.pop(uid, None)
        self.mod_seqs.pop(uid, None)
        self.world.gone.add((self.validity, uid))

    def _fetch(self, number: int, items: str, literals: list[bytes]) -> None:
        if self.is_uid_only:
            raise self._fault("FETCH after ENABLE UIDONLY")
        if not 1 <= number <= len(self.uids):
            raise self._fault(f"FETCH of {number} of {len(self.uids)}")
        if found := _UID.search(items):
            self._place(number, int(found.group(1)))
        uid = self.uids[number - 1]
        if uid is not None:
            self._take_in(uid, items, literals)

    def _uid_fetch(self, uid: int, items: str, literals: list[bytes]) -> None:
        """RFC 9586 §3.3. Where no number is told, the new ones are the last ones."""
        if not self.is_uid_only:
            raise self._fault("UIDFETCH without ENABLE UIDONLY")
        if uid not in self.uids:
            if None not in self.uids:
                raise self._fault(f"UIDFETCH of {uid}, and all {len(self.uids)} are known")
            known = self.known()
            self.uids.remove(None)
            self.uids.insert(bisect_left(known, uid), uid)
        self._take_in(uid, items, literals)

    def _take_in(self, uid: int, items: str, literals: list[bytes]) -> None:
        if found := _MOD_SEQ.search(items):
            self._mod_seq(uid, int(found.group(1)))
        if found := _FLAGS.search(items):
            self.told.add(uid)
            self.flags[uid] = frozenset(found.group(1).split())
        if literals and "BODY[]" in items:
            self.world.holds((self.validity, uid), sha256(literals[0]).hexdigest())

    def _place(self, number: int, uid: int) -> None:
        if self.uids[number - 1] not in (None, uid):
            raise self._fault(f"number {number} was UID {self.uids[number - 1]}, is {uid}")
        self.uids[number - 1] = uid
        known = self.known()
        if known != sorted(set(known)):
            raise self._fault("UIDs do not ascend")

    def _mod_seq(self, uid: int, mod_seq: int) -> None:
        if mod_seq < self.mod_seqs.get(uid, 0):
            raise self._fault(f"MODSEQ of {uid} went from {self.mod_seqs[uid]} to {mod_seq}")
        self.mod_seqs[uid] = mod_seq

    def _fault(self, text: str) -> StressFault:
        return StressFault(f"{self.name}: {text}\n" + "\n".join(self.log[-25:]))
