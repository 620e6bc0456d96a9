"""What the tests of a file work on: mailboxes, mail that was sent, settings, scripts and their faults."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mailstack.model.message import RawMessage
from mailstack.sieve.actions import Flags
from mailstack.sieve.check import compile_script
from mailstack.sieve.facts import (
    Fact,
    IncludedScript,
    IsDuplicate,
    IsListed,
    ListExists,
    MailboxExists,
    MailboxIdExists,
    Metadata,
    SpecialUseExists,
)
from mailstack.sieve.faults import Broken
from mailstack.sieve.language import Extension
from mailstack.sieve.run import Script, SieveEnvelope
from tests.support.svtest.settings import Settings


@dataclass(frozen=True, slots=True)
class Block:
    """failure: why it failed, "" for one that passed."""

    name: str
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Stored:
    raw: RawMessage
    flags: Flags


@dataclass(frozen=True, slots=True)
class Sent:
    raw: RawMessage
    envelope: SieveEnvelope


@dataclass
class World:
    """folder: of the file; other scripts are named from there. extensions: that those may require, the dialect too.
    script: the one that test_script_compile made last. errors: of what was compiled, run or carried out last. executed:
    how many actions of the result were carried out. flags: of the message that tests look at, as it was stored.
    is_linking: scripts that are included are compiled with the one that includes them; chain: of scripts that include
    each other, at the place where compiling is; linked: all that were. included_faults: of these."""

    folder: Path
    extensions: Sequence[Extension]
    blocks: list[Block] = field(default_factory=list)
    settings: Settings = field(default_factory=Settings)
    script: Script | None = None
    saved: dict[str, Script] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    mailboxes: dict[str, list[Stored]] = field(default_factory=lambda: {"INBOX": []})
    sent: list[Sent] = field(default_factory=list)
    metadata: dict[tuple[str, str], str] = field(default_factory=dict)
    executed: int = 0
    has_kept: bool = False
    original_recipient: str = ""
    flags: Flags = ()
    chain: list[IncludedScript] = field(default_factory=list)
    linked: set[IncludedScript] = field(default_factory=set)
    is_linking: bool = False
    included_faults: list[str] = field(default_factory=list)

    def compile(self, path: Path) -> Script | None:
        self.linked.clear()
        self.included_faults.clear()
        self.is_linking = True
        try:
            return compile_script(path.read_bytes(), self.extensions, limits=self.settings.limits)
        except OSError as fault:
            self.errors = [str(fault)]
        except Broken as broken:
            # The dialect counts one error more than there are faults: that the script as a whole was not compiled.
            self.errors = [
                *self.included_faults,
                *(fault.said for fault in broken.faults),
                f"{path.name} was not compiled",
            ]
        finally:
            self.is_linking = False
        return None

    def included(self, fact: IncludedScript) -> Script | Broken | None:
        path = self.folder / ("included-global" if fact.is_global else "included") / f"{fact.name}.sieve"
        if not path.exists():
            return None
        self.chain.append(fact)
        try:
            return compile_script(path.read_bytes(), self.extensions, limits=self.settings.limits)
        except Broken as broken:
            return broken
        finally:
            self.chain.pop()

    def mailbox(self, name: str) -> list[Stored] | None:
        return self.mailboxes.get(inbox(name))

    def reset_result(self) -> None:
        self.sent.clear()
        self.executed = 0
        self.has_kept = False


def inbox(name: str) -> str:
    """The same in capitals, also where it is the first part of a name."""
    return f"INBOX{name[5:]}" if name[:6].upper() in ("INBOX", "INBOX.", "INBOX/") else name


class Facts(Mapping[Fact, object]):
    """What a run asks of the store is known at once: it need not end and begin again."""

    def __init__(self, world: World) -> None:
        self._world = world

    def __contains__(self, _fact: object) -> bool:
        return True

    def __iter__(self) -> Iterator[Fact]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __getitem__(self, fact: Fact) -> object:
        world = self._world
        match fact:
            case MailboxExists():
                return world.mailbox(fact.name) is not None
            case Metadata():
                return world.metadata.get((fact.mailbox, fact.name.lower()))
            case MailboxIdExists() | SpecialUseExists() | IsDuplicate():
                return False
            case ListExists():
                return world.settings.has_list(fact.name)
            case IsListed():
                return world.settings.is_listed(fact.name, fact.value)
            case IncludedScript():
                return world.included(fact)
