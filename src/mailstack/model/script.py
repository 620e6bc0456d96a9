"""Sieve scripts of an account. RFC 5804 §1.4: at most one is active. What is in them is mailstack.sieve's."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from mailstack.model.errors import DomainError
from mailstack.model.ids import BlobId, ScriptId


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptEntry:
    """script_id stays when the script is renamed or written anew. content_hash: SHA-256."""

    script_id: ScriptId
    name: str
    size_octets: int
    content_hash: BlobId
    is_active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningScripts:
    """What runs over an account's mail, as far as its user has a say: the active script, and the answer of who is away;
    None for none."""

    active: bytes | None = field(default=None, repr=False)
    vacation: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptQuota:
    """RFC 5804 §1.5: of one account. octets: of all its scripts together."""

    scripts: int
    octets: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptEdit:
    """What is to become of one script; each has one edit at most. script_id: None for a new one, which has content.
    name, content: None where it keeps its own; a new one without a name is called as its id."""

    script_id: ScriptId | None
    name: str | None = None
    content: bytes | None = field(default=None, repr=False)
    is_removed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """Which script is active once all edits have succeeded: that of the edit at this index, or that with this id;
    where there is no such script, none if deactivates, else the one that was."""

    script_id: ScriptId | None = None
    edit: int | None = None
    deactivates: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EditedScripts:
    """outcomes: of each edit the script's id, or why nothing came of it. activated, deactivated: what changed.
    number_before, number: of the journal."""

    outcomes: Sequence[ScriptId | DomainError]
    number_before: int
    number: int
    activated: ScriptId | None = None
    deactivated: ScriptId | None = None
