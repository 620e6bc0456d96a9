"""One run of a script over a message: what it has found, done and spent. RFC 5228 §2.10, §10."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import NamedTuple

from mailstack.model.instant import Instant
from mailstack.model.message import RawMessage
from mailstack.sieve.actions import Action, FileInto, Flags, Keep, Notify, Redirect, Reject, Report, Vacation
from mailstack.sieve.entity import Entity
from mailstack.sieve.facts import Fact, IncludedScript, Wanted
from mailstack.sieve.faults import OutOfSteps, RuntimeFault
from mailstack.sieve.limits import LIMITS, Limits
from mailstack.sieve.text import cut

EPOCH = Instant(0)
PROHIBITED = "local policy prohibits the use of a {} action"


@dataclass(frozen=True, slots=True, kw_only=True)
class SieveEnvelope:
    """As RCPT and MAIL had it. sender: "" for the null path. parameters: of RFC 3461 and RFC 2852, by the names that
    RFC 6009 §2 gives them (notify, orcpt, ret, envid, bytimeabsolute …); those that were not given are not there."""

    sender: str = ""
    recipient: str = ""
    auth: str | None = None
    parameters: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """What a script runs on. received_at: also its "current" time, so that runs over again agree. offset_minutes: of
    the local time zone, east of UTC. environment: RFC 5183 §4.1, by item name. addresses: of the account, for RFC 5230
    §4.5. spam_score: percent; None where nothing was checked; virus: 0 not checked to 5, RFC 5235 §3. separator: the
    characters that begin the detail in local parts, any of them (RFC 5233 §3). flags: that a script before this one has
    set for what comes (RFC 5232 §4)."""

    raw: RawMessage
    envelope: SieveEnvelope = field(default_factory=SieveEnvelope)
    received_at: Instant = EPOCH
    offset_minutes: int = 0
    environment: Mapping[str, str] = field(default_factory=dict)
    addresses: Sequence[str] = ()
    spam_score: float | None = None
    virus: int = 0
    separator: str = "+"
    flags: Flags = ()


class Flow(Enum):
    """What ends a block early. RETURN: RFC 6609 §3.3, of the script included. BREAK: RFC 5703 §3.2, of a loop."""

    STOP = "stop"
    RETURN = "return"
    BREAK = "break"


Step = Callable[["Run"], Flow | None]
"""A command, compiled. None: go on with the next."""
Check = Callable[["Run"], bool]
"""A test, compiled."""


Cell = list[str]
"""The one value of a variable; shared by all that declare it as global."""


class Traced(NamedTuple):
    """What happened, for people: a command that ran, or a test and what it found."""

    line: int
    text: str


class Include(NamedTuple):
    """That a script includes another, at that offset."""

    script: IncludedScript
    is_once: bool
    is_optional: bool
    at: int


@dataclass(frozen=True, slots=True)
class Script:
    """text: with CRLF, as it was read. required: the extensions it names. includes: wherever they stand in it."""

    text: str
    required: frozenset[str]
    steps: tuple[Step, ...]
    includes: tuple[Include, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """actions: with the implicit keep, if it takes place. fault: why the run ended early, "" for a good one; then
    actions is the implicit keep alone (RFC 5228 §2.10.6). is_out_of_steps: the fault is that it took too many."""

    actions: tuple[Action, ...]
    fault: str = ""
    is_out_of_steps: bool = False
    trace: tuple[Traced, ...] = ()


def run(
    script: Script, mail: Mail, facts: Mapping[Fact, object] | None = None, *, limits: Limits = LIMITS
) -> "Outcome | Wanted":
    """Wanted: the fact to be found and given in `facts` the next time, if there are more to be had; see facts.py."""
    state = Run(mail, {} if facts is None else facts, limits)
    is_out_of_steps = False
    try:
        state.execute(script)
        return Outcome(actions=state.finished(), trace=tuple(state.trace))
    except Wanted as wanted:
        if len(state.facts) < limits.facts:
            return wanted
        fault = f"more than {limits.facts} things were looked up"
    except RuntimeFault as broken:
        fault = str(broken)
        is_out_of_steps = isinstance(broken, OutOfSteps)
    except RecursionError:
        # Each script that is included may have Limits.depth blocks around the next.
        fault = "too many blocks of scripts that include each other are in each other"
    kept = (Keep(is_implicit=True),)
    return Outcome(actions=kept, fault=fault, is_out_of_steps=is_out_of_steps, trace=tuple(state.trace))


class Run:
    """The state that compiled commands and tests work on. What an extension keeps here is named after it."""

    def __init__(self, mail: Mail, facts: Mapping[Fact, object], limits: Limits) -> None:
        self.mail = mail
        self.message = Entity(mail.raw)
        self.facts = facts
        self.limits = limits
        self.trace: list[Traced] = []
        self.actions: list[Action] = []
        self.is_kept = True  # RFC 5228 §2.10.2: until an action cancels it
        self.part: Entity | None = None  # of the innermost foreverypart
        self.loops = 0
        self.breaking = 0
        self.enclosed: list[Entity] = []
        self.variables: dict[str, Cell] = {}
        self.global_variables: dict[str, Cell] = {}
        self.matches: tuple[str, ...] = ()
        self.flags = mail.flags
        self.included: set[IncludedScript] = set()
        self.including: list[IncludedScript] = []
        self._written: dict[Entity, bytes] = {}
        self._octets_left = limits.written_octets
        self._includes = 0
        self._logged = limits.logged_characters
        self._steps_left = limits.steps

    def execute(self, script: Script) -> None:
        self.block(script.steps)

    def block(self, steps: Sequence[Step]) -> Flow | None:
        self._steps_left -= len(steps)
        if self._steps_left < 0:
            raise OutOfSteps(f"it took more than {self.limits.steps} steps")
        for step in steps:
            flow = step(self)
            if flow is not None:
                return flow
        return None

    def spend(self, steps: int) -> None:
        """For what takes longer than a command does: see Limits.steps."""
        self._steps_left -= steps
        if self._steps_left < 0:
            raise OutOfSteps(f"it took more than {self.limits.steps} steps")

    def log(self, line: int, text: str) -> None:
        """For people; what is too much for anybody to read is left out."""
        self._logged -= len(text)
        if self._logged >= 0:
            self.trace.append(Traced(line, text))

    def bounded(self, text: str, octets: int) -> str:
        """RFC 5229 §6: what is too long for a variable is cut, between two characters."""
        self.spend(len(text) >> 8)
        return cut(text, octets)

    def count_include(self) -> int:
        self._includes += 1
        return self._includes

    def include(self, fact: IncludedScript, script: Script) -> Flow | None:
        """RFC 6609 §3.2: with variables of its own; what it has done and found out stays."""
        variables, matches = self.variables, self.matches
        self.variables, self.matches = {}, ()
        self.included.add(fact)
        self.including.append(fact)
        try:
            flow = self.block(script.steps)
        finally:
            self.including.pop()
            self.variables, self.matches = variables, matches
        return None if flow is Flow.RETURN else flow

    def fact(self, fact: Fact) -> object:
        if fact not in self.facts:
            raise Wanted(fact)
        return self.facts[fact]

    def put(self, octets: int) -> None:
        """The message was edited, and so much was put into it."""
        self._written.clear()
        self._octets_left -= octets
        if self._octets_left < 0:
            raise RuntimeFault(f"more than {self.limits.written_octets} bytes were written into the message")

    def enclose(self, message: Entity) -> None:
        """message: holds the one that was the run's by now."""
        self.enclosed.append(self.message)
        self.message = message

    @property
    def edited(self) -> RawMessage | None:
        """For an action: the message as it is by now, if it is no longer the one that came."""
        return self._raw(self.message)

    @property
    def sent_on(self) -> RawMessage | None:
        """As `edited`, for redirect. RFC 5703 §6: enclosures do not affect what is redirected."""
        return self._raw(self.enclosed[0] if self.enclosed else self.message)

    def _raw(self, message: Entity) -> RawMessage | None:
        if not message.is_edited:
            return None
        if message not in self._written:
            # Only copied, and never more of it at once than memory has room for.
            self.spend(message.size >> 10)
            self._written[message] = message.written()
        return self._written[message]

    def do(self, action: Action, *, keeps: bool = False) -> None:
        """keeps: whether the implicit keep stays as it was. Raises RuntimeFault for what goes with nothing before."""
        _check_together(self.actions, action)
        if not keeps:
            self.is_kept = False
        place = _place(action)
        for at, other in enumerate(self.actions):
            if _place(other) == place:
                # RFC 5228 §2.10.3: the same action twice is done once.
                self.actions[at] = _merged(other, action)
                return
        if len(self.actions) >= self.limits.actions:
            raise RuntimeFault(f"more than {self.limits.actions} actions")
        # RFC 5228 §10, RFC 5435 §8: how much mail a script sends is to be limited.
        self._check_number(action, Redirect, self.limits.redirects, "redirect")
        self._check_number(action, Notify, self.limits.notifications, "notify")
        self._check_number(action, Report, self.limits.notifications, "report")
        self.actions.append(action)

    def _check_number(self, action: Action, kind: type[Action], most: int, what: str) -> None:
        if isinstance(action, kind) and not most:
            raise RuntimeFault(PROHIBITED.format(what))
        if isinstance(action, kind) and sum(isinstance(one, kind) for one in self.actions) >= most:
            raise RuntimeFault(f"more than {most} {what} actions")

    def finished(self) -> tuple[Action, ...]:
        if self.is_kept:
            # RFC 5232 §4: what the script has set counts for the implicit keep.
            self.actions.append(Keep(flags=self.flags or None, raw=self.edited, is_implicit=True))
        return tuple(self.actions)


