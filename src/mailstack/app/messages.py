"""What the processes of one server tell each other, as JSON lines: supervisor and workers, supervisor and applier.

Both ends are always the same program, so a line that does not fit is a bug and raises.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

from mailstack.app.sockets import Endpoint

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepare:
    """Build this generation beside the one that serves. opened: new sockets, which come with the message, in order."""

    number: int
    blueprint: Json
    opened: Sequence[Endpoint]


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """Serve what was prepared. closed: endpoints to stop accepting on."""

    number: int
    closed: Sequence[Endpoint]


@dataclass(frozen=True, slots=True, kw_only=True)
class Discard:
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    grace_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepting:
    """The first word of a worker that serves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The worker goes on with what it has."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unable:
    """The last word of a worker that cannot start."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What the applier is to do. spec: its path; storage: the StoreAddress that is served now, None before. sandbox:
    a SandboxJob's fields, None for the real thing.

    read_only: only say what is applied to `storage` now. last_applied: the same before anything serves, of the storage
    that the spec seems to name where `storage` is None; after Loaded and Go. upkeep: do what is due, and only where
    the spec is the one that was applied last.
    """

    spec: str
    read_only: bool = False
    last_applied: bool = False
    upkeep: bool = False
    storage: Json | None = field(default=None, repr=False)
    log_level: str = "info"
    log_format: str = "auto"
    sandbox: Json | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The spec is valid. storage: a StoreAddress. watch: files it was read from, starting at read_at_ns (Unix time).

    The applier waits for `Go` before it writes anything.
    """

    storage: Json = field(repr=False)
    workers: int
    endpoints: Sequence[Endpoint]
    watch: Sequence[str]
    read_at_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Go: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Faulty:
    """The spec has faults, each a whole line; nothing was written. watch, read_at_ns: as in Loaded, with files that it
    names and that are not there."""

    faults: Sequence[str]
    watch: Sequence[str] = ()
    read_at_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """Applying failed; the server's own state is as it was, or as `Applied` said before."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """The server's own state is written; DNS may still be under way, and what is seen there may lead to further
    generations, each with an `Applied` of its own. accounts: the sandbox's plain passwords; admins: who of
    them looks after it."""

    blueprint: Json
    accounts: Mapping[str, str] = field(default_factory=dict)
    admins: Sequence[str] = field(default_factory=list)

    def __repr__(self) -> str:
        return f"Applied(generation={self.blueprint.get('generation')})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """All is done, DNS too. generation: the state's, which zones may have moved past `Applied`'s. again_at: the Instant
    at which something is due though nobody changes anything, None for never. note: why upkeep was left undone, or "".
    drift: what was not as it was applied. is_elsewhere: another node looks after it, and nothing was looked at here.
    """

    generation: int
    again_at: int | None = None
    note: str = ""
    drift: Sequence[str] = ()
    is_elsewhere: bool = False


Message = (
    Prepare
    | Commit
    | Discard
    | Stop
    | Accepting
    | Prepared
    | Refused
    | Committed
    | Unable
    | Job
    | Loaded
    | Go
    | Faulty
    | Broken
    | Applied
    | Finished
)
TYPES: Mapping[str, type[Message]] = {
    each.__name__: each
    for each in (
        Prepare,
        Commit,
        Discard,
        Stop,
        Accepting,
        Prepared,
        Refused,
        Committed,
        Unable,
        Job,
        Loaded,
        Go,
        Faulty,
        Broken,
        Applied,
        Finished,
    )
}
ENDPOINT_FIELDS = ("opened", "closed", "endpoints")


def encode(message: Message) -> bytes:
    return orjson.dumps({"is": type(message).__name__, **asdict(message)}) + b"\n"


def decode(line: bytes) -> Message:
    fields = orjson.loads(line)
    found = TYPES[fields.pop("is")]
    for name in ENDPOINT_FIELDS:
        if name in fields:
            fields[name] = tuple(Endpoint(**each) for each in fields[name])
    return found(**fields)
