"""Several scripts of an account edited in one transaction. What counts is what comes of all edits together: two may
change names, and what goes makes room."""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from mailstack.model.errors import AlreadyExists, DomainError, InUse, NotFound, QuotaExceeded, TooMany
from mailstack.model.ids import AccountId, ScriptId
from mailstack.model.script import Activation, ScriptEdit, ScriptQuota
from mailstack.store.sql.database import Row, Transaction

SIZES = "SELECT script_id, name, LENGTH(content), is_active FROM script WHERE account_id = ?"
ADD = "INSERT INTO script (account_id, name, script_id, content, is_active) VALUES (?, ?, ?, ?, 0)"
WRITE = "UPDATE script SET content = ? WHERE account_id = ? AND script_id = ?"
CALL = "UPDATE script SET name = ? WHERE account_id = ? AND script_id = ?"
DESTROY = "DELETE FROM script WHERE account_id = ? AND script_id = ?"
# No name begins so: they hold no control characters.
_BETWEEN_NAMES = "\x01"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Script:
    """edit: the last that has a say in it, by its index."""

    name: str
    size_octets: int
    is_active: bool
    edit: int = -1


_Scripts = Mapping[ScriptId, _Script]


class ScriptEditing:
    """Nothing is written before `write`. outcomes: as EditedScripts has them."""

    def __init__(
        self,
        rows: Sequence[Row],
        edits: Sequence[ScriptEdit],
        *,
        quota: ScriptQuota,
        token: Callable[[], str],
    ) -> None:
        self._before: _Scripts = {
            ScriptId(script_id): _Script(name=name, size_octets=size, is_active=bool(is_active))
            for script_id, name, size, is_active in rows
        }
        self._edits = edits
        self._ids = [ScriptId(token()) if each.script_id is None else each.script_id for each in edits]
        self._faults: dict[int, DomainError] = {}
        self._refuse_impossible()
        self._after = self._all()
        while (found := _one_too_many(self._after, edits, quota)) is not None:
            at, fault = found
            self._faults[at] = fault
            self._after = self._all()

    @property
    def outcomes(self) -> Sequence[ScriptId | DomainError]:
        return [self._faults.get(at, script_id) for at, script_id in enumerate(self._ids)]

    @property
    def is_whole(self) -> bool:
        return not self._faults

    @property
    def created(self) -> Set[ScriptId]:
        return self._after.keys() - self._before.keys()

    @property
    def destroyed(self) -> Set[ScriptId]:
        return self._before.keys() - self._after.keys()

    @property
    def updated(self) -> Set[ScriptId]:
        return {script_id for script_id, one in self._after.items() if one.edit >= 0} - self.created

    def active_then(self, activation: Activation) -> ScriptId | None:
        """Which script is to be active after it; None for none. RFC 9661 §2.4: an id of nothing is passed over."""
        wanted = activation.script_id if activation.edit is None else self._ids[activation.edit]
        if wanted is not None and wanted in self._after:
            return wanted
        return (
            None if activation.deactivates else next((key for key, one in self._after.items() if one.is_active), None)
        )

    def write(self, transaction: Transaction, account_id: AccountId) -> None:
        renamed = [key for key in self._before.keys() & self._after.keys() if self._is_renamed(key)]
        transaction.run_many(DESTROY, [(account_id, key) for key in self.destroyed])
        transaction.run_many(CALL, [(f"{_BETWEEN_NAMES}{key}", account_id, key) for key in renamed])
        transaction.run_many(CALL, [(self._after[key].name, account_id, key) for key in renamed])
        for at, edit in enumerate(self._edits):
            key = self._ids[at]
            if at in self._faults or edit.content is None:
                continue
            if key in self._before:
                transaction.run(WRITE, (edit.content, account_id, key))
            else:
                transaction.run(ADD, (account_id, self._after[key].name, key, edit.content))

    def _is_renamed(self, script_id: ScriptId) -> bool:
        return self._before[script_id].name != self._after[script_id].name

    def _refuse_impossible(self) -> None:
        for at, edit in enumerate(self._edits):
            found = None if edit.script_id is None else self._before.get(edit.script_id)
            if edit.script_id is not None and found is None:
                self._faults[at] = NotFound("there is no script of that id")
            elif edit.is_removed and found is not None and found.is_active:
                self._faults[at] = InUse("the script is active; make another one active first, or none")

    def _all(self) -> _Scripts:
        """As the edits that have not failed leave them."""
        after = dict(self._before)
        for at, edit in enumerate(self._edits):
            script_id = self._ids[at]
            if at in self._faults:
                continue
            if edit.is_removed:
                del after[script_id]
                continue
            found = after.get(script_id, _Script(name=script_id, size_octets=0, is_active=False))
            size = found.size_octets if edit.content is None else len(edit.content)
            after[script_id] = replace(found, name=edit.name or found.name, size_octets=size, edit=at)
        return after


def _one_too_many(scripts: _Scripts, edits: Sequence[ScriptEdit], quota: ScriptQuota) -> tuple[int, DomainError] | None:
    """The last edit that cannot be, and why."""
    named: dict[str, _Script] = {}
    for one in scripts.values():
        other = named.setdefault(one.name, one)
        if other is not one:
            naming = [each.edit for each in (one, other) if each.edit >= 0 and edits[each.edit].name is not None]
            return max(naming), AlreadyExists("there is a script of that name already")
    new = [one.edit for one in scripts.values() if one.edit >= 0 and edits[one.edit].script_id is None]
    if new and len(scripts) > quota.scripts:
        return max(new), TooMany(f"an account has at most {quota.scripts} scripts")
    written = [one.edit for one in scripts.values() if one.edit >= 0 and edits[one.edit].content is not None]
    if written and sum(one.size_octets for one in scripts.values()) > quota.octets:
        return max(written), QuotaExceeded(f"the scripts of an account have at most {quota.octets} octets together")
    return None