def _place(action: Action) -> object:
    """What two actions have in common that put the same mail into the same mailbox; of others, all. RFC 5293 §7: mail
    that was edited in between is the same mail."""
    match action:
        case Keep():
            # RFC 5228 §4.3: keep is to file the mail into the user's main mailbox.
            return ("INBOX", "", "")
        case FileInto():
            name = "INBOX" if action.mailbox.upper() == "INBOX" else action.mailbox
            return (name, action.special_use, action.mailbox_id)
        case Redirect():
            return replace(action, raw=None)
        case Report():
            return replace(action, message="", has_body=True)
    return action


def _merged(before: Action, action: Action) -> Action:
    if not isinstance(before, Keep | FileInto) or not isinstance(action, Keep | FileInto):
        return before
    # RFC 5232 §3: of flags, the last ones count.
    merged = replace(before, flags=action.flags)
    if isinstance(merged, FileInto) and isinstance(action, FileInto):
        return replace(merged, create=merged.create or action.create)
    return merged


_PUTTING = (Keep, FileInto, Redirect)


def _check_together(before: Sequence[Action], action: Action) -> None:
    """RFC 5429 §2.1: mail that is refused is neither kept nor sent on; RFC 5230 §4.7: nor answered."""
    for other in before:
        pair = (action, other) if isinstance(action, Reject) else (other, action)
        if not isinstance(pair[0], Reject):
            continue
        if isinstance(pair[1], (*_PUTTING, Vacation, Reject)):
            name = type(pair[1]).__name__.lower()
            raise RuntimeFault(f"mail cannot be refused by {pair[0].kind.value} and go through {name} too")
